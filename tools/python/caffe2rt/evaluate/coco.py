"""Average precision of boxes, masks and keypoints, by pycocotools.

Source: detectron2/evaluation/coco_evaluation.py says how predictions become COCO's results.
"""
from __future__ import annotations

import contextlib
import io
import json
import pathlib
import sys
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


def require_keys(file, entries: Any, what: str, keys: Sequence[str]) -> None:
    """Raises RuntimeError that names the file where one of a list's entries has not all keys."""
    for i, entry in enumerate(entries if isinstance(entries, list) else [entries]):
        missing = [k for k in keys if not isinstance(entry, dict) or k not in entry]
        if missing:
            raise RuntimeError("%s: %s %d: expected %s, got none of: %s" % (file, what, i, ", ".join(keys), ", ".join(missing)))


def require_images(file, images: Any) -> None:
    """Raises RuntimeError that names the file where images cannot be told apart."""
    require_keys(file, images, "image", ("id", "file_name"))
    kinds = sorted({type(image["id"]).__name__ for image in images})
    if len(kinds) > 1:
        raise RuntimeError("%s: expected ids of images of one type, got %s" % (file, " and ".join(kinds)))


def load_annotations(file) -> COCO:
    """A COCO JSON, in which no annotation need say that it is no crowd, nor its area. Raises RuntimeError that names the file."""
    data = load_json(file, ("images", "annotations", "categories"), "COCO annotations")
    require_images(file, data["images"])
    require_keys(file, data["categories"], "category", ("id",))
    require_keys(file, data["annotations"], "annotation", ("id", "image_id", "category_id", "bbox"))
    sizes = {image["id"]: image for image in data["images"]}
    data["annotations"] = [a for a in data["annotations"] if a["image_id"] in sizes]  # others are of images that were left out
    for i, annotation in enumerate(data["annotations"]):
        box = annotation["bbox"]
        if not isinstance(box, list) or len(box) != 4:
            raise RuntimeError("%s: annotation %d: expected a bbox of four numbers, got %s" % (file, i, box))
        annotation.setdefault("iscrowd", 0)
        annotation.setdefault("area", box[2] * box[3])
        if isinstance(annotation.get("segmentation"), list) and annotation["segmentation"]:  # polygons become pixels
            require_keys(file, [sizes[annotation["image_id"]]], "the image of annotation %d, image" % i, ("height", "width"))
    return _index(data)


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
    names = [label.strip() for label in labels]
    while names and not names[-1]:
        names.pop()
    if len([n for n in names if n]) <= len(ids) or not set(by_name) <= set(names):
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


def average_precision(coco: COCO, results: List[Dict[str, Any]], kind: str, sigmas: Optional[Sequence[float]] = None) -> Dict[str, float]:
    """COCO's metrics of one kind (bbox, segm, keypoints), in percent; not a number where there is nothing to find. sigmas: of keypoints, by
    which their distances count; default: COCO's, of a person's 17."""
    if kind == "segm":  # the area by which objects are small or large is then that of the mask
        results = [{k: v for k, v in r.items() if k != "bbox"} for r in results]
    with contextlib.redirect_stdout(io.StringIO()):
        found = coco.loadRes(results) if results else _index({k: [] if k == "annotations" else v for k, v in coco.dataset.items()})
        judge = COCOeval(coco, found, kind)
        if sigmas is not None:
            judge.params.kpt_oks_sigmas = np.array(sigmas)
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    stats = [100 * v if v >= 0 else float("nan") for v in judge.stats]
    return dict(zip(_METRICS[kind], stats))


class CocoMetric:
    """Gathers what was found in every image; then the average precision of each kind that both model and annotations have."""

    def __init__(self, coco: COCO, labels: Sequence[str] = (), sigmas: Optional[Sequence[float]] = None):
        self._coco, self._categories, self._sigmas = coco, categories_of(coco, labels), sigmas
        self._results: List[Dict[str, Any]] = []
        self._fields: Set[str] = set()

    def add(self, image_id: int, file: pathlib.Path, output: Dict[str, Any]) -> None:
        if "instances" not in output:
            raise RuntimeError("the model finds no objects: there is no average precision of it")
        if not self._fields:
            self._check_keypoints(output["instances"])
        self._fields.update(output["instances"].get_fields())
        self._results += to_results(output["instances"], image_id, self._categories)

    def _is_annotated(self, key: str) -> bool:
        return bool(self._coco.anns) and all(annotation.get(key) for annotation in self._coco.anns.values())

    def _check_keypoints(self, instances: Instances) -> None:
        """Each keypoint needs its sigma."""
        if not instances.has("pred_keypoints") or not self._is_annotated("keypoints"):
            return
        sigmas = 17 if self._sigmas is None else len(self._sigmas)
        counts = {len(annotation["keypoints"]) // 3 for annotation in self._coco.anns.values()} | {instances.pred_keypoints.shape[1]}
        if counts != {sigmas}:
            raise RuntimeError("keypoints: model and annotations have %s, and there are sigmas of %d (--keypoint-sigmas)"
                               % (" and ".join(map(str, sorted(counts))), sigmas))

    def result(self) -> Dict[str, Dict[str, float]]:
        """{kind: {metric: percent}}, of kinds that every annotation has."""
        kinds = [kind for kind, (field, key) in _FIELDS.items() if field in self._fields and self._is_annotated(key)]
        for kind, (field, key) in _FIELDS.items():
            lacking = sum(not annotation.get(key) for annotation in self._coco.anns.values())
            if field in self._fields and 0 < lacking < len(self._coco.anns):
                print("%s: not judged: %d of %d annotations have no %s" % (kind, lacking, len(self._coco.anns), key), file=sys.stderr)
        return {kind: average_precision(self._coco, self._results, kind, self._sigmas if kind == "keypoints" else None) for kind in kinds}
