"""What each ATen operator of a captured graph becomes: one entry an operator, open to more.

An entry takes the Capture and the operator's arguments (Values for tensors, symbols for open sizes) and returns the Value of its
result, or a list of them; it raises Unmapped where this use of it has no counterpart. Source: aten/src/ATen/native/native_functions.yaml
for the arguments, the operators' schemas (caffe2_inspect --operator) for what they become.
"""
import numpy as np

from .capture import Unmapped, Weight, aten_name

OPERATORS = {}


def _maps(*names):
    def register(function):
        OPERATORS.update(dict.fromkeys(names, function))
        return function
    return register


def _fixed(x):
    return isinstance(x, (int, float))


def _pair(x):
    return list(x) * (2 // len(x))


def _axis(axis, rank):
    return axis % rank


def _as_value(c, x, suffix):
    return c.constant(np.float32(x).reshape(1), suffix) if _fixed(x) else x


# Names that mean the same thing.

for _names, _type in {("relu",): "Relu", ("sigmoid",): "Sigmoid", ("tanh",): "Tanh", ("exp",): "Exp", ("log",): "Log", ("sqrt",): "Sqrt",
                      ("rsqrt",): "Rsqrt", ("abs",): "Abs", ("neg",): "Negative", ("sin",): "Sin", ("cos",): "Cos", ("floor",): "Floor",
                      ("ceil",): "Ceil", ("silu",): "Swish", ("bitwise_not", "logical_not"): "Not", ("softplus",): "Softplus"}.items():
    _maps(*_names)(lambda c, x, *_, type=_type: c.op(type, [x]))


@_maps("clone", "contiguous", "alias", "dropout", "detach", "lift_fresh_copy", "_to_copy", "to", "type_as")
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
            b = b * alpha if _fixed(b) else c.op("Mul", [b, c.constant(np.float32([alpha]), ".alpha")], b.shape, ".scaled")
        a, b = _as_value(c, a, ".left"), _as_value(c, b, ".right")
        return c.op(type, [a, b])
    _maps(_name)(_binary)


@_maps("rsub")
def _rsub(c, a, b, alpha=1):
    if alpha != 1:
        raise Unmapped("with alpha")
    return c.op("Sub", [_as_value(c, b, ".left"), a])


@_maps("pow")
def _pow(c, x, exponent):
    if not _fixed(exponent):
        raise Unmapped("an exponent that is computed")
    return c.op("Pow", [x], exponent=float(exponent))


@_maps("reciprocal")
def _reciprocal(c, x):
    return c.op("Pow", [x], exponent=-1.0)


@_maps("where")
def _where(c, condition, a, b):
    return c.op("Where", [condition, _as_value(c, a, ".left"), _as_value(c, b, ".right")])


# Activations.

@_maps("clamp")
def _clip(c, x, low=None, high=None):
    return c.op("Clip", [x], **{k: float(v) for k, v in (("min", low), ("max", high)) if v is not None})


_maps("hardtanh")(lambda c, x, low=-1.0, high=1.0: _clip(c, x, low, high))
_maps("relu6")(lambda c, x: _clip(c, x, 0.0, 6.0))
_maps("clamp_min")(lambda c, x, low: _clip(c, x, low))
_maps("clamp_max")(lambda c, x, high: _clip(c, x, None, high))


@_maps("hardsigmoid")
def _hardsigmoid(c, x):
    return c.op("HardSigmoid", [x], alpha=1 / 6, beta=0.5)


@_maps("hardswish")
def _hardswish(c, x):
    gate = c.op("HardSigmoid", [x], x.shape, ".gate", alpha=1 / 6, beta=0.5)
    return c.op("Mul", [x, gate])


@_maps("elu")
def _elu(c, x, alpha=1.0, scale=1.0, input_scale=1.0):
    if (scale, input_scale) != (1, 1):
        raise Unmapped("with scales")
    return c.op("Elu", [x], alpha=float(alpha))


@_maps("leaky_relu")
def _leaky_relu(c, x, slope=0.01):
    return c.op("LeakyRelu", [x], alpha=float(slope))


@_maps("prelu")
def _prelu(c, x, slope):
    return c.op("PRelu", [x, slope])


@_maps("gelu")
def _gelu(c, x, approximate="none"):
    return c.op("Gelu", [x], fast_gelu=int(approximate == "tanh"))


@_maps("softmax", "_softmax")
def _softmax(c, x, axis, *_):
    axis = _axis(axis, x.rank)
    if axis == x.rank - 1:
        return c.op("Softmax", [x], axis=axis)
    order = [i for i in range(x.rank) if i != axis] + [axis]
    moved = c.op("Transpose", [x], [x.shape[i] for i in order], ".last", axes=order)
    soft = c.op("Softmax", [moved], moved.shape, ".softmax", axis=x.rank - 1)
    return c.op("Transpose", [soft], axes=[order.index(i) for i in range(x.rank)])


# Convolutions, pools, norms.

def _with_norm(c, weight, bias):
    """Weight and bias of a convolution, with the batch norm folded in where one is all that reads it."""
    users = list(c.node.users)
    if len(users) != 1 or aten_name(users[0]) != "_native_batch_norm_legit_no_training" or not isinstance(weight, Weight):
        return weight, bias
    gamma, beta, mean, var, _, eps = (c.value_of(a) for a in users[0].args[1:])
    scale = (1 if gamma is None else gamma.array) / np.sqrt(var.array.astype(np.float64) + eps)
    shift = (0 if beta is None else beta.array) + ((0 if bias is None else bias.array) - mean.array) * scale
    c.folded.add(users[0])
    name = weight.blob.removesuffix(".weight")
    return (Weight(weight.blob, weight.shape, (weight.array * scale[:, None, None, None]).astype(np.float32)),
            Weight(name + ".bias", shift.shape, shift.astype(np.float32)))


@_maps("conv2d")
def _conv2d(c, x, weight, bias=None, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):
    if isinstance(padding, str):
        raise Unmapped("padding '%s'" % padding)
    weight, bias = _with_norm(c, weight, bias)
    return c.op("Conv", [x, weight] + ([] if bias is None else [bias]), kernels=list(weight.shape[2:]), strides=_pair(stride),
                pads=_pair(padding) * 2, dilations=_pair(dilation), group=groups)


@_maps("conv_transpose2d")
def _deconv(c, x, weight, bias=None, stride=(1, 1), padding=(0, 0), output_padding=(0, 0), groups=1, dilation=(1, 1)):
    if any(d != 1 for d in dilation):
        raise Unmapped("a dilated transposed convolution")
    return c.op("ConvTranspose", [x, weight] + ([] if bias is None else [bias]), kernels=list(weight.shape[2:]), strides=_pair(stride),
                pads=_pair(padding) * 2, adjs=_pair(output_padding), group=groups)


@_maps("_native_batch_norm_legit_no_training")
def _batch_norm(c, x, gamma, beta, mean, var, _, eps):
    if c.node in c.folded:
        return [x, None, None]
    channels = mean.shape[0]
    gamma = gamma or c.constant(np.ones(channels, np.float32), ".ones")
    beta = beta or c.constant(np.zeros(channels, np.float32), ".zeros")
    y = c.op("SpatialBN", [x, gamma, beta, mean, var], x.shape, is_test=1, epsilon=float(eps), order="NCHW")
    return [y, None, None]


@_maps("group_norm")
def _group_norm(c, x, groups, gamma=None, beta=None, eps=1e-5, *_):
    channels = x.shape[1]
    gamma = gamma or c.constant(np.ones(channels, np.float32), ".ones")
    beta = beta or c.constant(np.zeros(channels, np.float32), ".zeros")
    return c.op("GroupNorm", [x, gamma, beta], group=groups, epsilon=float(eps))


@_maps("instance_norm")
def _instance_norm(c, x, gamma, beta, mean, var, use_input_stats, momentum, eps, *_):
    if not use_input_stats:
        raise Unmapped("with running statistics")
    gamma = gamma or c.constant(np.ones(x.shape[1], np.float32), ".ones")
    beta = beta or c.constant(np.zeros(x.shape[1], np.float32), ".zeros")
    return c.op("InstanceNorm", [x, gamma, beta], epsilon=float(eps), order="NCHW")


@_maps("layer_norm")
def _layer_norm(c, x, shape, gamma=None, beta=None, eps=1e-5, *_):
    weights = [gamma, beta] if gamma is not None and beta is not None else []
    if gamma is not None and not weights:
        weights = [gamma, c.constant(np.zeros(gamma.shape, np.float32), ".zeros")]
    return c.op("LayerNorm", [x] + weights, extra=2, axis=x.rank - len(shape), epsilon=float(eps), elementwise_affine=int(bool(weights)))


@_maps("max_pool2d")
def _max_pool(c, x, kernel, stride=(), padding=(0, 0), dilation=(1, 1), ceil_mode=False):
    if ceil_mode or any(d != 1 for d in dilation):
        raise Unmapped("with ceil_mode" if ceil_mode else "with dilation")
    return c.op("MaxPool", [x], kernels=_pair(kernel), strides=_pair(stride or kernel), pads=_pair(padding) * 2)


@_maps("avg_pool2d")
def _avg_pool(c, x, kernel, stride=(), padding=(0, 0), ceil_mode=False, count_include_pad=True, divisor=None):
    if ceil_mode or divisor is not None:
        raise Unmapped("with ceil_mode" if ceil_mode else "with divisor_override")
    return c.op("AveragePool", [x], kernels=_pair(kernel), strides=_pair(stride or kernel), pads=_pair(padding) * 2,
                count_include_pad=int(count_include_pad))


@_maps("adaptive_avg_pool2d")
def _global_pool(c, x, size):
    if list(size) != [1, 1]:
        raise Unmapped("to a size other than 1x1")
    return c.op("AveragePool", [x], global_pooling=1)


def _interpolate(c, x, size, scales, mode, align_corners):
    """By scale where that is given, else to the size of a feature that is there already."""
    if scales is None and all(_fixed(s) for s in list(size) + list(x.shape[2:])):
        scales = [s / n for s, n in zip(size, x.shape[2:])]
    if scales is not None:
        if mode == "nearest" and all(float(s).is_integer() for s in scales):
            return c.op("ResizeNearest", [x], order="NCHW", width_scale=float(scales[1]), height_scale=float(scales[0]))
        return c.op("caffe2rt.Interpolate", [x], mode=mode, align_corners=int(align_corners), height_scale=float(scales[0]),
                    width_scale=float(scales[1]))
    return c.op("caffe2rt.Interpolate", [x, _like(c, size)], mode=mode, align_corners=int(align_corners))


@_maps("upsample_nearest2d")
def _upsample_nearest(c, x, size=None, scales=None, *more):
    if more:  # the form of (size, scale_h, scale_w)
        scales = None if scales is None else [scales, more[0]]
    return _interpolate(c, x, size, scales, "nearest", False)


@_maps("upsample_bilinear2d")
def _upsample_bilinear(c, x, size, align_corners, scales=None, *more):
    if more:
        scales = None if scales is None else [scales, more[0]]
    return _interpolate(c, x, size, scales, "bilinear", align_corners)


def _like(c, sides):
    value = c.feature_where(lambda v: v.rank == 4 and list(v.shape[2:]) == list(sides))
    if value is None:
        raise Unmapped("to a size that no feature has")
    return value


def _pad(c, x, sides, mode, value=0.0):
    if len(sides) != 4 and not (len(sides) == 2 and x.rank == 4):
        raise Unmapped("of other dimensions than height and width")
    left, right, top, bottom = list(sides) + [0] * (4 - len(sides))
    return c.op("PadImage", [x], pad_t=top, pad_l=left, pad_b=bottom, pad_r=right, mode=mode, value=float(value), order="NCHW")


@_maps("constant_pad_nd", "pad")
def _constant_pad(c, x, sides, mode="constant", value=0.0):
    if not isinstance(mode, str):
        mode, value = "constant", mode
    modes = {"constant": "constant", "reflect": "reflect", "replicate": "edge"}
    if mode not in modes:
        raise Unmapped("mode %s" % mode)
    return _pad(c, x, sides, modes[mode], value or 0.0)


@_maps("reflection_pad2d")
def _reflection_pad(c, x, sides):
    return _pad(c, x, sides, "reflect")


@_maps("replication_pad2d")
def _replication_pad(c, x, sides):
    return _pad(c, x, sides, "edge")


# Products.

@_maps("linear")
def _linear(c, x, weight, bias=None):
    if bias is None:
        bias = c.constant(np.zeros(weight.shape[0], np.float32), ".zeros")
    return c.op("FC", [x, weight, bias], axis=x.rank - 1)


@_maps("matmul", "bmm", "mm")
def _matmul(c, a, b):
    if a.rank == b.rank == 2:
        return c.op("MatMul", [a, b])
    if min(a.rank, b.rank) < 2:
        raise Unmapped("with a vector")
    return c.op("BatchMatMul", [a, b], broadcast=int(a.rank != b.rank))


@_maps("addmm")
def _addmm(c, bias, a, b, *, beta=1, alpha=1):
    if (beta, alpha) != (1, 1):
        raise Unmapped("with beta or alpha")
    product = c.op("MatMul", [a, b], (a.shape[0], b.shape[1]), ".product")
    return c.op("Add", [product, bias])


# Shapes.

@_maps("view", "reshape", "_unsafe_view")
def _view(c, x, _):
    """0 keeps a dimension of the input, -1 stands for the one that is open; the sizes of more are read from features."""
    shape, wanted = c.node.meta["val"].shape, []
    for i, s in enumerate(shape):
        kept = i < x.rank and not isinstance(x.shape[i], int) and s == x.shape[i]
        wanted.append(s if isinstance(s, int) else 0 if kept else -1)
    if wanted.count(-1) <= 1:
        return c.op("Reshape", [x], extra=1, shape=wanted)
    return c.op("Reshape", [x, _computed_shape(c, shape)], extra=1)


def _computed_shape(c, shape):
    """A Value with the numbers of a shape, put together from those of features that are there."""
    parts = []
    for k, s in enumerate(shape):
        if isinstance(s, int):
            parts.append(c.constant(np.int64([s]), ".dim%d" % k))
            continue
        feature = c.feature_where(lambda v: any(not isinstance(n, int) and n == s for n in v.shape))
        if feature is None:
            raise Unmapped("to a size that no feature has")
        axis = next(i for i, n in enumerate(feature.shape) if not isinstance(n, int) and n == s)
        parts.append(c.op("Shape", [feature], (1,), ".dim%d" % k, axes=[axis]))
    return c.op("Concat", parts, (len(shape),), ".shape", extra=1, axis=0)


@_maps("permute")
def _permute(c, x, order):
    return c.op("Transpose", [x], axes=[_axis(a, x.rank) for a in order])


@_maps("transpose")
def _transpose(c, x, a, b):
    order = list(range(x.rank))
    a, b = _axis(a, x.rank), _axis(b, x.rank)
    order[a], order[b] = order[b], order[a]
    return c.op("Transpose", [x], axes=order)


@_maps("t")
def _t(c, x):
    return c.op("Transpose", [x], axes=list(range(x.rank))[::-1])


@_maps("unsqueeze")
def _unsqueeze(c, x, axis):
    return c.op("ExpandDims", [x], dims=[_axis(axis, x.rank + 1)])


@_maps("squeeze")
def _squeeze(c, x, axes=None):
    axes = [i for i, s in enumerate(x.shape) if isinstance(s, int) and s == 1] if axes is None else [axes] if isinstance(axes, int) else axes
    return c.op("Squeeze", [x], dims=[_axis(a, x.rank) for a in axes])


@_maps("expand")
def _expand(c, x, shape, **_):
    wanted = [1 if not isinstance(s, int) or s == -1 else s for s in c.node.meta["val"].shape]
    before = [1] * (len(wanted) - x.rank) + list(x.shape)
    if any(not isinstance(s, int) and isinstance(b, int) for s, b in zip(c.node.meta["val"].shape, before)):
        raise Unmapped("to a size that is open")
    blob = c.constant(np.int64(wanted), ".shape")
    return c.op("Expand", [x, blob])


@_maps("repeat")
def _repeat(c, x, times):
    if not all(_fixed(t) for t in times) or len(times) != x.rank:
        raise Unmapped("to other dimensions")
    return c.op("NumpyTile", [x, c.constant(np.int32(times), ".times")])


@_maps("cat")
def _cat(c, values, axis=0):
    return c.op("Concat", values, extra=1, axis=_axis(axis, values[0].rank))


@_maps("stack")
def _stack(c, values, axis=0):
    return c.op("Concat", values, extra=1, axis=_axis(axis, values[0].rank + 1), add_axis=1)


def _sliced(c, x, axis, start, end, suffix="", result=None):
    starts, ends = [0] * x.rank, [-1] * x.rank
    starts[axis], ends[axis] = start, end
    return c.op("Slice", [x], result, suffix, starts=starts, ends=ends)


@_maps("slice")
def _slice(c, x, axis=0, start=None, end=None, step=1):
    axis = _axis(axis, x.rank)
    start, size = start or 0, x.shape[axis]
    whole = end is None or (_fixed(end) and end >= 2 ** 62) or (not _fixed(end) and not _fixed(size) and end == size)
    if start == 0 and whole and step == 1:
        return x
    if step != 1 or not _fixed(start) or not (whole or _fixed(end)) or (not isinstance(size, int) and (start < 0 or (not whole and end < 0))):
        raise Unmapped("with a step, or by a size that is open")
    if isinstance(size, int):
        start, end = range(size)[slice(start, size if whole else end)].start, range(size)[slice(start, size if whole else end)].stop
        return _sliced(c, x, axis, start, end)
    return _sliced(c, x, axis, start, -1 if whole else end)


@_maps("select")
def _select(c, x, axis, index):
    axis = _axis(axis, x.rank)
    if index < 0 and isinstance(x.shape[axis], int):
        index += x.shape[axis]
    if index < 0:
        raise Unmapped("from the end of a dimension that is open")
    shape = x.shape[:axis] + (1,) + x.shape[axis + 1:]
    return c.op("Squeeze", [_sliced(c, x, axis, index, index + 1, ".slice", shape)], dims=[axis])


@_maps("split", "split_with_sizes")
def _split(c, x, _, axis=0):
    shapes, axis = [tuple(v.shape) for v in c.node.meta["val"]], _axis(axis, x.rank)
    if not all(isinstance(s[axis], int) for s in shapes):
        raise Unmapped("of a dimension that is open")
    names = [c.name(".%d" % i) for i in range(len(shapes))]
    return c.ops("Split", [x], names, shapes, axis=axis, split=[s[axis] for s in shapes])


@_maps("index_select")
def _index_select(c, x, axis, index):
    if not isinstance(index, Weight):
        raise Unmapped("by an index that is computed")
    return c.op("Gather", [x, c.constant(index.array.astype(np.int32), ".index")], axis=_axis(axis, x.rank))


# Reductions.

for _name, _type in {"mean": "ReduceMean", "sum": "ReduceSum", "amax": "ReduceMax", "amin": "ReduceMin"}.items():
    def _reduce(c, x, axes=None, keepdim=False, *, dtype=None, type=_type):
        axes = list(range(x.rank)) if not axes else [_axis(a, x.rank) for a in axes]
        return c.op(type, [x], axes=axes, keepdims=int(keepdim))
    _maps(_name)(_reduce)


@_maps("linalg_vector_norm")
def _norm(c, x, order=2, axes=None, keepdim=False, *, dtype=None):
    kinds = {1: "ReduceL1", 2: "ReduceL2"}
    if order not in kinds:
        raise Unmapped("of order %s" % order)
    axes = list(range(x.rank)) if axes is None else [_axis(a, x.rank) for a in axes]
    return c.op(kinds[order], [x], axes=axes, keepdims=int(keepdim))


@_maps("argmax")
def _argmax(c, x, axis=None, keepdim=False):
    if axis is None:
        raise Unmapped("over all dimensions")
    return c.op("ArgMax", [x], axis=_axis(axis, x.rank), keepdims=int(keepdim))


@_maps("topk")
def _topk(c, x, k, axis=-1, largest=True, sorted=True):
    if not largest:
        raise Unmapped("of the smallest")
    names = [c.name(".values"), c.name(".indices")]
    return c.ops("TopK", [x], names, [v.shape for v in c.node.meta["val"]], k=int(k), axis=_axis(axis, x.rank))

