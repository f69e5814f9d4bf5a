"""Makes a package `detectron2` that is as much of it as this project touches: the tests' stand-in, as detectron2 itself is not installed.

Its structures refuse what detectron2's refuse: anything but tensors, and fields of different lengths.
"""
STRUCTURES = '''
import torch


class Boxes:
    columns = 4

    def __init__(self, tensor):
        assert isinstance(tensor, torch.Tensor) and tensor.dim() == 2 and tensor.size(-1) == self.columns, tensor
        self.tensor = tensor

    def __len__(self):
        return self.tensor.shape[0]


class RotatedBoxes(Boxes):
    columns = 5


class Instances:
    def __init__(self, image_size, **fields):
        self._image_size, self._fields = image_size, {}
        for name, value in fields.items():
            self.set(name, value)

    image_size = property(lambda self: self._image_size)

    def set(self, name, value):
        assert isinstance(value, (torch.Tensor, Boxes)), type(value)
        assert all(len(value) == len(v) for v in self._fields.values())
        self._fields[name] = value

    def has(self, name):
        return name in self._fields

    def get_fields(self):
        return self._fields

    def __getattr__(self, name):
        if name == "_fields" or name not in self._fields:
            raise AttributeError(name)
        return self._fields[name]

    def __len__(self):
        return len(next(iter(self._fields.values())))
'''


def make(folder, **modules):
    """The package in a folder; modules: sources of more of them, by name."""
    package = folder / "detectron2"
    package.mkdir(parents=True)
    for name, source in {"__init__": "", "structures": STRUCTURES, **modules}.items():
        (package / (name + ".py")).write_text(source)
