#!/usr/bin/env python3
"""Writes an anchor generator as torch.save does in its older form, a stream of pickles and raw storages, without torch:
tests/data/decode/anchors.stream. With the path of a RetinaNet's model.pb as argument also copies the zip form out of it:
tests/data/decode/anchors.zip. Two levels with strides 8 and 16, of two and one anchors; offset 0.5.
"""
import collections
import io
import pathlib
import pickle
import struct
import sys
import types

DATA = pathlib.Path(__file__).resolve().parent.parent / "data/decode"
ANCHORS = {"0": [[-8, -4, 8, 4], [-4, -8, 4, 8]], "1": [[-16, -16, 16, 16]]}


def fake(path):
    """A class that pickles as one of that name."""
    module, name = path.rsplit(".", 1)
    parts = module.split(".")
    for i in range(1, len(parts) + 1):
        sys.modules.setdefault(".".join(parts[:i]), types.ModuleType(".".join(parts[:i])))
    made = type(name, (), {"__module__": module})
    setattr(sys.modules[module], name, made)
    return made


FloatStorage = fake("torch.FloatStorage")
Generator = fake("detectron2.modeling.anchor_generator.DefaultAnchorGenerator")
BufferList = fake("detectron2.modeling.anchor_generator.BufferList")


def rebuild(*arguments):
    raise NotImplementedError


rebuild.__module__, rebuild.__name__, rebuild.__qualname__ = "torch._utils", "_rebuild_tensor_v2", "_rebuild_tensor_v2"
sys.modules["torch._utils"] = types.ModuleType("torch._utils")
sys.modules["torch._utils"]._rebuild_tensor_v2 = rebuild


class Tensor:
    def __init__(self, key, rows):
        self.storage = types.SimpleNamespace(key=key, numbers=[float(x) for row in rows for x in row])
        self.shape = (len(rows), 4)

    def __reduce__(self):
        return rebuild, (self.storage, 0, self.shape, (4, 1), False, collections.OrderedDict())


def module(cls, **state):
    made = cls()
    made.__dict__.update(training=False, _parameters=collections.OrderedDict(), **state)
    return made


class Pickler(pickle.Pickler):
    """Names storages, and modules' classes the first time they are seen, by persistent ids."""
    seen = set()

    def persistent_id(self, value):
        if isinstance(value, types.SimpleNamespace):
            return ("storage", FloatStorage, value.key, "cpu", len(value.numbers), None)
        if value in (Generator, BufferList) and value not in self.seen:
            self.seen.add(value)
            return ("module", value, "anchor_generator.py", "class " + value.__name__)
        return None


cells = module(BufferList, _buffers=collections.OrderedDict((k, Tensor("10" + k, v)) for k, v in ANCHORS.items()))
generator = module(Generator, _modules=collections.OrderedDict(cell_anchors=cells), strides=[8, 16], offset=0.5)

out = io.BytesIO()
pickle.dump(0x1950A86A20F9469CFC6C, out, protocol=2)
pickle.dump(1001, out, protocol=2)
pickle.dump(dict(protocol_version=1001, little_endian=True, type_sizes=dict(short=2, int=4, long=4)), out, protocol=2)
Pickler(out, protocol=2).dump(generator)
pickle.dump(["100", "101"], out, protocol=2)
for key, rows in ANCHORS.items():
    numbers = [float(x) for row in rows for x in row]
    out.write(struct.pack("<q%df" % len(numbers), len(numbers), *numbers))
(DATA / "anchors.stream").write_bytes(out.getvalue())

if len(sys.argv) > 1:
    net = pathlib.Path(sys.argv[1]).read_bytes()
    begin, end = net.index(b"PK\x03\x04"), net.rindex(b"PK\x05\x06") + 22
    (DATA / "anchors.zip").write_bytes(net[begin:end])
