"""What can be judged: converted models, detectron2's own, and any other that has detectron2's interface."""
from __future__ import annotations

import importlib
import importlib.util
import pathlib
import sys
from typing import Any, Callable, Sequence

import numpy as np

from ..interop import to_light
from ..predict import PictureMapper


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
