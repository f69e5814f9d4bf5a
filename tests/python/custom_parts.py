"""Parts as a user writes them: what --import is tried with."""
import torch
import torch.nn.functional as F
from caffe2rt.parts import BACKBONE_REGISTRY, ROI_BOX_HEAD_REGISTRY, ROI_MASK_HEAD_REGISTRY, RPN_HEAD_REGISTRY
from torch import nn


def add_config(cfg):
    """Keys of our own."""
    cfg.MODEL.SHUFFLE = {"STEM": 8}


class Attention(nn.Module):
    """Self-attention over a coarse grid, with everything that reshapes."""

    def __init__(self, channels):
        super().__init__()
        self.qkv, self.norm = nn.Linear(channels, 3 * channels), nn.LayerNorm(channels)

    def forward(self, x):
        n, c, h, w = x.shape
        tokens = self.norm(x.flatten(2).transpose(1, 2))
        q, k, v = self.qkv(tokens).chunk(3, -1)
        mixed = torch.softmax(q @ k.transpose(-2, -1) * c ** -0.5, -1) @ v
        return x + mixed.transpose(1, 2).reshape(n, c, h, w)


class Scaled(nn.Module):
    """A constant of the module's own, which no checkpoint holds."""

    def __init__(self):
        super().__init__()
        self.register_buffer("factor", torch.tensor([1.0, 2.0, 3.0]).reshape(3, 1, 1), persistent=False)

    def forward(self, x):
        return x * self.factor


class Unit(nn.Module):
    """A ShuffleNet unit with squeeze and excitation."""

    def __init__(self, inputs, outputs):
        super().__init__()
        half = outputs // 2
        self.left = nn.Sequential(nn.Conv2d(inputs, inputs, 3, 2, 1, groups=inputs, bias=False), nn.BatchNorm2d(inputs), nn.Conv2d(inputs, half, 1))
        self.right = nn.Sequential(nn.Conv2d(inputs, half, 1), nn.SiLU(inplace=True), nn.Conv2d(half, half, 3, 2, 1, groups=half), nn.Hardswish())
        self.gate = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(outputs, 4, 1), nn.ReLU(inplace=True), nn.Conv2d(4, outputs, 1), nn.Hardsigmoid())

    def forward(self, x):
        y = torch.cat([self.left(x), self.right(x)], 1)
        y = y * self.gate(y)
        n, c, h, w = y.shape
        return y.view(n, 2, c // 2, h, w).transpose(1, 2).reshape(n, c, h, w)


@BACKBONE_REGISTRY.register()
class ShuffleBackbone(nn.Module):
    """A backbone with its own neck, which enlarges to the size of the level below."""

    def __init__(self, cfg, input_shape):
        super().__init__()
        stem = cfg.MODEL.get("SHUFFLE", {"STEM": 8})["STEM"]
        self.stem = nn.Sequential(nn.Conv2d(input_shape.channels, stem, 3, 2, 1, bias=False), nn.BatchNorm2d(stem), nn.ReLU6(inplace=True))
        self.stages = nn.ModuleList([Unit(stem, 16), Unit(16, 16), Unit(16, 24), Unit(24, 32)])
        self.lateral = nn.ModuleList([nn.Conv2d(c, 16, 1) for c in (16, 16, 24, 32)])

    def forward(self, image):
        x, features = self.stem(image), []
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        above, out = None, {}
        for level in (5, 4, 3, 2):
            x = self.lateral[level - 2](features[level - 2])
            above = x if above is None else x + F.interpolate(above, size=x.shape[-2:], mode="bilinear", align_corners=False)
            out["p%d" % level] = above
        out["p6"] = F.max_pool2d(out["p5"], 1, 2)
        return out


@RPN_HEAD_REGISTRY.register()
class SeparableRpnHead(nn.Module):
    def __init__(self, cfg, input_shape):
        super().__init__()
        channels, anchors = input_shape[0].channels, 3
        self.conv = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)
        self.objectness_logits, self.anchor_deltas = nn.Conv2d(channels, anchors, 1), nn.Conv2d(channels, 4 * anchors, 1)

    def forward(self, features):
        hidden = [F.gelu(self.conv(x)) for x in features]
        return [self.objectness_logits(x) for x in hidden], [self.anchor_deltas(x) for x in hidden]


@ROI_BOX_HEAD_REGISTRY.register()
class MeanBoxHead(nn.Module):
    def __init__(self, cfg, input_shape):
        super().__init__()
        self.conv, self.fc = nn.Conv2d(input_shape.channels, 16, 3, padding=1), nn.Linear(16, 20)

    def forward(self, x):
        return F.elu(self.fc(F.leaky_relu(self.conv(x)).mean((2, 3))))


@ROI_MASK_HEAD_REGISTRY.register()
class BilinearMaskHead(nn.Module):
    """Of detectron2's form: layers() without losses."""

    def __init__(self, cfg, input_shape):
        super().__init__()
        self.conv, self.predictor = nn.Conv2d(input_shape.channels, 8, 3, padding=1), nn.Conv2d(8, cfg.MODEL.ROI_HEADS.NUM_CLASSES, 1)

    def layers(self, x):
        return self.predictor(F.interpolate(F.relu(self.conv(x)), scale_factor=2, mode="bilinear", align_corners=False))

    def forward(self, x, instances):
        raise AssertionError("a head with layers() is not called itself")


@ROI_MASK_HEAD_REGISTRY.register()
class WrongMaskHead(BilinearMaskHead):
    def layers(self, x):
        return super().layers(x)[:, :2]


@BACKBONE_REGISTRY.register()
def BrokenBackbone(cfg, input_shape):
    return 1 / 0
