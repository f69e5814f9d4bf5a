"""detectron2's way to export a model that is built already, for programs that call it: Caffe2Tracer, add_export_config.

    tracer = Caffe2Tracer(cfg, model, inputs)
    tracer.export_caffe2().save_protobuf("caffe2_model")

Source of the interface: detectron2/export/api.py. Nothing is traced but parts of the model that are not known by name (caffe2rt.parts).
"""
from __future__ import annotations

import sys
from typing import Any, Mapping, Sequence

from .convert.config import Config, default_config, from_mapping
from .convert.model import build_model
from .convert.write import init_net, predict_net
from .model import Caffe2Model


def add_export_config(cfg: Any) -> Any:
    """Adds the keys EXPORT_CAFFE2.* to a configuration that has none. Returns it."""
    if "EXPORT_CAFFE2" not in cfg:
        if hasattr(cfg, "defrost"):
            cfg.defrost()
        node = sys.modules["detectron2.config"].CfgNode if "detectron2.config" in sys.modules else Config
        cfg["EXPORT_CAFFE2"] = node(dict(default_config().EXPORT_CAFFE2))
    return cfg


class Caffe2Tracer:
    """Converts a built model.

    cfg: its configuration, detectron2's CfgNode or any mapping of the same keys; keys that no release of detectron2 has are passed over.
    model: torch.nn.Module with detectron2's names. inputs: taken for the sake of old programs; none are needed.
    """

    def __init__(self, cfg: Mapping[str, Any], model: Any, inputs: Sequence[Any] = ()):
        del inputs
        self._cfg, self._model = from_mapping(cfg), model

    def export_caffe2(self) -> Caffe2Model:
        """The converted model, ready to run and to save. Raises ConvertError as the converter does."""
        parameters = {name: value.detach().cpu().numpy() for name, value in self._model.state_dict().items()}
        model = build_model(self._cfg, parameters, self._model)
        name = self._cfg.MODEL.META_ARCHITECTURE
        return Caffe2Model(predict_net(model, name + "_predict"), init_net(model, name + "_init"))
