"""Class names of the data sets that detectron2's configurations name, in the order of its classes.

LVIS's names, by the order of their category ids, lie in files beside this one. Those of v1 agree in mmdet 3.3 and tensorflow-datasets 4.9
(but for a misspelt "stero"); those of v0.5 are as mmdet has them.
"""
import json
import pathlib

from .errors import ConvertError

_COCO = """person, bicycle, car, motorcycle, airplane, bus, train, truck, boat, traffic light, fire hydrant, stop sign, parking
meter, bench, bird, cat, dog, horse, sheep, cow, elephant, bear, zebra, giraffe, backpack, umbrella, handbag, tie,
suitcase, frisbee, skis, snowboard, sports ball, kite, baseball bat, baseball glove, skateboard, surfboard, tennis
racket, bottle, wine glass, cup, fork, knife, spoon, bowl, banana, apple, sandwich, orange, broccoli, carrot, hot dog,
pizza, donut, cake, chair, couch, potted plant, bed, dining table, toilet, tv, laptop, mouse, remote, keyboard, cell
phone, microwave, oven, toaster, sink, refrigerator, book, clock, vase, scissors, teddy bear, hair drier, toothbrush"""
_CITYSCAPES = "person, rider, car, truck, bus, train, motorcycle, bicycle"
_VOC = """aeroplane, bicycle, bird, boat, bottle, bus, car, cat, chair, cow, diningtable, dog, horse, motorbike, person, pottedplant, sheep, sofa,
train, tvmonitor"""


def _names(text):
    return [name.strip() for name in text.replace("\n", " ").split(",")]


def _read(file):
    return pathlib.Path(__file__).with_name(file).read_text(encoding="utf-8").splitlines()


# Where COCO's ids, 1 to 90, have no class: torchvision's networks count these too, as others count the background.
_GAPS = (12, 26, 29, 30, 45, 66, 68, 69, 71, 83)


def _with_gaps(names):
    rest = iter(names)
    return ["N/A" if id in _GAPS else next(rest) for id in range(1, 91)]


_BY_PREFIX = (("torchvision_coco", lambda: _with_gaps(_names(_COCO))), ("keypoints_coco", lambda: ["person"]), ("coco", lambda: _names(_COCO)),
              ("cityscapes", lambda: _names(_CITYSCAPES)), ("voc", lambda: _names(_VOC)), ("lvis_v0.5", lambda: _read("lvis_v0.5.txt")),
              ("lvis_v1", lambda: _read("lvis_v1.txt")))


def _count(cfg):
    """Classes of the objects that a model finds; none of models that find regions or stuff."""
    counts = {"GeneralizedRCNN": cfg.MODEL.ROI_HEADS.NUM_CLASSES, "PanopticFPN": cfg.MODEL.ROI_HEADS.NUM_CLASSES,
              "RetinaNet": cfg.MODEL.RETINANET.NUM_CLASSES}
    return counts.get(cfg.MODEL.META_ARCHITECTURE)


def class_names(cfg):
    """Names of a model's classes from 0 on by DATASETS.TEST, or TRAIN where that is empty; None where they are not known.

    torchvision's RetinaNet has its background, which nothing is, as class 0."""
    count = _count(cfg)
    for data_set in list(cfg.DATASETS.TEST) + list(cfg.DATASETS.TRAIN or ()):
        for prefix, names_of in _BY_PREFIX:
            if data_set.startswith(prefix):
                names = names_of()
                if prefix == "torchvision_coco" and cfg.MODEL.META_ARCHITECTURE == "RetinaNet":
                    names = ["__background__"] + names
                return names if len(names) == count else None
    return None


def read_names(file, cfg):
    """Names from a file: one a line, or the categories of a COCO JSON in the order of their ids. Raises ConvertError: unreadable, too few."""
    path = pathlib.Path(file)
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".json":
            categories = sorted(json.loads(text)["categories"], key=lambda c: c["id"])
            names = [str(c["name"]) for c in categories]
        else:
            names = text.rstrip("\n").split("\n")
    except OSError as e:
        raise ConvertError("--labels %s: %s" % (file, e.strerror)) from None
    except (ValueError, KeyError, TypeError) as e:
        raise ConvertError("--labels %s: expected one name a line in UTF-8, or a COCO JSON with categories: %s: %s"
                           % (file, type(e).__name__, e)) from None
    count = _count(cfg)
    if count is not None and len(names) != count:
        raise ConvertError("--labels %s: expected %d names, got %d" % (file, count, len(names)))
    return names
