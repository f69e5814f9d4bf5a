"""detectron2 models exported to Caffe2: run them (Caffe2Model), convert them (caffe2rt.convert, which needs no engine)."""
from .structures import Boxes, Instances, RotatedBoxes

__all__ = ["Boxes", "Caffe2Model", "Instances", "RotatedBoxes"]


def __getattr__(name):
    if name == "Caffe2Model":  # brings the engine with it
        from .model import Caffe2Model
        return Caffe2Model
    raise AttributeError("module 'caffe2rt' has no attribute '%s'" % name)
