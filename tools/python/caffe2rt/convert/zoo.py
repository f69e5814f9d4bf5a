"""detectron2's model zoo by the names of its configurations: where their files lie, and their conversion.

Source of names and numbers: detectron2/model_zoo/model_zoo.py. What it has as Python configurations (new_baselines) is left out.
"""
import argparse
import difflib
import pathlib
import posixpath
import sys
import tempfile

import yaml

from . import fetch, yaml_text
from .config import load_config
from .errors import ConvertError
from .main import main as convert_main
from .model import required_parameters

WEIGHTS_URL = "https://dl.fbaipublicfiles.com/detectron2/"
CONFIG_URL = "https://raw.githubusercontent.com/facebookresearch/detectron2/v0.6/configs/"

# A line a configuration: its name, its checkpoint's number, and the mark of the file model_final_MARK.pkl (or the file's name).
_ZOO = {
    "COCO-Detection": """
        faster_rcnn_R_50_C4_1x 137257644 721ade
        faster_rcnn_R_50_DC5_1x 137847829 51d356
        faster_rcnn_R_50_FPN_1x 137257794 b275ba
        faster_rcnn_R_50_C4_3x 137849393 f97cb7
        faster_rcnn_R_50_DC5_3x 137849425 68d202
        faster_rcnn_R_50_FPN_3x 137849458 280758
        faster_rcnn_R_101_C4_3x 138204752 298dad
        faster_rcnn_R_101_DC5_3x 138204841 3e0943
        faster_rcnn_R_101_FPN_3x 137851257 f6e8b1
        faster_rcnn_X_101_32x8d_FPN_3x 139173657 68b088
        retinanet_R_50_FPN_1x 190397773 bfca0b
        retinanet_R_50_FPN_3x 190397829 5bd44e
        retinanet_R_101_FPN_3x 190397697 971ab9
        rpn_R_50_C4_1x 137258005 450694
        rpn_R_50_FPN_1x 137258492 02ce48
        fast_rcnn_R_50_FPN_1x 137635226 e5f7ce""",
    "COCO-InstanceSegmentation": """
        mask_rcnn_R_50_C4_1x 137259246 9243eb
        mask_rcnn_R_50_DC5_1x 137260150 4f86c3
        mask_rcnn_R_50_FPN_1x 137260431 a54504
        mask_rcnn_R_50_C4_3x 137849525 4ce675
        mask_rcnn_R_50_DC5_3x 137849551 84107b
        mask_rcnn_R_50_FPN_3x 137849600 f10217
        mask_rcnn_R_101_C4_3x 138363239 a2914c
        mask_rcnn_R_101_DC5_3x 138363294 0464b7
        mask_rcnn_R_101_FPN_3x 138205316 a3ec72
        mask_rcnn_X_101_32x8d_FPN_3x 139653917 2d9806""",
    "COCO-Keypoints": """
        keypoint_rcnn_R_50_FPN_1x 137261548 04e291
        keypoint_rcnn_R_50_FPN_3x 137849621 a6e10b
        keypoint_rcnn_R_101_FPN_3x 138363331 997cc7
        keypoint_rcnn_X_101_32x8d_FPN_3x 139686956 5ad38f""",
    "COCO-PanopticSegmentation": """
        panoptic_fpn_R_50_1x 139514544 dbfeb4
        panoptic_fpn_R_50_3x 139514569 c10459
        panoptic_fpn_R_101_3x 139514519 cafdb1""",
    "LVISv0.5-InstanceSegmentation": """
        mask_rcnn_R_50_FPN_1x 144219072 571f7c
        mask_rcnn_R_101_FPN_1x 144219035 824ab5
        mask_rcnn_X_101_32x8d_FPN_1x 144219108 5e3439""",
    "Cityscapes": """
        mask_rcnn_R_50_FPN 142423278 af9cf5""",
    "PascalVOC-Detection": """
        faster_rcnn_R_50_C4 142202221 b1acc2""",
    "Misc": """
        mask_rcnn_R_50_FPN_1x_dconv_c3-c5 138602867 65c703
        mask_rcnn_R_50_FPN_3x_dconv_c3-c5 144998336 821d0b
        cascade_mask_rcnn_R_50_FPN_1x 138602847 e9d89b
        cascade_mask_rcnn_R_50_FPN_3x 144998488 480dd8
        mask_rcnn_R_50_FPN_3x_syncbn 169527823 3b3c51
        mask_rcnn_R_50_FPN_3x_gn 138602888 dc5d9e
        scratch_mask_rcnn_R_50_FPN_3x_gn 138602908 01ca85
        scratch_mask_rcnn_R_50_FPN_9x_gn 183808979 da7b4c
        scratch_mask_rcnn_R_50_FPN_9x_syncbn 184226666 5ce33e
        panoptic_fpn_R_101_dconv_cascade_gn_3x 139797668 be35db
        cascade_mask_rcnn_X_152_32x8d_FPN_IN5k_gn_dconv 18131413 model_0039999_e76410.pkl""",
    "Detectron1-Comparisons": """
        faster_rcnn_R_50_FPN_noaug_1x 137781054 7ab50c
        mask_rcnn_R_50_FPN_noaug_1x 137781281 62ca52
        keypoint_rcnn_R_50_FPN_1x 137781195 cce136""",
}


