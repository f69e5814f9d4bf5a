"""Caffe2Model: a converted or exported model, with the interface of detectron2's class of that name (detectron2/export/api.py)."""
from __future__ import annotations

import os
import pathlib
import shutil
import tempfile
from typing import Any, Dict, List, Sequence, Tuple, Union

import numpy as np

from . import _runtime, caffe2_pb2, structures
from .interop import detectron2_structures

Path = Union[str, "os.PathLike[str]"]


def _to_numpy(array: "_runtime.Array") -> np.ndarray:
    numbers = np.from_dlpack(array)
    return numbers.view(bool) if array.is_bool else numbers


def _to_torch(array: "_runtime.Array") -> Any:
    import torch
    numbers = torch.from_dlpack(array)
    return numbers.view(torch.bool) if array.is_bool else numbers


def _to_dlpack(array: Any) -> Any:
    """Something with __dlpack__: numpy refuses to share arrays that are read-only."""
    if isinstance(array, np.ndarray) or not hasattr(array, "__dlpack__"):
        array = np.asarray(array)
        if not array.flags.writeable or array.dtype == bool or not array.dtype.isnative:
            array = array.astype(np.float32)
        if min(array.strides, default=0) < 0:  # DLPack knows none
            array = np.ascontiguousarray(array)
    return array


def _read(file: pathlib.Path) -> "caffe2_pb2.NetDef":
    net = caffe2_pb2.NetDef()
    if file.suffix == ".pbtxt":
        from google.protobuf import text_format
        text_format.Parse(file.read_text(), net)
    else:
        net.ParseFromString(file.read_bytes())
    return net


def _find_files(folder: pathlib.Path) -> Tuple[pathlib.Path, pathlib.Path]:
    """The net and its weights; the first names where there are none, for the message."""
    pairs = [(folder / (predict + kind), folder / (init + init_kind)) for predict, init in (("model", "model_init"), ("predict_net", "init_net"))
             for kind in (".pb", ".pbtxt") for init_kind in (".pb", ".pbtxt")]
    return next((pair for pair in pairs if all(file.exists() for file in pair)), pairs[0])


