"""Reads a checkpoint into {parameter name of detectron2: numpy array}."""
import json
import pathlib

import numpy as np

from . import caffe2_names, fetch, pickles
from .errors import ConvertError

_SAFETENSORS = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1", "U8": "u1", "BOOL": "?"}


def _read_safetensors(path):
    """Source of the format: huggingface/safetensors, README: length, JSON header {name: dtype, shape, data_offsets}, bytes."""
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 + length:
        raise ConvertError("expected a safetensors header of %d bytes, got %d" % (length, max(0, len(data) - 8)))
    try:
        header = json.loads(data[8:8 + length])
    except ValueError:
        raise ConvertError("expected a safetensors header in JSON") from None
    try:
        return {name: _safetensor(data[8 + length:], **entry) for name, entry in header.items() if name != "__metadata__"}
    except (AttributeError, KeyError, TypeError, ValueError) as e:
        raise ConvertError("damaged safetensors header: %s" % e) from None


def _safetensor(data, dtype, shape, data_offsets):
    begin, end = data_offsets
    if dtype == "BF16":
        array = (np.frombuffer(data[begin:end], "<u2").astype(np.uint32) << 16).view(np.float32)
    else:
        array = np.frombuffer(data[begin:end], _SAFETENSORS[dtype])
    return array.reshape(shape)


def _arrays_of(loaded):
    """The name -> array part of what a checkpoint file holds."""
    if not isinstance(loaded, dict):
        raise ConvertError("expected a dict of arrays, got %s" % type(loaded).__name__)
    if "blobs" in loaded:  # of Caffe2's Detectron
        if not isinstance(loaded["blobs"], dict):
            raise ConvertError("expected blobs by name, got %s" % type(loaded["blobs"]).__name__)
        return caffe2_names.convert({k: v for k, v in loaded["blobs"].items() if isinstance(k, str) and isinstance(v, np.ndarray) and v.ndim})
    for key in ("model", "state_dict", "model_state_dict"):
        if isinstance(loaded.get(key), dict):
            loaded = loaded[key]
            break
    arrays = {k: v for k, v in loaded.items() if isinstance(k, str) and isinstance(v, np.ndarray)}
    if not arrays:
        raise ConvertError("expected arrays by name, got none")
    if not any(k.endswith((".weight", ".bias")) for k in arrays) and any(k.endswith("_w") for k in arrays):
        return caffe2_names.convert(arrays)
    if all(k.startswith("module.") for k in arrays):  # torch's DataParallel
        arrays = {k[len("module."):]: v for k, v in arrays.items()}
    return arrays


def _read(path):
    if path.suffix == ".safetensors":
        return _read_safetensors(path)
    if path.suffix == ".pkl":
        return _arrays_of(pickles.load_pickle(path.read_bytes()))
    return _arrays_of(pickles.load_torch(path))


def read_checkpoint(file):
    """{name: float32 or integer array} of a .pkl (detectron2's or Caffe2's Detectron's), .pth or .safetensors file, or of a URL of one
    (https:// or detectron2://), which is fetched into a cache.

    Raises ConvertError that names the file: not there, damaged, hostile.
    """
    path = fetch.fetch(file) if fetch.is_remote(str(file)) else pathlib.Path(file)
    try:
        arrays = _read(path)
    except OSError as e:
        raise ConvertError("%s: %s" % (path, e.strerror or e)) from None
    except ConvertError as e:
        raise ConvertError("%s: %s" % (path, e)) from None
    return type(arrays)((k, v.astype(np.float32) if v.dtype.kind == "f" else v) for k, v in arrays.items())
