"""detectron2's backbones: ResNet and ResNeXt, alone or under a feature pyramid.

Source: detectron2/modeling/backbone (resnet.py, fpn.py); https://arxiv.org/abs/1512.03385, https://arxiv.org/abs/1612.03144.
"""
import numpy as np

from . import custom
from .errors import ConvertError
from .net_builder import Feature

_BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}


class ResNetStage:
    """The shape of stage 2 to 5 as MODEL.RESNETS has it, built where it is wanted: C4 heads build stage 5 on regions."""

    def __init__(self, cfg, stage):
        r = cfg.MODEL.RESNETS
        if r.DEPTH not in _BLOCKS:
            raise ConvertError("MODEL.RESNETS.DEPTH: expected one of %s, got %s" % (sorted(_BLOCKS), r.DEPTH))
        if stage == 5 and r.RES5_DILATION not in (1, 2):
            raise ConvertError("MODEL.RESNETS.RES5_DILATION: expected 1 or 2, got %s" % r.RES5_DILATION)
        index = stage - 2
        self.blocks = _BLOCKS[r.DEPTH][index]
        self.basic = r.DEPTH in (18, 34)
        self.width = r.NUM_GROUPS * r.WIDTH_PER_GROUP << index
        self.channels = r.RES2_OUT_CHANNELS << index
        self.dilation = r.RES5_DILATION if stage == 5 else 1
        self.stride = 1 if stage == 2 or self.dilation == 2 else 2
        self.stride_in_1x1 = r.STRIDE_IN_1X1
        self.group = r.NUM_GROUPS
        self.norm = r.NORM
        self.deform = dict(deformable_group=r.DEFORM_NUM_GROUPS, modulated=r.DEFORM_MODULATED) if r.DEFORM_ON_PER_STAGE[index] else None
        if self.basic and (r.NUM_GROUPS != 1 or self.dilation != 1 or self.deform):
            raise ConvertError("MODEL.RESNETS: a ResNet-%d has no groups, no dilation and no deformable convolutions" % r.DEPTH)

    def build(self, net, x, module, name):
        """Adds the stage: parameters by `module`, blobs by `name`. Returns its Feature."""
        for i in range(self.blocks):
            stride = self.stride if i == 0 else 1
            x = self._block(net, x, "%s.%d" % (module, i), "%s.%d" % (name, i), stride)
        return x

    def _block(self, net, x, module, name, stride):
        convs = self._basic if self.basic else self._bottleneck
        y = convs(net, x, module, name, stride)
        shortcut = x
        if x.channels != self.channels:
            shortcut = net.conv(x, module + ".shortcut", self.channels, 1, name + ".shortcut", stride=stride, norm=self.norm, bias=False)
        total = net.op("Add", [y.blob, shortcut.blob], name + ".sum")
        return Feature(net.relu(total), self.channels, y.stride)

    def _basic(self, net, x, module, name, stride):
        x = net.conv(x, module + ".conv1", self.channels, 3, name + ".conv1", stride=stride, norm=self.norm, bias=False, relu=True)
        return net.conv(x, module + ".conv2", self.channels, 3, name + ".conv2", norm=self.norm, bias=False)

    def _bottleneck(self, net, x, module, name, stride):
        first, second = (stride, 1) if self.stride_in_1x1 else (1, stride)
        x = net.conv(x, module + ".conv1", self.width, 1, name + ".conv1", stride=first, norm=self.norm, bias=False, relu=True)
        convolution = dict(stride=second, dilation=self.dilation, group=self.group, norm=self.norm, relu=True)
        if self.deform:
            x = net.deform_conv(x, module + ".conv2", self.width, name + ".conv2", **convolution, **self.deform)
        else:
            x = net.conv(x, module + ".conv2", self.width, 3, name + ".conv2", bias=False, **convolution)
        return net.conv(x, module + ".conv3", self.channels, 1, name + ".conv3", norm=self.norm, bias=False)


def build_resnet(net, cfg, x, module):
    """{feature name: Feature} of every stage up to the last that MODEL.RESNETS.OUT_FEATURES names."""
    wanted = cfg.MODEL.RESNETS.OUT_FEATURES
    known = {"stem", "res2", "res3", "res4", "res5"}
    if not wanted or not set(wanted) <= known:
        raise ConvertError("MODEL.RESNETS.OUT_FEATURES: expected some of %s, got %s" % (sorted(known), wanted))
    r = cfg.MODEL.RESNETS
    x = net.conv(x, module + ".stem.conv1", r.STEM_OUT_CHANNELS, 7, "stem.conv1", stride=2, norm=r.NORM, bias=False, relu=True)
    pooled = net.op("MaxPool", x.blob, "stem.pool", strides=[2, 2], pads=[1] * 4, kernels=[3, 3])
    x = Feature(pooled, x.channels, x.stride * 2)
    features = {"stem": x}
    for stage in range(2, 1 + max((int(n[3:]) for n in wanted if n != "stem"), default=1)):
        x = ResNetStage(cfg, stage).build(net, x, "%s.res%d" % (module, stage), "res%d" % stage)
        features["res%d" % stage] = x
    return {n: features[n] for n in wanted}


