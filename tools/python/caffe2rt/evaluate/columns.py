"""What can be judged: converted models, detectron2's own, and any other that has detectron2's interface."""
from __future__ import annotations

import importlib
import importlib.util
import pathlib
import sys
from typing import Any, Callable, Sequence

import numpy as np

from ..convert.checkpoint import read_checkpoint
from ..convert.errors import ConvertError
from ..convert.torchvision_models import config_of, norm_eps_of
from ..interop import to_light
from ..predict import PictureMapper
from ..structures import Boxes, Instances


def pytorch_model(name: str, weights: str, mapper: PictureMapper):
    """A model by MODULE:FUNCTION, where MODULE is one that Python finds or a file: FUNCTION(weights) returns a callable that takes a list of
    dicts of `image` ((3,H,W) uint8 tensor in the model's channel order), `height` and `width`, and returns a list of dicts.

    Raises RuntimeError for what cannot be imported and what is no such function."""
    module_name, _, function_name = name.rpartition(":")
    if not module_name or not function_name:
        raise RuntimeError("--pytorch: expected MODULE:FUNCTION, got '%s'" % name)
    module = _import(module_name)
    function = getattr(module, function_name, None)
    if not callable(function):
        raise RuntimeError("--pytorch: '%s' has no function '%s'" % (module_name, function_name))
    import torch
    model = function(weights)
    if not callable(model):
        raise RuntimeError("--pytorch: '%s' returned %s, expected a model that is called" % (name, type(model).__name__))

    def predict(picture):
        inputs = mapper(picture)
        with torch.no_grad():
            outputs = model([{**inputs, "image": torch.from_numpy(inputs["image"])}])
        if len(outputs) != 1:
            raise RuntimeError("--pytorch: expected one dict for one image, got %d" % len(outputs))
        return to_light(outputs[0])
    return predict


def _import(name: str) -> Any:
    if name.endswith(".py"):  # a file of a package is imported as such, so that it finds its neighbours
        path = pathlib.Path(name).resolve()
        if not path.is_file():
            raise RuntimeError("--pytorch: %s: no such file" % name)
        parts, folder = [path.stem], path.parent
        while (folder / "__init__.py").exists():
            parts, folder = [folder.name, *parts], folder.parent
        name, place = ".".join(parts), str(folder)
    else:
        place = ""  # the folder that the user is in
    sys.path.insert(0, place)
    try:
        return importlib.import_module(name)
    except ImportError as e:
        raise RuntimeError("--pytorch: %s: %s" % (name, e)) from None
    finally:
        sys.path.remove(place)


def torchvision_model(name: str, weights: str, like) -> Callable:
    """torchvision's own model of a name that the converter knows, with a state_dict. like: the Predictor of the converted model, whose sizes
    of input and names of classes it gets. Raises RuntimeError where torchvision is not installed, or the weights are not its."""
    try:
        import torch
        from torchvision.models import detection
        from torchvision.models.detection._utils import overwrite_eps
    except ImportError as e:
        raise RuntimeError("--torchvision: torchvision is not installed: %s" % e) from None
    try:
        parameters = read_checkpoint(weights)
        cfg = config_of(name, parameters)
    except ConvertError as e:
        raise RuntimeError(str(e)) from None
    retinanet, keypoints = cfg.MODEL.META_ARCHITECTURE == "RetinaNet", cfg.MODEL.KEYPOINT_ON
    first = 0 if retinanet else 1  # an R-CNN of torchvision's counts the background
    sizes = dict(min_size=like.mapper.min_size, max_size=like.mapper.max_size)
    counts = dict(num_classes=cfg.MODEL.RETINANET.NUM_CLASSES if retinanet else cfg.MODEL.ROI_HEADS.NUM_CLASSES + 1,
                  **dict(num_keypoints=cfg.MODEL.ROI_KEYPOINT_HEAD.NUM_KEYPOINTS) if keypoints else {})
    model = getattr(detection, name)(weights=None, weights_backbone=None, **sizes, **counts)
    try:
        model.load_state_dict({k: torch.from_numpy(np.array(v)) for k, v in parameters.items()})
    except RuntimeError as e:
        raise RuntimeError("--torchvision: %s: %s" % (weights, " ".join(str(e).split()))) from None
    if norm_eps_of(weights) == 0:
        overwrite_eps(model, 0.0)
    model.eval()

    def predict(picture):
        image = torch.from_numpy(np.asarray(picture.convert("RGB")).transpose(2, 0, 1).copy()).float() / 255
        with torch.no_grad():
            found = {k: v.numpy() for k, v in model([image])[0].items()}
        instances = Instances((picture.height, picture.width), pred_boxes=Boxes(found["boxes"]), scores=found["scores"],
                              pred_classes=found["labels"] - first)
        if "masks" in found:
            instances.set("pred_masks", found["masks"][:, 0] >= 0.5)
        if "keypoints" in found:
            instances.set("pred_keypoints", found["keypoints"])
        return {"instances": instances}
    predict.labels = like.labels
    return predict


def detectron2_model(config_file: str, opts: Sequence[str]) -> Callable:
    """detectron2's own model of a configuration and KEY VALUE pairs, by its DefaultPredictor, which takes BGR. Raises RuntimeError where
    detectron2 is not installed."""
    try:
        import torch
        from detectron2.config import get_cfg
        from detectron2.engine import DefaultPredictor
    except ImportError as e:
        raise RuntimeError("--detectron2: detectron2 is not installed: %s" % e) from None
    cfg = get_cfg()
    cfg.merge_from_file(config_file)
    if not torch.cuda.is_available():
        cfg.MODEL.DEVICE = "cpu"
    cfg.merge_from_list(list(opts))
    predictor = DefaultPredictor(cfg)
    return lambda picture: to_light(predictor(np.ascontiguousarray(np.asarray(picture.convert("RGB"))[:, :, ::-1])))
