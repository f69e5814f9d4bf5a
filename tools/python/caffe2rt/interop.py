"""detectron2's own structures, where detectron2 is installed, and the way back from them."""
from __future__ import annotations

import functools
from typing import Any, Dict, Optional

import numpy as np

from .structures import Boxes, Instances, RotatedBoxes


@functools.lru_cache(maxsize=None)
def detectron2_structures() -> Optional[Any]:
    """The module detectron2.structures, or None where it cannot be imported. Looks once: importing it takes seconds."""
    try:
        from detectron2 import structures
    except ImportError:
        return None
    return structures


def as_array(value: Any) -> np.ndarray:
    """A torch tensor of any device, or what numpy takes, as an array."""
    return np.asarray(value.detach().cpu() if hasattr(value, "detach") else value)


def to_light(output: Dict[str, Any]) -> Dict[str, Any]:
    """What a model of detectron2's interface returns for one image, of torch or of numpy, as this package's structures of numpy arrays.

    Raises RuntimeError for what is no such dict."""
    if not isinstance(output, dict):
        raise RuntimeError("expected a dict an image with instances, sem_seg or panoptic_seg, got %s" % type(output).__name__)
    light: Dict[str, Any] = {}
    if "instances" in output:
        found = output["instances"]
        try:
            fields = dict(found.get_fields())
            boxes = as_array(fields.pop("pred_boxes").tensor)
            size = (int(found.image_size[0]), int(found.image_size[1]))
        except (AttributeError, KeyError) as e:
            raise RuntimeError("instances: expected detectron2's Instances with pred_boxes: no %s" % e) from None
        instances = Instances(size, pred_boxes=(RotatedBoxes if boxes.shape[1] == 5 else Boxes)(boxes))
        for name, value in fields.items():
            instances.set(name, as_array(value))
        light["instances"] = instances
    if "sem_seg" in output:
        light["sem_seg"] = as_array(output["sem_seg"])
    if "panoptic_seg" in output:
        ids, segments = output["panoptic_seg"]
        light["panoptic_seg"] = as_array(ids), segments
    return light
