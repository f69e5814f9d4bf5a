"""Element by element: arithmetic, comparisons, activations."""
import numpy as np

from ..capture import Unmapped
from .table import axis_of, fixed, maps


def _as_value(c, x, suffix):
    if fixed(x):
        return c.constant(np.float32(x).reshape(1), suffix)
    if not hasattr(x, "blob"):
        raise Unmapped("a size that is open, as a number")
    return x


for _names, _type in {("relu",): "Relu", ("sigmoid",): "Sigmoid", ("tanh",): "Tanh", ("exp",): "Exp", ("log",): "Log", ("sqrt",): "Sqrt",
                      ("rsqrt",): "Rsqrt", ("abs",): "Abs", ("neg",): "Negative", ("sin",): "Sin", ("cos",): "Cos", ("floor",): "Floor",
                      ("ceil",): "Ceil", ("silu",): "Swish", ("bitwise_not", "logical_not"): "Not"}.items():
    maps(*_names)(lambda c, x, type=_type: c.op(type, [x]))


@maps("clone", "contiguous", "alias", "dropout", "detach", "lift_fresh_copy", "_to_copy", "to", "type_as")
def _same(c, x, *_, dtype=None, **__):
    if dtype is not None and "float32" not in str(dtype):
        raise Unmapped("a conversion to %s" % dtype)
    return x


for _name, _type in {"add": "Add", "sub": "Sub", "mul": "Mul", "div": "Div", "eq": "EQ", "ne": "NE", "lt": "LT", "le": "LE", "gt": "GT",
                     "ge": "GE", "logical_and": "And", "logical_or": "Or", "logical_xor": "Xor"}.items():
    def _binary(c, a, b, alpha=1, *, rounding_mode=None, type=_type):
        if rounding_mode is not None:
            raise Unmapped("with rounding_mode")
        if alpha != 1:
            b = b * alpha if fixed(b) else c.op("Mul", [b, c.constant(np.float32([alpha]), ".alpha")], b.shape, ".scaled")
        a, b = _as_value(c, a, ".left"), _as_value(c, b, ".right")
        return c.op(type, [a, b])
    maps(_name)(_binary)


@maps("rsub")
def _rsub(c, a, b, alpha=1):
    if alpha != 1:
        raise Unmapped("with alpha")
    return c.op("Sub", [_as_value(c, b, ".left"), a])


@maps("pow")
def _pow(c, x, exponent):
    if not fixed(exponent):
        raise Unmapped("an exponent that is computed")
    return c.op("Pow", [x], exponent=float(exponent))


@maps("reciprocal")
def _reciprocal(c, x):
    return c.op("Pow", [x], exponent=-1.0)


@maps("where")
def _where(c, condition, a, b):
    return c.op("Where", [condition, _as_value(c, a, ".left"), _as_value(c, b, ".right")])


# Activations.

@maps("softplus")
def _softplus(c, x, beta=1.0, threshold=20.0):
    if (beta, threshold) != (1, 20):
        raise Unmapped("with beta or threshold")
    return c.op("Softplus", [x])


@maps("clamp")
def _clip(c, x, low=None, high=None):
    if not all(v is None or fixed(v) for v in (low, high)):
        raise Unmapped("bounds that are computed")
    return c.op("Clip", [x], **{k: float(v) for k, v in (("min", low), ("max", high)) if v is not None})


maps("hardtanh")(lambda c, x, low=-1.0, high=1.0: _clip(c, x, low, high))
maps("relu6")(lambda c, x: _clip(c, x, 0.0, 6.0))
maps("clamp_min")(lambda c, x, low: _clip(c, x, low))
maps("clamp_max")(lambda c, x, high: _clip(c, x, None, high))


@maps("hardsigmoid")
def _hardsigmoid(c, x):
    return c.op("HardSigmoid", [x], alpha=1 / 6, beta=0.5)


@maps("hardswish")
def _hardswish(c, x):
    gate = c.op("HardSigmoid", [x], x.shape, ".gate", alpha=1 / 6, beta=0.5)
    return c.op("Mul", [x, gate])


@maps("elu")
def _elu(c, x, alpha=1.0, scale=1.0, input_scale=1.0):
    if (scale, input_scale) != (1, 1):
        raise Unmapped("with scales")
    return c.op("Elu", [x], alpha=float(alpha))


@maps("leaky_relu")
def _leaky_relu(c, x, slope=0.01):
    return c.op("LeakyRelu", [x], alpha=float(slope))


@maps("prelu")
def _prelu(c, x, slope):
    return c.op("PRelu", [x, slope])


@maps("gelu")
def _gelu(c, x, approximate="none"):
    return c.op("Gelu", [x], fast_gelu=int(approximate == "tanh"))


@maps("softmax", "_softmax")
def _softmax(c, x, axis, *_):
    axis = axis_of(axis, x.rank)
    if axis == x.rank - 1:
        return c.op("Softmax", [x], axis=axis)
    order = [i for i in range(x.rank) if i != axis] + [axis]
    moved = c.op("Transpose", [x], [x.shape[i] for i in order], ".last", axes=order)
    soft = c.op("Softmax", [moved], moved.shape, ".softmax", axis=x.rank - 1)
    return c.op("Transpose", [soft], axes=[order.index(i) for i in range(x.rank)])
