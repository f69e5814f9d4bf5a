"""Captures a torch.nn.Module by torch.export and adds what it computes to a net, operator by operator.

Heights, widths, images and regions stay open: sizes that follow from them are symbols in the captured graph. aten/ holds the
table of what each ATen operator becomes. Source: https://docs.pytorch.org/docs/stable/export.html.
"""
import dataclasses
import operator
import re

import numpy as np

from .errors import ConvertError
from .net_builder import PREFIX

# Sides of the image that a part is captured with: multiples of every usual stride, not of one another, and 1 nowhere.
_EXAMPLE = 768, 1280


@dataclasses.dataclass(frozen=True)
class Value:
    """A tensor of the captured graph: its blob, and its shape: ints, and symbols (torch.SymInt) where it is open."""
    blob: str
    shape: tuple

    @property
    def rank(self):
        return len(self.shape)


@dataclasses.dataclass(frozen=True)
class Weight(Value):
    """A tensor that is known: it becomes a weight of the net when an operator reads it."""
    array: np.ndarray = None


class Unmapped(Exception):
    """Raised by the table where there is no operator for this use of an ATen operator; says why."""


def shape_of(tensor):
    """The shape of a captured tensor: ints, and symbols where it is open."""
    return tuple(int(s) if isinstance(s, int) or s.node.expr.is_number else s for s in tensor.shape)


def _torch():
    try:
        import torch
        import torch.export
        return torch
    except ImportError as e:
        raise ConvertError("parts of your own are captured by PyTorch 2.6 or later, which is not installed: %s" % e) from None


def _export(torch, part, examples, open_dims, call):
    class Flat(torch.nn.Module):
        """Named as the part where it matters: messages and parameters begin with 'part.'"""

        def __init__(self):
            super().__init__()
            self.part = part

        def forward(self, *tensors):
            return call(self.part, tensors)

    flat = Flat().eval()
    try:
        dims = tuple({i: torch.export.Dim.AUTO for i in d} for d in open_dims)
        with torch.no_grad():
            program = torch.export.export(flat, examples, dynamic_shapes=(dims,), strict=False)
        return program.run_decompositions({})
    except Exception as e:  # whatever the module's own code or the tracer raises
        text = str(e).strip() or type(e).__name__
        raise ConvertError("%s: torch.export cannot capture it: %s" % (type(part).__name__, text.splitlines()[0])) from e


def _source_line(node):
    """file:line of the user's code that a node comes from."""
    frames = re.findall(r'File "([^"]+)", line (\d+)', node.meta.get("stack_trace") or "")
    own = [f for f in frames if "/torch/" not in f[0]] or frames
    return "%s:%s" % own[-1] if own else "no source line"


def _module_path(node):
    stack = [path for path, _ in (node.meta.get("nn_module_stack") or {}).values()]
    path = stack[-1] if stack else ""
    return path[5:] if path.startswith("part.") else "" if path == "part" else path


class Capture:
    """What the table's entries work with: the net, and the values of the nodes so far."""

    def __init__(self, net, module, name):
        self._net, self._module, self._name = net, module, name
        self._taken = set()
        self.values = {}      # node: Value, number, or a list of them
        self.folded = set()   # nodes whose work the convolution before them does
        self.node = None      # that is being mapped

    @property
    def shape(self):
        """Of the result of the node at work."""
        return shape_of(self.node.meta["val"])

    def value_of(self, x):
        """An argument of a node as the table takes it."""
        if isinstance(x, (list, tuple)):
            return [self.value_of(i) for i in x]
        return self.values[x] if hasattr(x, "users") else x

    def name(self, suffix=""):
        """A blob name for the node at work: that of its module where it is the first there, else by its operator."""
        path = _module_path(self.node)
        of_module = path and not suffix and "%s.%s" % (self._name, path) not in self._taken
        name = "%s.%s%s" % (self._name, path if of_module else self.node.name, suffix)
        self._taken.add(name)
        return name

    def op(self, type, inputs, result=None, suffix="", extra=0, **args):
        """Adds an operator on Values. result: the shape of its output; default: the node's own. extra: outputs that nobody asks for."""
        name = self.name(suffix)
        outputs = [name] + ["%s.unused%d" % (name, k) for k in range(extra)]
        return self.ops(type, inputs, outputs, [self.shape if result is None else result], **args)[0]

    def ops(self, type, inputs, outputs, shapes, **args):
        """Adds an operator with several outputs; Values of as many as there are shapes."""
        self._net.op(type, [self._blob(i) for i in inputs], outputs, **args)
        for blob, shape in zip(outputs, shapes):
            self._net.shapes[blob] = _drawn(shape)
        return [Value(b, tuple(s)) for b, s in zip(outputs, shapes)]

    def _blob(self, value):
        """The blob of a Value; of a Weight after making it one of the net's. One weight may be folded with several norms: each is another."""
        if not isinstance(value, Weight):
            return value.blob
        name, others = value.blob, 0
        while not np.array_equal(self._net.weights.get(name, value.array), value.array):
            others += 1
            name = "%s.%d" % (value.blob, others)
        return self._net.constant(name, value.array)

    def constant(self, array, suffix=".constant"):
        array = _as_a_net_has_it(np.asarray(array))
        return Weight("%s.%s%s" % (self._name, self.node.name, suffix), array.shape, array)

    def feature_where(self, accept):
        """The first Value computed so far that accept(value) likes; None where there is none."""
        return next((v for v in self.values.values() if isinstance(v, Value) and not isinstance(v, Weight) and accept(v)), None)

    def add_weights(self, program, part):
        """Values of the placeholders that are parameters, buffers and constants."""
        signature, persistent = program.graph_signature, set(part.state_dict())
        for node in program.graph.nodes:
            if node.op != "placeholder" or not node.users:
                continue
            name = (signature.inputs_to_parameters.get(node.name) or signature.inputs_to_buffers.get(node.name)
                    or signature.inputs_to_lifted_tensor_constants.get(node.name))
            if name is None:
                continue
            own = name.removeprefix("part.")
            if own in persistent:
                shape = shape_of(node.meta["val"])
                array = self._net.parameter("%s.%s" % (self._module, own), shape).astype(np.float32)
                self.values[node] = Weight("%s%s.%s" % (PREFIX, self._module, own), shape, array)
            else:
                tensor = program.state_dict.get(name, program.constants.get(name))
                if tensor.dtype.is_floating_point:  # bfloat16, too, which numpy has not
                    tensor = tensor.float()
                array = _as_a_net_has_it(tensor.detach().numpy())
                self.values[node] = Weight("%s.%s" % (self._name, node.name), tuple(tensor.shape), array)

    def map(self, node, table):
        """Sets the value of a node. Returns a complaint, or None."""
        self.node, made = node, node.meta.get("val")
        if made is None or isinstance(made, (int, float, bool)) or hasattr(made, "node"):  # a number, or a symbol
            self.values[node] = made
        elif node.target is operator.getitem:
            self.values[node] = self.value_of(node.args[0])[node.args[1]]
        else:
            try:
                self.values[node] = self._mapped(node, table)
            except Unmapped as e:
                why = " (%s)" % e if str(e) else ""
                self.values[node] = [Value("", shape_of(v)) for v in made] if isinstance(made, (list, tuple)) else Value("", shape_of(made))
                return "%s%s, in module '%s', %s" % (node.target, why, _module_path(node) or ".", _source_line(node))
        return None

    def _mapped(self, node, table):
        entry = table.get(aten_name(node))
        if entry is None:
            raise Unmapped()
        return entry(self, *self.value_of(node.args), **{k: self.value_of(v) for k, v in node.kwargs.items()})


