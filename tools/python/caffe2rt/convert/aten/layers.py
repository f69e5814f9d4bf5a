"""Layers: convolutions, pools, norms, resizing and padding, products."""
import numpy as np

from ..capture import Unmapped, Weight, aten_name
from .table import fixed, maps, pair


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


@maps("conv2d")
def _conv2d(c, x, weight, bias=None, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):
    if isinstance(padding, str):
        raise Unmapped("padding '%s'" % padding)
    weight, bias = _with_norm(c, weight, bias)
    return c.op("Conv", [x, weight] + ([] if bias is None else [bias]), kernels=list(weight.shape[2:]), strides=pair(stride),
                pads=pair(padding) * 2, dilations=pair(dilation), group=groups)


@maps("conv_transpose2d")
def _deconv(c, x, weight, bias=None, stride=(1, 1), padding=(0, 0), output_padding=(0, 0), groups=1, dilation=(1, 1)):
    if any(d != 1 for d in dilation):
        raise Unmapped("a dilated transposed convolution")
    return c.op("ConvTranspose", [x, weight] + ([] if bias is None else [bias]), kernels=list(weight.shape[2:]), strides=pair(stride),
                pads=pair(padding) * 2, adjs=pair(output_padding), group=groups)


@maps("_native_batch_norm_legit_no_training")
def _batch_norm(c, x, gamma, beta, mean, var, _, eps):
    if c.node in c.folded:
        return [x, None, None]
    channels = mean.shape[0]
    gamma = gamma or c.constant(np.ones(channels, np.float32), ".ones")
    beta = beta or c.constant(np.zeros(channels, np.float32), ".zeros")
    y = c.op("SpatialBN", [x, gamma, beta, mean, var], x.shape, is_test=1, epsilon=float(eps), order="NCHW")
    return [y, None, None]


@maps("group_norm")
def _group_norm(c, x, groups, gamma=None, beta=None, eps=1e-5, *_):
    channels = x.shape[1]
    gamma = gamma or c.constant(np.ones(channels, np.float32), ".ones")
    beta = beta or c.constant(np.zeros(channels, np.float32), ".zeros")
    return c.op("GroupNorm", [x, gamma, beta], group=groups, epsilon=float(eps))


@maps("instance_norm")
def _instance_norm(c, x, gamma, beta, mean, var, use_input_stats, momentum, eps, *_):
    if not use_input_stats:
        raise Unmapped("with running statistics")
    gamma = gamma or c.constant(np.ones(x.shape[1], np.float32), ".ones")
    beta = beta or c.constant(np.zeros(x.shape[1], np.float32), ".zeros")
    return c.op("InstanceNorm", [x, gamma, beta], epsilon=float(eps), order="NCHW")


@maps("layer_norm")
def _layer_norm(c, x, shape, gamma=None, beta=None, eps=1e-5, *_):
    weights = [gamma, beta] if gamma is not None and beta is not None else []
    if gamma is not None and not weights:
        weights = [gamma, c.constant(np.zeros(gamma.shape, np.float32), ".zeros")]
    return c.op("LayerNorm", [x] + weights, extra=2, axis=x.rank - len(shape), epsilon=float(eps), elementwise_affine=int(bool(weights)))


@maps("max_pool2d")
def _max_pool(c, x, kernel, stride=(), padding=(0, 0), dilation=(1, 1), ceil_mode=False):
    if ceil_mode or any(d != 1 for d in dilation):
        raise Unmapped("with ceil_mode" if ceil_mode else "with dilation")
    return c.op("MaxPool", [x], kernels=pair(kernel), strides=pair(stride or kernel), pads=pair(padding) * 2)


@maps("avg_pool2d")
def _avg_pool(c, x, kernel, stride=(), padding=(0, 0), ceil_mode=False, count_include_pad=True, divisor=None):
    if ceil_mode or divisor is not None:
        raise Unmapped("with ceil_mode" if ceil_mode else "with divisor_override")
    return c.op("AveragePool", [x], kernels=pair(kernel), strides=pair(stride or kernel), pads=pair(padding) * 2,
                count_include_pad=int(count_include_pad))


@maps("adaptive_avg_pool2d")
def _global_pool(c, x, size):
    if list(size) != [1, 1]:
        raise Unmapped("to a size other than 1x1")
    return c.op("AveragePool", [x], global_pooling=1)


def _interpolate(c, x, size, scales, mode, align_corners):
    """By scale where that is given, else to the size of a feature that is there already."""
    if scales is None and all(fixed(s) for s in list(size) + list(x.shape[2:])):
        scales = [s / n for s, n in zip(size, x.shape[2:])]
    if scales is not None:
        if mode == "nearest" and all(float(s).is_integer() for s in scales):
            return c.op("ResizeNearest", [x], order="NCHW", width_scale=float(scales[1]), height_scale=float(scales[0]))
        return c.op("caffe2rt.Interpolate", [x], mode=mode, align_corners=int(align_corners), height_scale=float(scales[0]),
                    width_scale=float(scales[1]))
    return c.op("caffe2rt.Interpolate", [x, _like(c, size)], mode=mode, align_corners=int(align_corners))


@maps("upsample_nearest2d")
def _upsample_nearest(c, x, size=None, scales=None, *more):
    if more:  # the form of (size, scale_h, scale_w)
        scales = None if scales is None else [scales, more[0]]
    return _interpolate(c, x, size, scales, "nearest", False)


@maps("upsample_bilinear2d")
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


@maps("constant_pad_nd", "pad")
def _constant_pad(c, x, sides, mode="constant", value=0.0):
    if not isinstance(mode, str):
        mode, value = "constant", mode
    modes = {"constant": "constant", "reflect": "reflect", "replicate": "edge"}
    if mode not in modes:
        raise Unmapped("mode %s" % mode)
    return _pad(c, x, sides, modes[mode], value or 0.0)


@maps("reflection_pad2d")
def _reflection_pad(c, x, sides):
    return _pad(c, x, sides, "reflect")


@maps("replication_pad2d")
def _replication_pad(c, x, sides):
    return _pad(c, x, sides, "edge")


@maps("linear")
def _linear(c, x, weight, bias=None):
    if bias is None:
        bias = c.constant(np.zeros(weight.shape[0], np.float32), ".zeros")
    return c.op("FC", [x, weight, bias], axis=x.rank - 1)


@maps("matmul", "bmm", "mm")
def _matmul(c, a, b):
    if a.rank == b.rank == 2:
        return c.op("MatMul", [a, b])
    if min(a.rank, b.rank) < 2:
        raise Unmapped("with a vector")
    return c.op("BatchMatMul", [a, b], broadcast=int(a.rank != b.rank))


@maps("addmm")
def _addmm(c, bias, a, b, *, beta=1, alpha=1):
    if (beta, alpha) != (1, 1):
        raise Unmapped("with beta or alpha")
    product = c.op("MatMul", [a, b], (a.shape[0], b.shape[1]), ".product")
    return c.op("Add", [product, bias])
