"""Parts of models that are the user's own: backbones (with their necks) and heads, registered as detectron2's registries have it.

    from caffe2rt.parts import BACKBONE_REGISTRY, ShapeSpec

    @BACKBONE_REGISTRY.register()
    class MyBackbone(torch.nn.Module):
        def __init__(self, cfg, input_shape):     # input_shape: ShapeSpec(channels=3)
            ...
        def forward(self, image):                 # (N,3,H,W), normalised; H and W multiples of size_divisibility, default 32
            return {"p3": ..., "p4": ...}

A file of such parts is named to the converter by --import; MODEL.BACKBONE.NAME and its like then choose them. A function add_config(cfg)
in it adds keys of its own to the configuration: cfg.MODEL.MINE = {"WIDTH": 8}. What each registry holds:

    BACKBONE_REGISTRY           (cfg, ShapeSpec): image (N,3,H,W) -> {name: (N,C,H/stride,W/stride)}
    RPN_HEAD_REGISTRY           (cfg, [ShapeSpec]): [feature] -> ([logits (N,A,h,w)], [deltas (N,4A,h,w)])
    ROI_BOX_HEAD_REGISTRY       (cfg, ShapeSpec): regions (R,C,S,S) -> (R,F)
    ROI_MASK_HEAD_REGISTRY      (cfg, ShapeSpec): regions (R,C,S,S) -> logits (R,classes or 1,M,M)
    ROI_KEYPOINT_HEAD_REGISTRY  (cfg, ShapeSpec): regions (R,C,S,S) -> heat maps (R,K,M,M)
    SEM_SEG_HEADS_REGISTRY      (cfg, {name: ShapeSpec}): {name: feature} -> logits (N,classes,H/COMMON_STRIDE,W/COMMON_STRIDE)

Heads that have a method layers(), as detectron2's have, are captured there, else in forward(). Where detectron2 is loaded, its own
registries are looked into as well. Source: detectron2/utils/registry.py, detectron2/layers/shape_spec.py.
"""
from __future__ import annotations

import importlib.util
import pathlib
import sys
from typing import Any, Callable, Dict, NamedTuple, Optional

from .convert.errors import ConvertError


class ShapeSpec(NamedTuple):
    """What is known of a feature before it is computed."""
    channels: Optional[int] = None
    height: Optional[int] = None
    width: Optional[int] = None
    stride: Optional[int] = None


class Registry:
    """Parts by name. `name` is that of the same registry in detectron2.modeling, without _REGISTRY."""

    def __init__(self, name: str):
        self.name = name
        self._parts: Dict[str, Callable] = {}

    def register(self, part: Optional[Callable] = None):
        """Adds a class or function under its own name; as a decorator or called with it. Raises ConvertError where the name is taken."""
        if part is None:
            return self.register
        if self._parts.setdefault(part.__name__, part) is not part:
            raise ConvertError("%s: there is a part '%s' already" % (self.name, part.__name__))
        return part

    def get(self, name: str) -> Optional[Callable]:
        """The part of that name; None where there is none."""
        if name in self._parts:
            return self._parts[name]
        theirs = getattr(sys.modules.get("detectron2.modeling"), self.name + "_REGISTRY", None)
        return theirs.get(name) if theirs is not None and name in theirs else None

    def names(self):
        return sorted(self._parts)


BACKBONE_REGISTRY = Registry("BACKBONE")
RPN_HEAD_REGISTRY = Registry("RPN_HEAD")
ROI_BOX_HEAD_REGISTRY = Registry("ROI_BOX_HEAD")
ROI_MASK_HEAD_REGISTRY = Registry("ROI_MASK_HEAD")
ROI_KEYPOINT_HEAD_REGISTRY = Registry("ROI_KEYPOINT_HEAD")
SEM_SEG_HEADS_REGISTRY = Registry("SEM_SEG_HEADS")


def import_parts(file: str) -> Any:
    """Runs a Python file that registers parts. Raises ConvertError that names file and line."""
    path = pathlib.Path(file)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or not path.is_file():
        raise ConvertError("--import: expected a Python file, got %s" % file)
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault(path.stem, module)
    try:
        spec.loader.exec_module(module)
    except Exception as e:  # the user's own code: whatever is wrong with it
        import traceback
        where = [f for f in traceback.extract_tb(e.__traceback__) if f.filename == str(path)]
        raise ConvertError("--import %s%s: %s: %s" % (file, ":%d" % where[-1].lineno if where else "", type(e).__name__, e)) from e
    return module