def _as_a_net_has_it(array):
    """An array of float32, int32, int64 or bool."""
    if array.dtype.kind == "f":
        return array.astype(np.float32)
    return array.astype(np.int64) if array.dtype.kind in "iu" and array.dtype.char not in "il" else array


def aten_name(node):
    """"conv2d" of aten::conv2d.default; of another library's operator with its domain."""
    name = node.target.name() if hasattr(node.target, "name") else str(node.target)
    return name.split(".")[0].removeprefix("aten::")


def _drawn(shape):
    """A shape as the drawing has it (shapes.py): "H/4" of an open height."""
    def side(i, s):
        if isinstance(s, int):
            return s
        if i == 0:
            return "N"
        example, letter = _EXAMPLE[i - len(shape) + 2], "HW"[i - len(shape) + 2]
        hint = int(s.node.hint)
        return "?" if i < 2 or example % hint else letter if example == hint else "%s/%d" % (letter, example // hint)
    return [side(i, s) for i, s in enumerate(shape)]


def capture(net, part, module, inputs, name, call=lambda part, tensors: part(*tensors)):
    """Adds a module to the net. Returns what it returns, with Values for tensors.

    part: torch.nn.Module. module: where its parameters lie in the checkpoint. inputs: (blob, example shape, open dimensions) each.
    name: what its blobs' names begin with. call(part, tensors): how it is called, with a tuple of tensors.
    Raises ConvertError: what torch.export says, a size that the module fixes, or all operators at once that have no counterpart.
    """
    from .aten import OPERATORS
    torch = _torch()
    examples = tuple(torch.zeros(shape) for _, shape, _ in inputs)
    program = _export(torch, part, examples, [dims for _, _, dims in inputs], call)
    work = Capture(net, module, name)
    work.add_weights(program, part)
    placeholders = {n.name: n for n in program.graph.nodes if n.op == "placeholder"}
    for node_name, (blob, shape, dims) in zip(program.graph_signature.user_inputs, inputs):
        node = placeholders[node_name]
        sizes = shape_of(node.meta["val"])
        fixed = [d for d in dims if isinstance(sizes[d], int)]
        if fixed:
            raise ConvertError("%s: it fixes dimension %d of its input to %d; expected a module for any size"
                               % (type(part).__name__, fixed[0], shape[fixed[0]]))
        work.values[node] = Value(blob, sizes)
    complaints = [work.map(node, OPERATORS) for node in program.graph.nodes if node.op == "call_function"]
    if any(complaints):
        raise ConvertError("%s: no operators for:\n  %s" % (type(part).__name__, "\n  ".join(filter(None, complaints))))
    result = next(n for n in program.graph.nodes if n.op == "output")
    return torch.utils._pytree.tree_unflatten(work.value_of(result.args[0]), program.call_spec.out_spec)


def example_of(feature, sides=_EXAMPLE):
    """(blob, example shape, open dimensions) of a Feature (N,C,H,W) of the image."""
    return feature.blob, (2, feature.channels, *(int(s / feature.stride) for s in sides)), (0, 2, 3)


def example_of_regions(feature, size):
    """The same of regions (R,C,size,size)."""
    return feature.blob, (5, feature.channels, size, size), (0,)


def stride_of(value, sides=_EXAMPLE):
    """How many pixels of the image a step in a captured feature is."""
    height = int(value.shape[2]) if isinstance(value.shape[2], int) else value.shape[2].node.hint
    if sides[0] % height:
        raise ConvertError("%s: its height is %d for an image of %d; expected a whole stride" % (value.blob, height, sides[0]))
    return sides[0] // height
