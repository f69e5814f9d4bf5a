"""Where detectron2's built-in data sets in COCO's formats lie: under DETECTRON2_DATASETS, or ./datasets.

Source of the names and paths: detectron2/data/datasets/builtin.py.
"""
import os
import pathlib

from .errors import ConvertError

_COCO = {
    "coco_2014_val": ("coco/val2014", "coco/annotations/instances_val2014.json"),
    "coco_2014_minival": ("coco/val2014", "coco/annotations/instances_minival2014.json"),
    "coco_2017_train": ("coco/train2017", "coco/annotations/instances_train2017.json"),
    "coco_2017_val": ("coco/val2017", "coco/annotations/instances_val2017.json"),
    "coco_2017_val_100": ("coco/val2017", "coco/annotations/instances_val2017_100.json"),
    "keypoints_coco_2017_val": ("coco/val2017", "coco/annotations/person_keypoints_val2017.json"),
    # What torchvision's models are judged on, whose classes have numbers of their own (labels.py).
    "torchvision_coco": ("coco/val2017", "coco/annotations/instances_val2017.json"),
    "keypoints_coco_torchvision": ("coco/val2017", "coco/annotations/person_keypoints_val2017.json"),
    "keypoints_coco_2017_val_100": ("coco/val2017", "coco/annotations/person_keypoints_val2017_100.json"),
}

# By the part of a name before _panoptic: PNGs and JSON of the panoptic format, and PNGs of classes of stuff.
_PANOPTIC = {
    "coco_2017_train": ("coco/panoptic_train2017", "coco/annotations/panoptic_train2017.json", "coco/panoptic_stuff_train2017"),
    "coco_2017_val": ("coco/panoptic_val2017", "coco/annotations/panoptic_val2017.json", "coco/panoptic_stuff_val2017"),
    "coco_2017_val_100": ("coco/panoptic_val2017_100", "coco/annotations/panoptic_val2017_100.json", "coco/panoptic_stuff_val2017_100"),
}


def _parts():
    """{name: {what it is: path}}, by the options of `python -m caffe2rt evaluate`."""
    parts = {name: {"images": images, "annotations": annotations} for name, (images, annotations) in _COCO.items()}
    for name, (root, annotations, stuff) in _PANOPTIC.items():
        parts[name + "_panoptic_stuffonly"] = {"images": parts[name]["images"], "sem-seg-root": stuff}
        parts[name + "_panoptic_separated"] = {**parts[name], "sem-seg-root": stuff, "panoptic-json": annotations, "panoptic-root": root}
    return parts


def find_data_set(name):
    """{option of `python -m caffe2rt evaluate`: path}. A name that detectron2 does not know is a folder with images/ and instances.json.
    Raises ConvertError for names that are neither and files that are not there."""
    known = _parts()
    root = pathlib.Path(os.environ.get("DETECTRON2_DATASETS", "datasets"))
    if name not in known and not (root / name / "instances.json").exists():
        raise ConvertError("DATASETS.TEST: expected one of %s, or a folder of %s with images and instances.json, got %s"
                           % (", ".join(sorted(known)), root, name))
    own = {"images": name + "/images", "annotations": name + "/instances.json"}
    paths = {option: root / part for option, part in known.get(name, own).items()}
    for path in paths.values():
        if not path.exists():
            raise ConvertError("%s: no such file; DETECTRON2_DATASETS names the folder that data sets lie in" % path)
    return paths
