"""Command lines of tools/caffe2_converter.py and tools/export_model.py, named as detectron2's."""
import argparse
import importlib.util
import pathlib
import sys
import traceback

from ..parts import import_parts
from . import torchvision_models
from .checkpoint import read_checkpoint
from .config import load_config, override
from .data_sets import find_data_set
from .errors import ConvertError
from .labels import class_names, read_names
from .model import build_model
from .write import write_model


def _parser(export_model):
    name = "export_model.py" if export_model else "caffe2_converter.py"
    p = argparse.ArgumentParser(prog=name, description="Converts a detectron2 model (YAML configuration and checkpoint) to Caffe2's model.pb "
                                "and model_init.pb. Needs neither detectron2 nor Caffe2.")
    p.add_argument("--config-file", metavar="YAML", help="detectron2's configuration; may have a _BASE_")
    p.add_argument("--output", default="./output" if export_model else "./caffe2_model", metavar="FOLDER",
                   help="where to write; default: %(default)s")
    p.add_argument("--format", choices=["caffe2"], default="caffe2", help="what to write: there is no other")
    if export_model:
        p.add_argument("--export-method", choices=["caffe2_tracing"], default="caffe2_tracing", help="how detectron2 names it; nothing is traced")
        p.add_argument("--sample-image", metavar="FILE", help="taken for the sake of old command lines; none is needed")
    p.add_argument("--torchvision", metavar="NAME", help="instead of --config-file: a detector of torchvision's, such as maskrcnn_resnet50_fpn")
    p.add_argument("--weights", metavar="FILE", help="of --torchvision: its state_dict")
    p.add_argument("--norm-eps", type=float, metavar="NUMBER", help="of --torchvision: epsilon of its batch norms; default: 0 for torchvision's own "
                   "COCO_V1 files of the first versions, by their names, which it runs so, else 1e-5")
    p.add_argument("--labels", metavar="FILE", help="names of the model's classes: one a line, or a COCO JSON; default: those of the data set that "
                   "the configuration names, where they are known")
    p.add_argument("--import", dest="parts", action="append", default=[], metavar="FILE.py", help="a Python file that registers backbones and "
                   "heads of your own (caffe2rt.parts); needs PyTorch 2.6 or later; may be given again")
    p.add_argument("--run-eval", action="store_true", help="then print average precision, mIoU and PQ on DATASETS.TEST, which lie under "
                   "DETECTRON2_DATASETS, beside those of detectron2 where it is installed; needs the installed package (pip install './tools/python[evaluate]')")
    p.add_argument("--pytorch", metavar="MODULE:FUNCTION", help="of --run-eval: a PyTorch model to compare with, made by FUNCTION(MODEL.WEIGHTS), "
                   "called as detectron2's models are; MODULE may be a file")
    p.add_argument("opts", nargs=argparse.REMAINDER, metavar="KEY VALUE",
                   help="changes of the configuration, such as MODEL.WEIGHTS model_final.pkl (.pkl, .pth, .safetensors, or a URL of one)")
    return p


def _config(args):
    if not args.config_file:
        raise ConvertError("expected --config-file YAML, or --torchvision NAME")
    return load_config(args.config_file, args.opts, args.extend)


def _of_torchvision(args):
    """Configuration and parameters."""
    eps = torchvision_models.norm_eps_of(args.weights) if args.norm_eps is None else args.norm_eps
    if not 0 <= eps < 1:
        raise ConvertError("--norm-eps: expected 0 or more, below 1, got %s" % eps)
    parameters = read_checkpoint(args.weights)
    if args.norm_eps is None and eps and torchvision_models.may_want_no_eps(args.torchvision, parameters):
        print("norms: an epsilon of %g; where the model was trained on from torchvision's COCO_V1 weights, which it runs with none, say --norm-eps 0" % eps)
    return torchvision_models.config_of(args.torchvision, parameters, eps), torchvision_models.to_detectron2(parameters)


