"""Average precision of a model on a data set in COCO's format: boxes, masks and keypoints, by pycocotools.

Source: detectron2/evaluation/coco_evaluation.py says how predictions become COCO's results.
"""
from __future__ import annotations

import json
import pathlib
from typing import Any, Dict, List, Optional, Sequence

import numpy as np
from PIL import Image
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from tqdm import tqdm

from .predict import Predictor
from .structures import Instances

# What COCOeval.stats holds, in its order.
_METRICS = {"bbox": ("AP", "AP50", "AP75", "APs", "APm", "APl"), "segm": ("AP", "AP50", "AP75", "APs", "APm", "APl"),
            "keypoints": ("AP", "AP50", "AP75", "APm", "APl")}


def load_annotations(file) -> COCO:
    """A COCO JSON. Raises RuntimeError that names the file."""
    try:
        data = json.loads(pathlib.Path(file).read_text())
    except (OSError, ValueError) as e:
        raise RuntimeError("%s: expected COCO annotations: %s" % (file, e)) from None
    missing = [k for k in ("images", "annotations", "categories") if not isinstance(data, dict) or k not in data]
    if missing:
        raise RuntimeError("%s: expected COCO annotations, got none of: %s" % (file, ", ".join(missing)))
    coco = COCO()
    coco.dataset = data
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


def predict_all(predictor: Predictor, coco: COCO, images) -> List[Dict[str, Any]]:
    """Results of every image of the annotations, whose files lie in the folder `images`. Raises RuntimeError for one that does not."""
    categories, results = categories_of(coco, predictor.labels), []
    for image_id in tqdm(sorted(coco.getImgIds()), unit="image", disable=None):
        file = pathlib.Path(images) / coco.imgs[image_id]["file_name"]
        try:
            picture = Image.open(file).convert("RGB")
        except OSError as e:
            raise RuntimeError("%s: cannot be read as an image: %s" % (file, e)) from None
        found = predictor(picture)
        if "instances" not in found:
            raise RuntimeError("the model finds no objects: there is no average precision of it")
        results += to_results(found["instances"], image_id, categories)
    return results


def average_precision(coco: COCO, results: List[Dict[str, Any]], kind: str) -> Dict[str, float]:
    """COCO's metrics of one kind (bbox, segm, keypoints), in percent; not a number where there is nothing to find."""
    if not results:
        return dict.fromkeys(_METRICS[kind], 0.0)
    if kind == "segm":  # the area by which objects are small or large is then that of the mask
        results = [{k: v for k, v in r.items() if k != "bbox"} for r in results]
    judge = COCOeval(coco, coco.loadRes(results), kind)
    judge.evaluate()
    judge.accumulate()
    judge.summarize()
    stats = [100 * v if v >= 0 else float("nan") for v in judge.stats]
    return dict(zip(_METRICS[kind], stats))


def evaluate(folder, images, annotations, *, kinds: Optional[Sequence[str]] = None, **options: Any) -> Dict[str, Dict[str, float]]:
    """{kind: {metric: percent}} of the model in a folder. kinds: default all that model and annotations have. options: of Predictor."""
    import contextlib
    import io
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools tells all it does
        coco = load_annotations(annotations)
        predictor = Predictor(folder, **options)
        results = predict_all(predictor, coco, images)
        if kinds is None:
            annotated = next(iter(coco.anns.values()), {})
            having = {"bbox": "bbox", "segm": "segmentation", "keypoints": "keypoints"}
            kinds = [k for k, key in having.items() if key in annotated and (not results or key in results[0])]
        return {kind: average_precision(coco, results, kind) for kind in kinds}
