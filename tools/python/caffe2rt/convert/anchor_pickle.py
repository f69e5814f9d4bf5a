"""Writes an anchor generator the way torch.save wrote detectron2's, which programs read from the net's arguments.

Source of the format: torch/serialization.py (zip form), detectron2/modeling/anchor_generator.py (attributes).
"""
import collections
import io
import pickle
import struct
import zipfile

import numpy as np


class _Global:
    """Stands for a class or function of another library, by name."""

    def __init__(self, module, name):
        self.module, self.name = module, name


class _Call:
    """Stands for what a global makes of arguments, with a state set afterwards."""

    def __init__(self, function, args, state=None):
        self.function, self.args, self.state = function, args, state


class _New(_Call):
    """The same by __new__."""


class _Storage:
    def __init__(self, key, values):
        self.key, self.values = key, values


class _Pickler(pickle._Pickler):  # the one in Python: it can write globals that are not installed
    dispatch = dict(pickle._Pickler.dispatch)

    def persistent_id(self, obj):
        if isinstance(obj, _Storage):
            return ("storage", _Global("torch", "FloatStorage"), obj.key, "cpu", obj.values.size)
        return None

    def _save_global(self, obj):
        self.write(pickle.GLOBAL + ("%s\n%s\n" % (obj.module, obj.name)).encode())

    def _save_call(self, obj):
        self.save(obj.function)
        self.save(obj.args)
        self.write(pickle.NEWOBJ if isinstance(obj, _New) else pickle.REDUCE)
        if obj.state is not None:
            self.save(obj.state)
            self.write(pickle.BUILD)

    dispatch[_Global] = _save_global
    dispatch[_Call] = _save_call
    dispatch[_New] = _save_call


def _tensor(storage, shape):
    rebuild = _Global("torch._utils", "_rebuild_tensor_v2")
    strides = tuple(int(np.prod(shape[i + 1:])) for i in range(len(shape)))
    return _Call(rebuild, (storage, 0, tuple(shape), strides, False, collections.OrderedDict()))


def _module(name, **state):
    """A torch.nn.Module as its pickle has it."""
    empty = {key: collections.OrderedDict() for key in ("_parameters", "_buffers", "_backward_hooks", "_forward_hooks",
                                                        "_forward_pre_hooks", "_state_dict_hooks", "_load_state_dict_pre_hooks", "_modules")}
    return _New(_Global("detectron2.modeling.anchor_generator", name), (),
                {"training": False, **empty, "_non_persistent_buffers_set": _Call(_Global("__builtin__", "set"), ([],)), **state})


def dump(anchors, strides, offset):
    """Bytes. anchors: by level (A,4) float32 x1 y1 x2 y2 around (0,0); strides in pixels; offset in strides."""
    storages = [_Storage(str(i), a) for i, a in enumerate(anchors)]
    buffers = collections.OrderedDict((str(i), _tensor(s, a.shape)) for i, (s, a) in enumerate(zip(storages, anchors)))
    generator = _module("DefaultAnchorGenerator", strides=[int(s) for s in strides], num_features=len(strides), offset=float(offset),
                        _modules=collections.OrderedDict(cell_anchors=_module("BufferList", _buffers=buffers)))
    stream = io.BytesIO()
    _Pickler(stream, protocol=2).dump(generator)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        def add(name, data):
            archive.writestr(zipfile.ZipInfo("archive/" + name), data)
        add("data.pkl", stream.getvalue())
        for storage in storages:
            add("data/" + storage.key, struct.pack("<%df" % storage.values.size, *storage.values.ravel().tolist()))
        add("version", b"3\n")
    return file.getvalue()
