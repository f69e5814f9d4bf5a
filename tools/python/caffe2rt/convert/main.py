"""Command line of tools/caffe2_converter.py, named as detectron2's."""
import argparse
import sys

from .checkpoint import read_checkpoint
from .config import load_config
from .errors import ConvertError
from .labels import class_names
from .model import build_model
from .write import write_model


def _parser():
    p = argparse.ArgumentParser(prog="caffe2_converter.py", description="Converts a detectron2 model (YAML configuration and checkpoint) to "
                                "Caffe2's model.pb and model_init.pb. Needs neither detectron2 nor Caffe2.")
    p.add_argument("--config-file", required=True, metavar="YAML", help="detectron2's configuration; may have a _BASE_")
    p.add_argument("--output", default="./caffe2_model", metavar="FOLDER", help="where to write; default: ./caffe2_model")
    p.add_argument("opts", nargs=argparse.REMAINDER, metavar="KEY VALUE",
                   help="changes of the configuration, such as MODEL.WEIGHTS model_final.pkl (.pkl, .pth or .safetensors)")
    return p


def convert(args):
    cfg = load_config(args.config_file, args.opts)
    if not cfg.MODEL.WEIGHTS:
        raise ConvertError("no weights: name them with MODEL.WEIGHTS FILE")
    model = build_model(cfg, read_checkpoint(cfg.MODEL.WEIGHTS))
    retinanet = cfg.MODEL.META_ARCHITECTURE == "RetinaNet"
    classes = cfg.MODEL.RETINANET.NUM_CLASSES if retinanet else cfg.MODEL.ROI_HEADS.NUM_CLASSES
    files = write_model(args.output, model, cfg.MODEL.META_ARCHITECTURE, class_names(cfg, classes))
    if model.unused:
        print("not used: %s" % ", ".join(model.unused))
    print("%s: %s (%d operators, %d weights)" % (args.output, ", ".join(files), len(model.ops), len(model.weights)))


def main(argv=None):
    try:
        convert(_parser().parse_args(argv))
    except ConvertError as e:
        print("caffe2_converter.py: %s" % e, file=sys.stderr)
        return 1
    return 0
