"""MobileNetV3-Large under a feature pyramid, as torchvision's Faster R-CNN has it.

Source: torchvision/models/mobilenetv3.py, detection/backbone_utils.py; https://arxiv.org/abs/1905.02244.
"""
from .backbone import pool_top
from .net_builder import Feature

# Of each block: side of its depthwise filters, channels inside, channels out, squeeze and excitation, hard-swish (else ReLU), stride.
_BLOCKS = (
    (3, 16, 16, False, False, 1), (3, 64, 24, False, False, 2), (3, 72, 24, False, False, 1), (5, 72, 40, True, False, 2),
    (5, 120, 40, True, False, 1), (5, 120, 40, True, False, 1), (3, 240, 80, False, True, 2), (3, 200, 80, False, True, 1),
    (3, 184, 80, False, True, 1), (3, 184, 80, False, True, 1), (3, 480, 112, True, True, 1), (3, 672, 112, True, True, 1),
    (5, 672, 160, True, True, 2), (5, 960, 160, True, True, 1), (5, 960, 160, True, True, 1))
_STEM, _LAST = 16, 960  # channels
_PYRAMID = (13, 16)     # features under it: the first block of stride 32, and the last layer


def _hard_sigmoid(net, x, blob):
    """relu6(x + 3) / 6"""
    return net.op("HardSigmoid", x, blob, alpha=1 / 6, beta=0.5)


def _activate(net, x, hard_swish):
    if not hard_swish:
        return Feature(net.relu(x.blob), x.channels, x.stride)
    gate = _hard_sigmoid(net, x.blob, x.blob + ".gate")
    return Feature(net.op("Mul", [x.blob, gate], x.blob + ".hard_swish"), x.channels, x.stride)


def _squeezed(channels):
    """A quarter of them, in whole eights, and no less than nine tenths of it."""
    quarter = channels // 4
    eights = max(8, (quarter + 4) // 8 * 8)
    return eights + 8 if eights < 0.9 * quarter else eights


def _excite(net, x, module, name):
    """Squeeze and excitation: each channel times what its mean makes of it."""
    mean = Feature(net.op("AveragePool", x.blob, name + ".mean", global_pooling=1), x.channels)
    squeezed = net.conv(mean, module + ".fc1", _squeezed(x.channels), 1, name + ".fc1", relu=True)
    scale = _hard_sigmoid(net, net.conv(squeezed, module + ".fc2", x.channels, 1, name + ".fc2").blob, name + ".scale")
    return Feature(net.op("Mul", [x.blob, scale], name + ".scaled"), x.channels, x.stride)


def _block(net, x, module, name, shape):
    kernel, inside, channels, excited, hard_swish, stride = shape
    y, part = x, 0
    if inside != x.channels:
        y = net.conv(y, "%s.block.0.conv" % module, inside, 1, name + ".expand", norm="BN")
        y, part = _activate(net, y, hard_swish), 1
    y = net.conv(y, "%s.block.%d.conv" % (module, part), inside, kernel, name + ".depthwise", stride=stride, group=inside, norm="BN")
    y = _activate(net, y, hard_swish)
    if excited:
        part += 1
        y = _excite(net, y, "%s.block.%d" % (module, part), name)
    y = net.conv(y, "%s.block.%d.conv" % (module, part + 1), channels, 1, name + ".project", norm="BN")
    if stride != 1 or channels != x.channels:
        return y
    return Feature(net.op("Add", [y.blob, x.blob], name + ".sum"), channels, y.stride)


def _features(net, x, module):
    """{index: Feature} of the layers under the pyramid."""
    x = _activate(net, net.conv(x, module + ".0.conv", _STEM, 3, "features.0", stride=2, norm="BN"), True)
    found = {}
    for i, shape in enumerate(_BLOCKS, 1):
        x = _block(net, x, "%s.%d" % (module, i), "features.%d" % i, shape)
        found[i] = x
    last = len(_BLOCKS) + 1
    found[last] = _activate(net, net.conv(x, "%s.%d.conv" % (module, last), _LAST, 1, "features.%d" % last, norm="BN"), True)
    return {i: found[i] for i in _PYRAMID}


def build_mobilenet_v3_fpn(net, cfg, x):
    """{p4, p5, p6: Feature}. p4 and p5 are of the same size, 1/32: torchvision's pyramid has no finer level."""
    net.size_divisibility = 32
    features = _features(net, x, "backbone.bottom_up.features")
    levels, above = {}, None
    for level, index in zip((5, 4), reversed(_PYRAMID)):
        lateral = net.conv(features[index], "backbone.fpn_lateral%d" % level, cfg.MODEL.FPN.OUT_CHANNELS, 1, "fpn_lateral%d" % level)
        if above is not None:
            lateral = Feature(net.op("Add", [lateral.blob, above.blob], "fpn_sum%d" % level), lateral.channels, lateral.stride)
        above = lateral
        levels["p%d" % level] = net.conv(lateral, "backbone.fpn_output%d" % level, cfg.MODEL.FPN.OUT_CHANNELS, 3, "p%d" % level)
    levels = dict(sorted(levels.items()))
    pool_top(net, levels, features)
    return levels
