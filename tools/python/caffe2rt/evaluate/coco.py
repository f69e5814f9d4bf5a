"""Average precision of boxes, masks and keypoints, by pycocotools.

Source: detectron2/evaluation/coco_evaluation.py says how predictions become COCO's results.
"""
from __future__ import annotations

import contextlib
import io
import json
import pathlib
from typing import Any, Dict, List, Optional, Sequence, Set

import numpy as np
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from ..structures import Instances

# What COCOeval.stats holds, in its order.
_METRICS = {"bbox": ("AP", "AP50", "AP75", "APs", "APm", "APl"), "segm": ("AP", "AP50", "AP75", "APs", "APm", "APl"),
            "keypoints": ("AP", "AP50", "AP75", "APm", "APl")}
# The field of Instances and the key of an annotation that each kind is about.
_FIELDS = {"bbox": ("pred_boxes", "bbox"), "segm": ("pred_masks", "segmentation"), "keypoints": ("pred_keypoints", "keypoints")}


def load_json(file, keys: Sequence[str], what: str) -> Dict[str, Any]:
    """A JSON object that has these keys. Raises RuntimeError that names the file."""
    try:
        data = json.loads(pathlib.Path(file).read_text())
    except (OSError, ValueError) as e:
        raise RuntimeError("%s: expected %s: %s" % (file, what, e)) from None
    missing = [k for k in keys if not isinstance(data, dict) or k not in data]
    if missing:
        raise RuntimeError("%s: expected %s, got none of: %s" % (file, what, ", ".join(missing)))
    return data


def load_annotations(file) -> COCO:
    """A COCO JSON. Raises RuntimeError that names the file."""
    return _index(load_json(file, ("images", "annotations", "categories"), "COCO annotations"))


def _index(dataset: Dict[str, Any]) -> COCO:
    coco = COCO()
    coco.dataset = dataset
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools tells all it does
        coco.createIndex()
    return coco


def categories_of(coco: COCO, labels: Sequence[str]) -> List[Optional[int]]:
    """The category of each class: in the order of their ids; or by name, where a model names more classes than there are categories, as
    torchvision's do. None: of none."""
    ids = sorted(coco.getCatIds())
    by_name = {coco.cats[i].get("name"): i for i in ids}
    names = [label.strip() for label in labels if label.strip()]
    if len(names) <= len(ids) or not set(by_name) <= set(names):
        return list(ids)
    return [by_name.get(name) for name in names]


def to_results(instances: Instances, image_id: int, categories: Sequence[Optional[int]]) -> List[Dict[str, Any]]:
    """COCO's results of one image. categories: the id of each class; objects of those without one are left out."""
    results = []
    if instances.pred_boxes.tensor.shape[1] != 4:
        raise RuntimeError("expected upright boxes: COCO has no others")
    for i in range(len(instances)):
        class_id = int(instances.pred_classes[i])
        if class_id >= len(categories):
            raise RuntimeError("class %d: the annotations have %d categories" % (class_id, len(categories)))
        if categories[class_id] is None:
            continue
        x1, y1, x2, y2 = instances.pred_boxes.tensor[i].tolist()
        result = {"image_id": image_id, "category_id": categories[class_id], "bbox": [x1, y1, x2 - x1, y2 - y1], "score": float(instances.scores[i])}
        if instances.has("pred_masks"):
            result["segmentation"] = coco_mask.encode(np.asfortranarray(instances.pred_masks[i].astype(np.uint8)))
        if instances.has("pred_keypoints"):
            keypoints = instances.pred_keypoints[i].astype(float)
            keypoints[:, :2] -= 0.5  # COCO counts pixels by their index, detectors by their edges
            result["keypoints"] = keypoints.ravel().tolist()
        results.append(result)
    return results


def average_precision(coco: COCO, results: List[Dict[str, Any]], kind: str) -> Dict[str, float]:
    """COCO's metrics of one kind (bbox, segm, keypoints), in percent; not a number where there is nothing to find."""
    if kind == "segm":  # the area by which objects are small or large is then that of the mask
        results = [{k: v for k, v in r.items() if k != "bbox"} for r in results]
    with contextlib.redirect_stdout(io.StringIO()):
        found = coco.loadRes(results) if results else _index({k: [] if k == "annotations" else v for k, v in coco.dataset.items()})
        judge = COCOeval(coco, found, kind)
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    stats = [100 * v if v >= 0 else float("nan") for v in judge.stats]
    return dict(zip(_METRICS[kind], stats))


class CocoMetric:
    """Gathers what was found in every image; then the average precision of each kind that both model and annotations have."""

    def __init__(self, coco: COCO, labels: Sequence[str] = ()):
        self._coco, self._categories = coco, categories_of(coco, labels)
        self._results: List[Dict[str, Any]] = []
        self._fields: Set[str] = set()

    def add(self, image_id: int, file: pathlib.Path, output: Dict[str, Any]) -> None:
        if "instances" not in output:
            raise RuntimeError("the model finds no objects: there is no average precision of it")
        self._fields.update(output["instances"].get_fields())
        self._results += to_results(output["instances"], image_id, self._categories)

    def result(self) -> Dict[str, Dict[str, float]]:
        """{kind: {metric: percent}}"""
        annotated = set().union(*self._coco.anns.values())
        kinds = [kind for kind, (field, key) in _FIELDS.items() if field in self._fields and key in annotated]
        return {kind: average_precision(self._coco, self._results, kind) for kind in kinds}
