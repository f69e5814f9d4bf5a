"""Reads pickles that hold arrays and containers, and nothing else: no code of a checkpoint is ever run.

Source of the formats: Python's pickletools; numpy's and torch's own reductions (torch/_utils.py, torch/serialization.py).
"""
import collections
import io
import math
import pickle
import zipfile

import numpy as np

from .errors import ConvertError

# Elements of tensors that repeat those of their storage, of a file in all: more are no weights, but an attempt to fill the memory.
_MOST_REPEATED = 1 << 26

# bfloat16 has no numpy type: its bits are the upper half of a float32.
_BFLOAT16 = "bfloat16"
_STORAGES = {
    "FloatStorage": "<f4", "DoubleStorage": "<f8", "HalfStorage": "<f2", "BFloat16Storage": _BFLOAT16, "LongStorage": "<i8",
    "IntStorage": "<i4", "ShortStorage": "<i2", "CharStorage": "i1", "ByteStorage": "u1", "BoolStorage": "?",
}


class _Storage:
    """Stands for a torch storage class: which numbers it holds."""

    def __init__(self, dtype):
        self.dtype = dtype
        self.size = 2 if dtype == _BFLOAT16 else np.dtype(dtype).itemsize


def _numbers(data, dtype):
    if dtype == _BFLOAT16:
        return (np.frombuffer(data, "<u2").astype(np.uint32) << 16).view(np.float32)
    return np.frombuffer(data, dtype)


def _rebuild_tensor(storage, offset, size, stride, *_):
    """torch._utils._rebuild_tensor_v2: a view of a storage, (size) with strides in elements."""
    size, stride = tuple(map(int, size)), tuple(map(int, stride))
    if len(size) != len(stride) or min(size + stride + (offset,), default=0) < 0:
        raise ConvertError("a tensor of size %s and stride %s" % (size, stride))
    if 0 in size:
        return np.zeros(size, storage.dtype)
    last = offset + sum((n - 1) * s for n, s in zip(size, stride))
    if last >= storage.size:
        raise ConvertError("a tensor that ends at element %d of a storage of %d" % (last, storage.size))
    view = np.lib.stride_tricks.as_strided(storage[offset:], size, tuple(s * storage.itemsize for s in stride))
    return np.ascontiguousarray(view).reshape(size)


def _rebuild_parameter(data, *_):
    return data


def _array_shell(cls, shape, typecode):
    """numpy's _reconstruct: an empty array whose state comes next."""
    if cls is not np.ndarray:
        raise ConvertError("an array of class %r" % (cls,))
    return np.ndarray.__new__(np.ndarray, shape, typecode)


def _dtype(code, *_):
    """numpy.dtype, of numbers only: an array of objects could hold anything."""
    dtype = np.dtype(code)
    if dtype.kind not in "biufcSU":
        raise ConvertError("an array of dtype %s" % dtype)
    return dtype


def _from_buffer(data, dtype, shape, order):
    """numpy's _frombuffer, which protocol 5 uses."""
    return np.frombuffer(data, dtype).reshape(shape, order=order)


def _scalar(dtype, data):
    return np.frombuffer(data if isinstance(data, bytes) else data.encode("latin1"), dtype)[0]


def _encode(text, encoding):
    """_codecs.encode, by which protocol 2 writes bytes."""
    return text.encode(encoding)


_NUMPY = {"_reconstruct": _array_shell, "_frombuffer": _from_buffer, "scalar": _scalar, "ndarray": np.ndarray, "dtype": _dtype}
_NUMPY_MODULES = ("numpy", "numpy.core.multiarray", "numpy._core.multiarray", "numpy.core.numeric", "numpy._core.numeric")

# Of a trainer's state, which lies beside the weights.
_CONTAINERS = {("collections", "OrderedDict"): collections.OrderedDict, ("collections", "Counter"): collections.Counter,
               ("collections", "deque"): collections.deque, ("builtins", "set"): set, ("__builtin__", "set"): set,
               ("builtins", "frozenset"): frozenset, ("__builtin__", "frozenset"): frozenset}


class _Inert:
    """Stands for what a trainer keeps beside the weights and nobody reads: takes whatever it is given, and forgets it."""

    def __new__(cls, *_, **__):
        return super().__new__(cls)

    def __init__(self, *_, **__):
        pass

    def __setstate__(self, state):
        pass


class _Defaults(dict):
    """collections.defaultdict, without what makes its defaults."""

    def __init__(self, *_):
        super().__init__()


_DTYPES = ("float16", "float32", "float64", "bfloat16", "uint8", "int8", "int16", "int32", "int64", "bool")
_INERT = {*((module, name) for module in ("builtins", "__builtin__") for name in ("list", "dict", "tuple", "int", "long", "float", "str", "unicode", "bool")),
          ("argparse", "Namespace"), ("types", "SimpleNamespace"), ("torch", "device"), *(("torch", name) for name in _DTYPES),
          *(("datetime", name) for name in ("datetime", "date", "time", "timedelta", "timezone")),
          *((module, name) for module in ("pathlib", "pathlib._local")
            for name in ("Path", "PosixPath", "WindowsPath", "PurePath", "PurePosixPath", "PureWindowsPath"))}


