"""Panoptic quality of maps in COCO's panoptic format.

Source of the formulas: Kirillov et al., Panoptic Segmentation, https://arxiv.org/abs/1801.00868, section 4.
"""
from __future__ import annotations

import dataclasses
import pathlib
from typing import Any, Dict, Iterable, List

import numpy as np
from PIL import Image

from .coco import load_json, require_images, require_keys

VOID = 0


@dataclasses.dataclass
class Tally:
    """Of one category: the sum of the IoU of matches, and how many matches, unmatched found and unmatched true segments there are."""
    iou: float = 0.0
    matched: int = 0
    false: int = 0
    missed: int = 0


def match(truth: np.ndarray, true_segments: List[Dict[str, Any]], found: np.ndarray, found_segments: List[Dict[str, Any]],
          tallies: Dict[int, Tally]) -> None:
    """Adds one image. truth, found: (H,W) ids of segments, 0 for none; segments: dicts of id, category_id, and of true ones iscrowd.

    A found and a true segment of one category match where their IoU, pixels of no true segment left out, is over 0.5: no segment can
    match two. A found segment that lies by more than half on no segment or on crowds of its category counts nowhere, and nothing is missed
    of a crowd.
    """
    true = {s["id"]: s for s in true_segments}
    seen = {s["id"]: s for s in found_segments}
    pairs, overlaps = np.unique((truth.astype(np.int64) << 32) + found, return_counts=True)
    shared = {(int(pair) >> 32, int(pair) & 0xffffffff): int(n) for pair, n in zip(pairs, overlaps)}
    true_area = {i: 0 for i in true}
    found_area = {i: 0 for i in seen}
    for (t, f), n in shared.items():
        if t in true:
            true_area[t] += n
        if f in seen:
            found_area[f] += n
    done = set()
    for (t, f), n in shared.items():
        if t not in true or f not in seen or true[t].get("iscrowd") or true[t]["category_id"] != seen[f]["category_id"]:
            continue
        iou = n / (true_area[t] + found_area[f] - n - shared.get((VOID, f), 0))
        if iou > 0.5:
            tally = tallies[true[t]["category_id"]]
            tally.iou, tally.matched = tally.iou + iou, tally.matched + 1
            done |= {("true", t), ("found", f)}
    crowds: Dict[int, List[int]] = {}
    for t, segment in true.items():
        if segment.get("iscrowd"):
            crowds.setdefault(segment["category_id"], []).append(t)
        elif ("true", t) not in done:
            tallies[segment["category_id"]].missed += 1
    for f, segment in seen.items():
        nowhere = sum(shared.get((t, f), 0) for t in [VOID] + crowds.get(segment["category_id"], []))
        if ("found", f) not in done and not nowhere > found_area[f] / 2:
            tallies[segment["category_id"]].false += 1


def quality(tallies: Iterable[Tally]) -> Dict[str, float]:
    """PQ, SQ and RQ in percent: means over the categories of which there was something; not a number where there was nothing."""
    rows = []
    for t in tallies:
        weight = t.matched + t.false / 2 + t.missed / 2
        if weight:
            rows.append((t.iou / weight, t.iou / t.matched if t.matched else 0.0, t.matched / weight))
    means = np.mean(rows, 0) if rows else [np.nan] * 3
    return {name: 100 * float(v) for name, v in zip(("PQ", "SQ", "RQ"), means)}


class PanopticMetric:
    """Against a panoptic JSON and its PNGs, whose pixels' ids are R + 256 G + 65536 B.

    A model's classes of things stand for the things' categories by the order of their ids, and so do those of stuff, from 1 on: class 0 of a
    semantic head is all things.
    """

    def __init__(self, data: Dict[str, Any], root):
        """data: the JSON, of load_panoptic."""
        self._root = pathlib.Path(root)
        self._annotations = {a["image_id"]: a for a in data["annotations"]}
        ids = {bool(t): sorted(c["id"] for c in data["categories"] if bool(c["isthing"]) == t) for t in (True, False)}
        self._things, self._stuff = ids[True], ids[False]
        self._tallies = {c: Tally() for c in self._things + self._stuff}

    def _category(self, segment: Dict[str, Any]) -> int:
        kind = segment.get("isthing")
        if kind is None:
            return segment["category_id"]
        categories, i = (self._things, segment["category_id"]) if kind else (self._stuff, segment["category_id"] - 1)
        if not 0 <= i < len(categories):
            raise RuntimeError("segment of class %d: the panoptic annotations have %d categories of %s"
                               % (segment["category_id"], len(categories), "things" if kind else "stuff"))
        return categories[i]

    def _truth(self, annotation: Dict[str, Any], shape) -> np.ndarray:
        file = self._root / annotation["file_name"]
        try:
            colours = np.asarray(Image.open(file).convert("RGB")).astype(np.int64)
        except OSError as e:
            raise RuntimeError("%s: cannot be read as an image: %s" % (file, e)) from None
        if colours.shape[:2] != shape:
            raise RuntimeError("%s: expected %dx%d pixels, as the image has, got %dx%d" % (file, *shape[::-1], *colours.shape[1::-1]))
        ids = colours @ np.array([1, 256, 65536])
        unknown = set(np.unique(ids).tolist()) - {VOID} - {s["id"] for s in annotation["segments_info"]}
        if unknown:
            raise RuntimeError("%s: segment %d is not in the panoptic annotations" % (file, min(unknown)))
        return ids

    def add(self, image_id: int, file: pathlib.Path, output: Dict[str, Any]) -> None:
        if "panoptic_seg" not in output:
            raise RuntimeError("the model makes no panoptic maps: there is no PQ of it")
        if image_id not in self._annotations:
            raise RuntimeError("%s: image %s is not in the panoptic annotations" % (file, image_id))
        found, segments = output["panoptic_seg"]
        annotation = self._annotations[image_id]
        match(self._truth(annotation, found.shape), annotation["segments_info"], found, [{**s, "category_id": self._category(s)} for s in segments],
              self._tallies)

    def result(self) -> Dict[str, Dict[str, float]]:
        """{panoptic: PQ, SQ, RQ of all, then of things (_th) and of stuff (_st)}"""
        metrics = quality(self._tallies.values())
        for suffix, categories in (("_th", self._things), ("_st", self._stuff)):
            metrics.update({name + suffix: v for name, v in quality(self._tallies[c] for c in categories).items()})
        return {"panoptic": metrics}


def load_panoptic(file) -> Dict[str, Any]:
    """A panoptic JSON. Raises RuntimeError that names the file, and for segments of unknown categories."""
    data = load_json(file, ("images", "annotations", "categories"), "COCO panoptic annotations")
    require_images(file, data["images"])
    require_keys(file, data["annotations"], "annotation", ("image_id", "file_name", "segments_info"))
    require_keys(file, data["categories"], "category", ("id", "isthing"))
    categories = {c["id"] for c in data["categories"]}
    for i, annotation in enumerate(data["annotations"]):
        require_keys(file, annotation["segments_info"], "annotation %d, segment" % i, ("id", "category_id"))
        for segment in annotation["segments_info"]:
            if segment["category_id"] not in categories:
                raise RuntimeError("%s: image %s: category %s is not among the categories" % (file, annotation["image_id"], segment["category_id"]))
    return data
