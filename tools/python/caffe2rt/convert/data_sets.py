"""Where detectron2's built-in data sets in COCO's format lie: under DETECTRON2_DATASETS, or ./datasets.

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
    "keypoints_coco_2017_val_100": ("coco/val2017", "coco/annotations/person_keypoints_val2017_100.json"),
}


def find_data_set(name):
    """Folder of images and file of annotations. Raises ConvertError for names that are not known and files that are not there."""
    if name not in _COCO:
        raise ConvertError("DATASETS.TEST: expected one of %s, got %s" % (", ".join(sorted(_COCO)), name))
    root = pathlib.Path(os.environ.get("DETECTRON2_DATASETS", "datasets"))
    images, annotations = (root / part for part in _COCO[name])
    for path in (images, annotations):
        if not path.exists():
            raise ConvertError("%s: no such file; DETECTRON2_DATASETS names the folder that data sets lie in" % path)
    return images, annotations