class _Unpickler(pickle.Unpickler):
    def __init__(self, file, storage=None):
        super().__init__(file, encoding="latin1")
        self._storage, self._repeated = storage, 0

    def find_class(self, module, name):
        if module in _NUMPY_MODULES and name in _NUMPY:
            return _NUMPY[name]
        if module == "torch._utils" and name in ("_rebuild_tensor_v2", "_rebuild_tensor"):
            return self._tensor
        if module == "torch._utils" and name == "_rebuild_parameter":
            return _rebuild_parameter
        if module in ("torch", "torch.cuda") and name in _STORAGES:
            return _Storage(_STORAGES[name])
        if module == "torch" and name == "Size":
            return tuple
        if (module, name) in _CONTAINERS:
            return _CONTAINERS[module, name]
        if (module, name) == ("collections", "defaultdict"):
            return _Defaults
        if (module, name) in _INERT:
            return _Inert
        if (module, name) == ("_codecs", "encode"):
            return _encode
        raise ConvertError("refused: it asks for %s.%s, and only arrays and containers are read" % (module, name))

    def _tensor(self, storage, offset, size, *rest):
        count = math.prod(map(int, size))
        if count > storage.size:
            self._repeated += count
            if self._repeated > _MOST_REPEATED:
                raise ConvertError("tensors that repeat their storages, of %d elements and more; a tensor of size %s on a storage of %d"
                                   % (self._repeated, tuple(size), storage.size))
        return _rebuild_tensor(storage, offset, size, *rest)

    def persistent_load(self, pid):
        if self._storage is None or not isinstance(pid, tuple) or len(pid) < 5 or not isinstance(pid[0], str) or pid[0] != "storage":
            raise ConvertError("refused: a reference to something outside the pickle: %.80r" % (pid,))
        return self._storage(pid)


def _load(file, storage=None):
    try:
        return _Unpickler(file, storage).load()
    except ConvertError:
        raise
    except Exception as e:  # a damaged stream fails in many ways
        raise ConvertError("expected a pickle: %s: %s" % (type(e).__name__, e)) from None


def load_pickle(data):
    """What a pickle of arrays and containers holds. Raises ConvertError, by name of what else it wanted."""
    return _load(io.BytesIO(data))


def _load_zip(file):
    """torch's format since 1.6: a zip of data.pkl and one file a storage."""
    with zipfile.ZipFile(file) as archive:
        pickles = [n for n in archive.namelist() if n.rpartition("/")[2] == "data.pkl"]
        if len(pickles) != 1:
            raise ConvertError("expected one data.pkl in the archive, got %d" % len(pickles))
        root, loaded = pickles[0][:-len("data.pkl")], {}

        def storage(pid):
            _, kind, key, _, count = pid[:5]
            if not isinstance(kind, _Storage):
                raise ConvertError("refused: a storage of kind %.80r" % (kind,))
            if key not in loaded:
                name = "%sdata/%s" % (root, key)
                size = archive.getinfo(name).file_size  # before it is unpacked
                if size != count * kind.size:
                    raise ConvertError("storage %s: expected %d bytes, got %d" % (key, count * kind.size, size))
                data = archive.read(name)
                loaded[key] = _numbers(data, kind.dtype)
            return loaded[key]

        with archive.open(pickles[0]) as stream:
            return _load(stream, storage)


_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C


def _load_legacy(data):
    """torch's format before 1.6: pickles of a magic number, a version, the system, the object and the storages' keys, then the storages."""
    file = io.BytesIO(data)
    if _load(file) != _LEGACY_MAGIC:
        raise ConvertError("expected torch's magic number")
    _load(file), _load(file)
    storages = {}

    def storage(pid):
        _, kind, key, _, count = pid[:5]
        if not isinstance(kind, _Storage) or not 0 <= count <= len(data):
            raise ConvertError("refused: a storage of kind %.80r" % (kind,))
        view = pid[5] if len(pid) > 5 else None
        if key not in storages:
            storages[key] = (kind, np.zeros(count, np.float32 if kind.dtype == _BFLOAT16 else kind.dtype))
        whole = storages[key][1]
        return whole if view is None else whole[view[1]:view[1] + view[2]]

    # Tensors are views of storages whose numbers come after them: rebuilt once these are read.
    start = file.tell()
    _load(file, storage)
    for key in _load(file):
        if key not in storages:
            raise ConvertError("storage %.40r belongs to nothing" % (key,))
        kind, values = storages[key]
        count = int.from_bytes(file.read(8), "little", signed=True)
        raw = file.read(values.size * kind.size)
        if count != values.size or len(raw) != values.size * kind.size:
            raise ConvertError("storage %s: expected %d elements, got %d" % (key, values.size, min(count, len(raw) // kind.size)))
        values[:] = _numbers(raw, kind.dtype)
    file.seek(start)
    return _load(file, storage)


def load_torch(path):
    """What torch.save wrote, with tensors as numpy arrays (bfloat16 as float32). Raises ConvertError as load_pickle does."""
    try:
        if zipfile.is_zipfile(path):
            return _load_zip(path)
    except ConvertError:
        raise
    except Exception as e:  # a damaged archive fails in many ways, too
        raise ConvertError("expected a torch archive: %s: %s" % (type(e).__name__, e)) from None
    with open(path, "rb") as f:
        return _load_legacy(f.read())