def _level(feature):
    return int(feature.stride).bit_length() - 1


def build_fpn(net, cfg, bottom_up, module, top):
    """{p2..: Feature}. top(net, features, p_top) adds the levels above the pyramid's own."""
    fpn = cfg.MODEL.FPN
    if fpn.FUSE_TYPE not in ("sum", "avg"):
        raise ConvertError("MODEL.FPN.FUSE_TYPE: expected sum or avg, got %s" % fpn.FUSE_TYPE)
    missing = [n for n in fpn.IN_FEATURES if n not in bottom_up]
    if missing or not fpn.IN_FEATURES:
        raise ConvertError("MODEL.FPN.IN_FEATURES: expected some of %s, got %s" % (sorted(bottom_up), fpn.IN_FEATURES))
    strides = [bottom_up[n].stride for n in fpn.IN_FEATURES]
    if any(b != 2 * a for a, b in zip(strides, strides[1:])):
        raise ConvertError("MODEL.FPN.IN_FEATURES: expected strides that double, got %s of %s" % (strides, fpn.IN_FEATURES))
    levels, above = {}, None
    for name in reversed(fpn.IN_FEATURES):
        feature = bottom_up[name]
        level = _level(feature)
        lateral = net.conv(feature, "%s.fpn_lateral%d" % (module, level), fpn.OUT_CHANNELS, 1, "fpn_lateral%d" % level, norm=fpn.NORM)
        if above is not None:
            upsampled = net.op("ResizeNearest", above.blob, "fpn_up%d" % level, order="NCHW", width_scale=2.0, height_scale=2.0)
            merged = net.op("Add", [lateral.blob, upsampled], "fpn_sum%d" % level)
            if fpn.FUSE_TYPE == "avg":
                two = net.constant("fpn_two", np.array([2.0], np.float32))
                merged = net.op("Div", [merged, two], "fpn_mean%d" % level, broadcast=1)
            lateral = Feature(merged, lateral.channels, lateral.stride)
        above = lateral
        levels["p%d" % level] = net.conv(lateral, "%s.fpn_output%d" % (module, level), fpn.OUT_CHANNELS, 3, "p%d" % level, norm=fpn.NORM)
    levels = dict(sorted(levels.items()))
    top(net, levels, bottom_up)
    return levels



def pool_top(net, levels, _):
    """LastLevelMaxPool: p6 is every second pixel of p5."""
    last = list(levels)[-1]
    name = "p%d" % (int(last[1:]) + 1)
    x = levels[last]
    blob = net.op("MaxPool", x.blob, name, strides=[2, 2], pads=[0] * 4, kernels=[1, 1])
    levels[name] = Feature(blob, x.channels, x.stride * 2)


def _p6_p7_top(module, cfg):
    """LastLevelP6P7: two convolutions of stride 2 on the last stage, or on the level that the configuration names."""
    in_feature = cfg.MODEL.FPN.get("TOP_IN_FEATURE", "res5")

    def top(net, levels, bottom_up):
        channels = next(iter(levels.values())).channels
        p6 = net.conv({**bottom_up, **levels}[in_feature], module + ".top_block.p6", channels, 3, "p6", stride=2)
        relu = Feature(net.relu(p6.blob), channels, p6.stride)
        levels["p6"] = p6
        levels["p7"] = net.conv(relu, module + ".top_block.p7", channels, 3, "p7", stride=2)
    return top


def _fpn_on_resnet(top_of):
    def build(net, cfg, x):
        bottom_up = build_resnet(net, cfg, x, "backbone.bottom_up")
        return build_fpn(net, cfg, bottom_up, "backbone", top_of("backbone", cfg))
    return build


BACKBONES = {
    "build_resnet_backbone": lambda net, cfg, x: build_resnet(net, cfg, x, "backbone"),
    "build_resnet_fpn_backbone": _fpn_on_resnet(lambda module, cfg: pool_top),
    "build_retinanet_resnet_fpn_backbone": _fpn_on_resnet(_p6_p7_top),
}


def _mobilenet(net, cfg, x):
    from .mobilenet import build_mobilenet_v3_fpn
    return build_mobilenet_v3_fpn(net, cfg, x)


BACKBONES["torchvision_mobilenet_v3_large_fpn"] = _mobilenet


def build_backbone(net, cfg, x):
    """{name: Feature} of the backbone that MODEL.BACKBONE.NAME names, on the normalised image."""
    name = cfg.MODEL.BACKBONE.NAME
    if name in BACKBONES:
        return BACKBONES[name](net, cfg, x)
    return custom.build_backbone(net, cfg, x, sorted(BACKBONES))


def size_divisibility(cfg):
    """What the sides of the net's input must be multiples of: the largest stride under a pyramid; 0: any size."""
    if "fpn" not in cfg.MODEL.BACKBONE.NAME:
        return 0
    return max(2 ** int(n[3:]) for n in cfg.MODEL.FPN.IN_FEATURES)