def convert(args):
    """Converts; returns the configuration."""
    args.extend = [m.add_config for m in map(import_parts, args.parts) if hasattr(m, "add_config")]
    if args.torchvision:
        if not args.weights:
            raise ConvertError("no weights: name them with --weights FILE")
        if args.config_file:
            raise ConvertError("--config-file: there is none of --torchvision")
        if "MODEL.WEIGHTS" in args.opts[::2]:
            raise ConvertError("MODEL.WEIGHTS: the weights of --torchvision are named with --weights FILE")
        cfg, parameters = _of_torchvision(args)
        names = _names(args, cfg)
        override(cfg, args.opts)
    else:
        if args.norm_eps is not None:
            raise ConvertError("--norm-eps: is of --torchvision alone")
        cfg = _config(args)
        if not cfg.MODEL.WEIGHTS:
            raise ConvertError("no weights: name them with MODEL.WEIGHTS FILE")
        parameters, names = read_checkpoint(cfg.MODEL.WEIGHTS), _names(args, cfg)
    model = build_model(cfg, parameters)
    calibration = pathlib.Path(args.output, "calibration.json")
    was_calibrated = calibration.exists()
    files = write_model(args.output, model, cfg.MODEL.META_ARCHITECTURE, names)
    if was_calibrated and not calibration.exists():
        print("%s: was of another model, and is removed: int8 needs a new one (caffe2_calibrate)" % calibration)
    if not names and pathlib.Path(args.output, "labels.txt").exists():
        print("%s/labels.txt: was there before, and is left: the names of this model's classes are not known, see --labels" % args.output)
    if model.unused:
        print("not used: %s" % ", ".join(model.unused))
    own = sorted({op[0] for op in model.ops if op[0].startswith("caffe2rt.")})
    if own:
        print("the original Caffe2 does not run this net, it has no %s" % ", ".join(own))
    print("%s: %s (%d operators, %d weights)" % (args.output, ", ".join(files), len(model.ops), len(model.weights)))
    return cfg


def _names(args, cfg):
    """Of the model's classes; None where they are not known."""
    return read_names(args.labels, cfg) if args.labels else class_names(cfg)


def _reference(args):
    """Arguments that compare with a PyTorch model: the one that was named, or torchvision's or detectron2's own where that is installed and
    knows all parts."""
    if args.pytorch:
        return ["--pytorch", args.pytorch, "--pytorch-weights", args.weights if args.torchvision else _config(args).MODEL.WEIGHTS]
    if args.torchvision:
        known = args.norm_eps is None and importlib.util.find_spec("torchvision") is not None
        return ["--torchvision", args.torchvision, "--pytorch-weights", args.weights] if known else []
    if args.parts or importlib.util.find_spec("detectron2") is None:
        return []
    return ["--detectron2", "--config-file", args.config_file, *args.opts]


def run_eval(args, cfg):
    """Evaluates what was written on every data set of DATASETS.TEST. Returns the exit status."""
    data_sets = [(name, find_data_set(name)) for name in cfg.DATASETS.TEST]
    if not data_sets:
        raise ConvertError("--run-eval: expected data sets in DATASETS.TEST, got none")
    from .. import __main__
    status = 0
    for name, paths in data_sets:
        print(name)
        options = [word for option, path in paths.items() for word in ("--" + option, str(path))]
        if cfg.TEST.KEYPOINT_OKS_SIGMAS:
            options += ["--keypoint-sigmas", ",".join(map(str, cfg.TEST.KEYPOINT_OKS_SIGMAS))]
        status |= __main__.main(["evaluate", "--model", args.output, *options, *_reference(args)])
    return status


def main(argv=None, export_model=False):
    parser = _parser(export_model)
    try:
        args = parser.parse_args(argv)
        late = [word for word in args.opts if word.startswith("--")]
        if late:
            raise ConvertError("%s: options go before the KEY VALUE pairs" % late[0])
        cfg = convert(args)
        return run_eval(args, cfg) if args.run_eval else 0
    except ConvertError as e:
        print("%s: %s" % (parser.prog, e), file=sys.stderr)
        return 1
    except Exception as e:  # of values that no check above has thought of
        place = traceback.extract_tb(e.__traceback__)[-1]
        print("%s: cannot convert this: %s: %s (%s:%d)" % (parser.prog, type(e).__name__, e, pathlib.Path(place.filename).name, place.lineno),
              file=sys.stderr)
        return 1
