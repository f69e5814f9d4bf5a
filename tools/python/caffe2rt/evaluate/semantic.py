"""Intersection over union of semantic maps.

Source of the formulas: http://cocodataset.org/#stuff-eval and detectron2/evaluation/sem_seg_evaluation.py.
"""
from __future__ import annotations

import pathlib
from typing import Any, Dict, Optional

import numpy as np
from PIL import Image


def read_ids(file: pathlib.Path) -> np.ndarray:
    """(H,W) int64 of a PNG of one channel. Raises RuntimeError that names it."""
    try:
        ids = np.asarray(Image.open(file))
    except OSError as e:
        raise RuntimeError("%s: cannot be read as an image: %s" % (file, e)) from None
    if ids.ndim != 2:
        raise RuntimeError("%s: expected one channel of class ids, got %s" % (file, ids.shape))
    return ids.astype(np.int64)


class SemanticMetric:
    """Counts pixels by their class and the one that was found. The truth of IMAGE.jpg is IMAGE.png under `root`: ids of classes from 0 on;
    pixels of `ignore` count nowhere."""

    def __init__(self, root, ignore: int = 255):
        self._root, self._ignore = pathlib.Path(root), ignore
        self._counts: Optional[np.ndarray] = None  # (classes,classes) int64: found, true

    def add(self, image_id: int, file: pathlib.Path, output: Dict[str, Any]) -> None:
        """file: of the image, below the folder of images."""
        if "sem_seg" not in output:
            raise RuntimeError("the model makes no semantic maps: there is no mIoU of it")
        classes, truth_file = len(output["sem_seg"]), self._root / file.with_suffix(".png")
        found, truth = output["sem_seg"].argmax(0), read_ids(truth_file)
        if found.shape != truth.shape:
            raise RuntimeError("%s: expected %dx%d pixels, as the image has, got %dx%d" % (truth_file, *found.shape[::-1], *truth.shape[::-1]))
        seen = truth != self._ignore
        found, truth = found[seen], truth[seen]
        if truth.size and truth.max() >= classes:
            raise RuntimeError("%s: class %d: the model has %d" % (truth_file, truth.max(), classes))
        counts = np.bincount(classes * found + truth, minlength=classes * classes).reshape(classes, classes)
        self._counts = counts if self._counts is None else self._counts + counts

    def result(self) -> Dict[str, Dict[str, float]]:
        """mIoU and mACC: mean over classes that are there; fwIoU: by their pixels; pACC: share of all pixels. In percent; not a number where
        every pixel is ignored."""
        right, found, true = self._counts.diagonal(), self._counts.sum(1), self._counts.sum(0)
        there = true > 0
        if not there.any():
            return {"sem_seg": dict.fromkeys(("mIoU", "fwIoU", "mACC", "pACC"), float("nan"))}
        iou = right[there] / (true + found - right)[there]
        return {"sem_seg": {"mIoU": 100 * float(iou.mean()), "fwIoU": 100 * float((iou * true[there]).sum() / true.sum()),
                            "mACC": 100 * float((right[there] / true[there]).mean()), "pACC": 100 * float(right.sum() / true.sum())}}
