"""The command line of `python -m caffe2rt evaluate`."""
from __future__ import annotations

import argparse
import sys
from typing import Any, Callable, Dict, List, Optional

from . import table

# What `all` stands for.
PRECISIONS, DEVICES = ("fp32", "bf16", "int8"), ("cpu", "cuda")


def _columns(args) -> Dict[str, Optional[Callable]]:
    """The models by the names of their columns; None for what `all` stands for and cannot run. They are all loaded before any looks at an
    image: what cannot run says so at once. Raises RuntimeError for what was asked for by name."""
    from ..predict import Predictor
    options = dict(min_size=args.min_size, max_size=args.max_size, threads=args.threads)
    precisions, devices = (all_of if asked == ["all"] else asked
                           for asked, all_of in ((args.precision, PRECISIONS), (args.device, DEVICES)))
    several, lenient = len(precisions) * len(devices) > 1, "all" in args.precision + args.device
    models: Dict[str, Any] = {}
    for device in devices:
        for precision in precisions:
            name = "%s %s" % (precision, device) if several else "model"
            try:
                models[name] = Predictor(args.model, device=device, precision=precision, **options)
            except RuntimeError as e:
                if not lenient:
                    raise
                models[name] = None
                print("%s: not available: %s" % (name, e), file=sys.stderr)
    if not any(models.values()):
        raise RuntimeError("%s: runs on none of these devices in none of these precisions" % args.model)
    return models


def _reference(args, models) -> Optional[str]:
    """Adds the reference to the models and returns its name."""
    from ..predict import Predictor
    from .columns import detectron2_model, pytorch_model, torchvision_model
    first = next(m for m in models.values() if m is not None)
    if args.reference:
        models["reference"] = Predictor(args.reference, min_size=args.min_size, max_size=args.max_size, threads=args.threads)
        return "reference"
    if args.pytorch:
        models["PyTorch"] = pytorch_model(args.pytorch, args.pytorch_weights or args.model, first.mapper)
        return "PyTorch"
    if args.torchvision:
        if not args.pytorch_weights:
            raise RuntimeError("--torchvision: expected --pytorch-weights FILE")
        models["torchvision"] = torchvision_model(args.torchvision, args.pytorch_weights, first)
        return "torchvision"
    if args.detectron2:
        if not args.config_file:
            raise RuntimeError("--detectron2: expected --config-file YAML")
        models["detectron2"] = detectron2_model(args.config_file, args.opts)
        return "detectron2"
    return None


def run(args) -> int:
    """Prints a table; returns the exit status. Raises RuntimeError for what cannot be read or run."""
    if not (args.annotations or args.sem_seg_root or args.panoptic_json):
        raise RuntimeError("expected --annotations, --sem-seg-root or --panoptic-json to compare with")
    if not args.detectron2 and (args.opts or args.config_file):
        raise RuntimeError("'%s': only --detectron2 takes a configuration" % (args.config_file or args.opts[0]))
    if args.pytorch_weights and not (args.pytorch or args.torchvision):
        raise RuntimeError("--pytorch-weights: only --pytorch and --torchvision take weights")
    if not args.tolerance >= 0:
        raise RuntimeError("--tolerance: expected 0 or more, got %s" % args.tolerance)
    from .data_set import DataSet, evaluate
    data = DataSet(args.images, args.annotations, sem_seg_root=args.sem_seg_root, ignore_label=args.ignore_label,
                   panoptic_json=args.panoptic_json, panoptic_root=args.panoptic_root, keypoint_sigmas=args.keypoint_sigmas)
    models = _columns(args)
    reference = _reference(args, models)
    found = evaluate({name: model for name, model in models.items() if model is not None}, data)
    results = {name: found.get(name) for name in models}
    if not any(found.values()):
        raise RuntimeError("%s: no annotations of what the model finds" % (args.annotations or args.panoptic_json))
    reference = reference or table.first_column(results)
    print(table.render(results, reference))
    wrong = list(table.too_far(results, reference, args.tolerance)) if reference else []
    for line in wrong:
        print("caffe2rt: error: " + line, file=sys.stderr)
    return 1 if wrong else 0


def _list(text: str) -> List[str]:
    names = list(dict.fromkeys(part.strip() for part in text.split(",")))
    if not all(names) or "all" in names and len(names) > 1:
        raise argparse.ArgumentTypeError("expected names with commas between them, or all, got '%s'" % text)
    return names


def _numbers(text: str) -> List[float]:
    numbers = [float(part) for part in text.split(",")]
    if not all(n > 0 for n in numbers):
        raise argparse.ArgumentTypeError("expected numbers above 0, got '%s'" % text)
    return numbers


def add_arguments(p: argparse.ArgumentParser) -> None:
    p.add_argument("--images", required=True, metavar="DIR", help="where the images lie")
    p.add_argument("--annotations", metavar="JSON", help="COCO's annotations of them: average precision of boxes, masks and keypoints")
    p.add_argument("--keypoint-sigmas", type=_numbers, metavar="NUMBERS", help="of each keypoint, with commas between them, by which its distance "
                   "counts; default: those of COCO's 17 of a person")
    p.add_argument("--sem-seg-root", metavar="DIR", help="PNGs of class ids by the images' names: mIoU")
    p.add_argument("--ignore-label", type=int, default=255, metavar="ID", help="of pixels there that do not count; default: %(default)s")
    p.add_argument("--panoptic-json", metavar="JSON", help="COCO's panoptic annotations: PQ, SQ and RQ")
    p.add_argument("--panoptic-root", metavar="DIR", help="where their PNGs lie; default: the JSON's name without .json")
    p.add_argument("--device", type=_list, default=["cpu"], metavar="NAMES", help="such as cpu,cuda: a column each; all: those that there are")
    p.add_argument("--precision", type=_list, default=["fp32"], metavar="NAMES", help="such as fp32,bf16,int8: a column each; all: those that there are")
    reference = p.add_mutually_exclusive_group()
    reference.add_argument("--reference", metavar="DIR", help="another converted model to compare with; default: the first column")
    reference.add_argument("--pytorch", metavar="MODULE:FUNCTION", help="a PyTorch model to compare with: what FUNCTION(weights) returns is called as "
                           "detectron2's models are; MODULE may be a file")
    reference.add_argument("--torchvision", metavar="NAME", help="compare with torchvision's own model of this name, of --pytorch-weights")
    reference.add_argument("--detectron2", action="store_true", help="compare with detectron2's own model, of --config-file and KEY VALUE pairs")
    p.add_argument("--pytorch-weights", metavar="PATH", help="what FUNCTION is given, default: the folder of --model; or the state_dict "
                   "of --torchvision")
    p.add_argument("--config-file", metavar="YAML", help="detectron2's configuration")
    p.add_argument("--tolerance", type=float, default=0.1, metavar="PERCENT",
                   help="exit status 1 where an AP, mIoU or PQ differs by more from the reference's; default: %(default)s")
    p.add_argument("opts", nargs=argparse.REMAINDER, metavar="KEY VALUE", help="changes of --config-file, such as MODEL.WEIGHTS model_final.pkl")
