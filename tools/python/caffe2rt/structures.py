"""What a model found in an image, by the attributes that detectron2's structures have; numpy arrays stand for its tensors."""
from __future__ import annotations

from typing import Any, Dict, Tuple

import numpy as np


class Boxes:
    """`tensor`: (R,4) float32 x1 y1 x2 y2, pixels of the image, the far edge outside."""

    columns = 4

    def __init__(self, tensor: np.ndarray):
        if tensor.ndim != 2 or tensor.shape[1] != self.columns:
            raise ValueError("expected (R,%d), got %s" % (self.columns, tensor.shape))
        self.tensor = tensor

    def __len__(self) -> int:
        return len(self.tensor)

    def __getitem__(self, item) -> "Boxes":
        return type(self)(self.tensor[item].reshape(-1, self.columns))

    def area(self) -> np.ndarray:
        """(R) float32, square pixels."""
        return (self.tensor[:, 2] - self.tensor[:, 0]) * (self.tensor[:, 3] - self.tensor[:, 1])

    def __repr__(self) -> str:
        return "%s(%r)" % (type(self).__name__, self.tensor)


class RotatedBoxes(Boxes):
    """`tensor`: (R,5) float32 cx cy width height, pixels; degrees counter-clockwise as the viewer sees it."""

    columns = 5

    def area(self) -> np.ndarray:
        return self.tensor[:, 2] * self.tensor[:, 3]


class Instances:
    """Fields of the same length, one row an object: pred_boxes, scores (R), pred_classes (R) int64, and where the model has them
    pred_masks (R,H,W) bool, pred_keypoints (R,K,3) x y score. `image_size`: height and width."""

    def __init__(self, image_size: Tuple[int, int], **fields: Any):
        self.image_size = image_size
        self._fields: Dict[str, Any] = {}
        for name, value in fields.items():
            self.set(name, value)

    def set(self, name: str, value: Any) -> None:
        if self._fields and len(value) != len(self):
            raise ValueError("field '%s': expected %d rows, got %d" % (name, len(self), len(value)))
        self._fields[name] = value

    def has(self, name: str) -> bool:
        return name in self._fields

    def get(self, name: str) -> Any:
        return self._fields[name]

    def get_fields(self) -> Dict[str, Any]:
        return dict(self._fields)

    def __getattr__(self, name: str) -> Any:
        fields = self.__dict__.get("_fields", {})
        if name in fields:
            return fields[name]
        raise AttributeError("no field '%s'; there are %s" % (name, ", ".join(fields)))

    def __len__(self) -> int:
        return len(next(iter(self._fields.values()))) if self._fields else 0

    def __getitem__(self, item) -> "Instances":
        if isinstance(item, (int, np.integer)):
            if not -len(self) <= item < len(self):
                raise IndexError("object %d of %d" % (item, len(self)))  # which ends a loop, too
            item = slice(item, item + 1 or None)
        return Instances(self.image_size, **{name: value[item] for name, value in self._fields.items()})

    def __repr__(self) -> str:
        return "Instances(%d objects in %dx%d: %s)" % (len(self), *self.image_size, ", ".join(self._fields))