def _checkpoints():
    for folder, lines in _ZOO.items():
        for name, number, mark in map(str.split, lines.strip().splitlines()):
            yield "%s/%s" % (folder, name), "%s/%s" % (number, mark if mark.endswith(".pkl") else "model_final_%s.pkl" % mark)


# {configuration: its checkpoint below a folder of its name}
CHECKPOINTS = dict(_checkpoints())


def find(name):
    """The configuration that is meant, FOLDER/NAME: the folder may be left out where one has that name only, and .yaml may be there.

    Raises ConvertError that says what was meant perhaps."""
    wanted = name.removesuffix(".yaml")
    if wanted in CHECKPOINTS:
        return wanted
    known = [key for key in CHECKPOINTS if key.lower() == wanted.lower() or key.partition("/")[2].lower() == wanted.lower()]
    if len(known) == 1:
        return known[0]
    if known:
        raise ConvertError("%s: expected one of %s" % (name, ", ".join(known)))
    short = {key.partition("/")[2].lower(): key for key in CHECKPOINTS} if "/" not in wanted else {key.lower(): key for key in CHECKPOINTS}
    near = [short[key] for key in difflib.get_close_matches(wanted.lower(), short, n=3, cutoff=0.5)]
    raise ConvertError("%s: no such model in detectron2's zoo%s; --list names them all" % (name, "; is it %s?" % " or ".join(near) if near else ""))


def fetch_config(name, base, folder):
    """Fetches the configuration NAME.yaml below a URL, and those that it is based on, into a folder, where they lie as they do there.
    Returns its path there."""
    wanted = first = name + ".yaml"
    seen = []
    while wanted:
        if wanted in seen:
            raise ConvertError("%s%s: is based on itself" % (base, wanted))
        if wanted.startswith(("../", "/")):
            raise ConvertError("%s%s: expected a base below %s, got %s" % (base, seen[-1], base, wanted))
        seen.append(wanted)
        text = fetch.fetch(base + wanted).read_bytes()
        file = pathlib.Path(folder, wanted)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text)
        try:
            tree = yaml_text.load(text)
        except (yaml.YAMLError, UnicodeDecodeError) as e:
            raise ConvertError("%s%s: expected YAML: %s" % (base, wanted, str(e).replace("\n", " "))) from None
        below = tree.get("_BASE_") if isinstance(tree, dict) else None
        wanted = posixpath.normpath(posixpath.join(posixpath.dirname(wanted), str(below))) if below else None
    return pathlib.Path(folder, first)


def get_model(name, output=None, weights_url=WEIGHTS_URL, config_url=CONFIG_URL):
    """Fetches and converts; returns the exit status. Refuses what cannot be converted before it fetches the weights."""
    name = find(name)
    weights_url, config_url = (url if url.endswith("/") else url + "/" for url in (weights_url, config_url))
    with tempfile.TemporaryDirectory() as folder:
        config = fetch_config(name, config_url, folder)
        required_parameters(load_config(config))
        return convert_main(["--config-file", str(config), "--output", output or "./" + name.partition("/")[2],
                             "MODEL.WEIGHTS", weights_url + name + "/" + CHECKPOINTS[name]])


def main(argv=None):
    p = argparse.ArgumentParser(prog="get_model.py", description="Fetches a model of detectron2's zoo by the name of its configuration and "
                                "converts it to Caffe2's model.pb and model_init.pb. What was fetched is kept in ~/.cache/gst-caffe2/weights.")
    p.add_argument("name", nargs="?", metavar="NAME", help="such as COCO-InstanceSegmentation/mask_rcnn_R_50_FPN_3x; the folder may be left out")
    p.add_argument("--output", metavar="FOLDER", help="where to write; default: ./ and the name without its folder")
    p.add_argument("--list", action="store_true", help="print all names, or those that hold NAME")
    p.add_argument("--base-url", default=WEIGHTS_URL, metavar="URL", help="a mirror of the weights; default: %(default)s")
    p.add_argument("--config-url", default=CONFIG_URL, metavar="URL", help="a mirror of the configurations; default: %(default)s")
    args = p.parse_args(argv)
    try:
        if args.list:
            found = [key for key in CHECKPOINTS if (args.name or "").lower() in key.lower()]
            if not found:
                raise ConvertError("%s: no name in detectron2's zoo holds this" % args.name)
            print("\n".join(found))
            return 0
        if not args.name:
            raise ConvertError("expected a NAME, or --list")
        return get_model(args.name, args.output, args.base_url, args.config_url)
    except ConvertError as e:
        print("%s: %s" % (p.prog, e), file=sys.stderr)
        return 1