class Caffe2Model:
    """A net ready to run; may be called from several threads at once.

    Raises caffe2rt._runtime.Error (a RuntimeError) for files and nets that cannot be run, with the file, operator or blob.
    """

    def __init__(self, predict_net: "caffe2_pb2.NetDef", init_net: "caffe2_pb2.NetDef", *, threads: int = 0, device: str = "cpu",
                 precision: str = "auto"):
        """Of two NetDefs in memory. threads: of a call; 0: all cores. device, precision: as the elements' properties."""
        with tempfile.TemporaryDirectory() as folder:
            files = pathlib.Path(folder, "model.pb"), pathlib.Path(folder, "model_init.pb")
            for file, net in zip(files, (predict_net, init_net)):
                file.write_bytes(net.SerializeToString())
            self._load(*files, threads, device, precision)
        self._predict_net, self._init_net = predict_net, init_net

    @classmethod
    def load_protobuf(cls, folder: Path, *, threads: int = 0, device: str = "cpu", precision: str = "auto") -> "Caffe2Model":
        """Of a folder with model.pb and model_init.pb, or predict_net.pb and init_net.pb, or .pbtxt forms of them."""
        self = cls.__new__(cls)
        self._load(*_find_files(pathlib.Path(folder)), threads, device, precision)
        self._predict_net = self._init_net = None
        return self

    def _load(self, predict_file: pathlib.Path, init_file: pathlib.Path, threads: int, device: str, precision: str) -> None:
        self._runtime = _runtime.Runtime(str(predict_file), str(init_file), threads=threads, device=device, precision=precision)
        self._files = predict_file, init_file
        arguments = {a.name: a for a in _read(predict_file).arg}
        self._multiple = max(1, arguments["size_divisibility"].i if "size_divisibility" in arguments else 0)
        self._padding = np.array(arguments["padding_value"].floats if "padding_value" in arguments else (0, 0, 0), np.float32)

    @property
    def predict_net(self) -> "caffe2_pb2.NetDef":
        """The net, as a NetDef."""
        return self._predict_net or _read(self._files[0])

    @property
    def init_net(self) -> "caffe2_pb2.NetDef":
        """Its weights, as a NetDef of fills."""
        return self._init_net or _read(self._files[1])

    def save_protobuf(self, folder: Path) -> None:
        """Writes model.pb, model.pbtxt and model_init.pb."""
        from google.protobuf import text_format
        folder = pathlib.Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        net = self.predict_net
        (folder / "model.pb").write_bytes(net.SerializeToString())
        (folder / "model.pbtxt").write_text(text_format.MessageToString(net))
        if self._init_net is None and self._files[1].suffix == ".pb":
            shutil.copyfile(self._files[1], folder / "model_init.pb")
        else:
            (folder / "model_init.pb").write_bytes(self.init_net.SerializeToString())

    def save_graph(self, output_file: Path, inputs: Any = None) -> None:
        """Draws the net, an operator a node, as SVG. The converter's model.svg shows its stages. Raises RuntimeError without graphviz.

        inputs: taken for the sake of detectron2's programs, where the net ran on them to learn the shapes of its blobs.
        """
        del inputs
        from .convert import draw
        svg = draw.dot_to_svg(draw.operators_to_dot(self.predict_net))
        if svg is None:
            raise RuntimeError("graphviz's dot is not installed")
        pathlib.Path(output_file).write_bytes(svg)

    def run(self, feeds: Dict[str, Any]) -> Dict[str, np.ndarray]:
        """Feeds arrays by blob (numpy, or anything with __dlpack__; uint8 as float32) and returns every output of the net by name."""
        return {k: _to_numpy(v) for k, v in self._runtime.run({k: _to_dlpack(v) for k, v in feeds.items()}).items()}

    def __call__(self, batched_inputs: Sequence[Dict[str, Any]]) -> List[Dict[str, Any]]:
        """Looks at images, each a dict of `image` (C,H,W), 0..255 in the model's channel order, resized already as detectron2's
        mappers do (or torchvision's transforms, see Predictor), and `height`, `width` of the picture that predictions are for (default: the image's).

        Returns a dict an image: `instances` (Instances), `sem_seg` (classes,height,width) float32 logits, `panoptic_seg` ((height,width)
        int32, segments), each where the model has it: detectron2's own structures of torch tensors where detectron2 is installed, else
        this package's of numpy arrays.
        """
        return self._look(batched_inputs, detectron2_structures() or structures)

    def predict(self, batched_inputs: Sequence[Dict[str, Any]]) -> List[Dict[str, Any]]:
        """The same, always as this package's structures of numpy arrays."""
        return self._look(batched_inputs, structures)

    def _look(self, batched_inputs: Sequence[Dict[str, Any]], kind: Any) -> List[Dict[str, Any]]:
        images = [np.asarray(x["image"] if isinstance(x["image"], np.ndarray) else np.from_dlpack(x["image"])) for x in batched_inputs]
        if not images:
            return []
        for image, x in zip(images, batched_inputs):
            if image.ndim != 3 or 0 in image.shape or image.shape[0] != images[0].shape[0]:
                raise ValueError("image: expected (C,H,W), of as many channels as the others, got %s" % (image.shape,))
            if min(x.get("height", 1), x.get("width", 1)) < 1:
                raise ValueError("height, width: expected at least 1 pixel, got %s, %s" % (x.get("height"), x.get("width")))
        sizes = [(*image.shape[1:], int(x.get("height", image.shape[1])), int(x.get("width", image.shape[2])))
                 for image, x in zip(images, batched_inputs)]
        rows, columns = (-(-max(i.shape[k] for i in images) // self._multiple) * self._multiple for k in (1, 2))
        if len(images) == 1 and images[0].dtype == np.float32 and images[0].shape[1:] == (rows, columns):
            data = _to_dlpack(batched_inputs[0]["image"][None])  # as it is: nothing to pad
        else:
            data = np.empty((len(images), images[0].shape[0], rows, columns), np.float32)
            data[:] = self._padding[:data.shape[1], None, None]
            for slot, image in zip(data, images):
                slot[:, :image.shape[1], :image.shape[2]] = image
        im_info = np.array([[h, w, height / h] for h, w, height, _ in sizes], np.float32)
        feeds = {"data": data, "im_info": im_info}
        found = self._runtime.predict({k: feeds[k] for k in self._runtime.inputs if k in feeds}, sizes)
        return [self._format(result, size[2:], kind) for result, size in zip(found, sizes)]

    def _format(self, result: Dict[str, Any], image_size, kind: Any) -> Dict[str, Any]:
        """kind: the module of Instances, Boxes and RotatedBoxes."""
        segments = result.pop("segments")
        arrays = {k: (_to_numpy if kind is structures else _to_torch)(v) for k, v in result.items()}
        output: Dict[str, Any] = {}
        if self._runtime.meta_architecture != "SemanticSegmentor":
            boxes = arrays["boxes"]
            instances = kind.Instances(image_size, pred_boxes=(kind.RotatedBoxes if boxes.shape[1] == 5 else kind.Boxes)(boxes),
                                       scores=arrays["scores"], pred_classes=arrays["classes"])
            for name in ("masks", "keypoints"):
                if name in arrays:
                    instances.set("pred_" + name, arrays[name])
            output["instances"] = instances
        if "sem_seg" in arrays:
            output["sem_seg"] = arrays["sem_seg"]
        if "panoptic" in arrays:
            output["panoptic_seg"] = arrays["panoptic"], segments
        return output
