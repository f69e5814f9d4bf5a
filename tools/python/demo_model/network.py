"""detectron2's Mask R-CNN with FPN on a ResNet of basic blocks, in plain PyTorch: the parts that have parameters, by detectron2's names.

Source: detectron2/modeling (backbone/resnet.py, backbone/fpn.py, proposal_generator/rpn.py, roi_heads); https://arxiv.org/abs/1703.06870.
"""
import math

import torch
import torch.nn.functional as F
import torchvision.ops as ops
from torch import nn

_BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3)}


class Conv(nn.Conv2d):
    """A convolution with its norm inside, as detectron2 names them: weight, bias (without norm), norm.*"""

    def __init__(self, inputs, outputs, kernel, stride=1, norm=""):
        super().__init__(inputs, outputs, kernel, stride, kernel // 2, bias=not norm)
        nn.init.kaiming_normal_(self.weight, mode="fan_out", nonlinearity="relu")
        if self.bias is not None:
            nn.init.zeros_(self.bias)
        if norm not in ("", "BN"):
            raise ValueError("norm: expected BN or none, got %s" % norm)
        self.norm = nn.BatchNorm2d(outputs) if norm else None

    def forward(self, x):
        x = super().forward(x)
        return self.norm(x) if self.norm else x


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride, norm):
        super().__init__()
        self.conv1, self.conv2 = Conv(inputs, outputs, 3, stride, norm), Conv(outputs, outputs, 3, 1, norm)
        self.shortcut = Conv(inputs, outputs, 1, stride, norm) if inputs != outputs else None

    def forward(self, x):
        y = self.conv2(F.relu(self.conv1(x)))
        return F.relu(y + (self.shortcut(x) if self.shortcut else x))


class BottomUp(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        r = cfg.MODEL.RESNETS
        self.stem = nn.Module()
        self.stem.conv1 = Conv(3, r.STEM_OUT_CHANNELS, 7, 2, r.NORM)
        channels, self.channels = r.STEM_OUT_CHANNELS, {}
        for i, name in enumerate(r.OUT_FEATURES):
            width, blocks = r.RES2_OUT_CHANNELS << i, []
            for k in range(_BLOCKS[r.DEPTH][i]):
                blocks.append(Block(channels, width, 2 if i and k == 0 else 1, r.NORM))
                channels = width
            self.add_module(name, nn.Sequential(*blocks))
            self.channels[name] = width

    def forward(self, x):
        x, features = F.max_pool2d(F.relu(self.stem.conv1(x)), 3, 2, 1), {}
        for name in self.channels:
            features[name] = x = getattr(self, name)(x)
        return features


class FpnBackbone(nn.Module):
    """{p2.. : features}, and one level more by taking every second pixel."""

    def __init__(self, cfg):
        super().__init__()
        self.bottom_up = BottomUp(cfg)
        self.levels = [int(name[3:]) for name in cfg.MODEL.FPN.IN_FEATURES]
        for level in self.levels:
            inputs, outputs, norm = self.bottom_up.channels["res%d" % level], cfg.MODEL.FPN.OUT_CHANNELS, cfg.MODEL.FPN.NORM
            self.add_module("fpn_lateral%d" % level, Conv(inputs, outputs, 1, 1, norm))
            self.add_module("fpn_output%d" % level, Conv(outputs, outputs, 3, 1, norm))

    def forward(self, x):
        stages, levels, above = self.bottom_up(x), {}, None
        for level in reversed(self.levels):
            lateral = getattr(self, "fpn_lateral%d" % level)(stages["res%d" % level])
            above = lateral if above is None else lateral + F.interpolate(above, scale_factor=2.0, mode="nearest")
            levels["p%d" % level] = getattr(self, "fpn_output%d" % level)(above)
        top = self.levels[-1]
        levels["p%d" % (top + 1)] = F.max_pool2d(levels["p%d" % top], 1, 2)
        return levels


class RpnHead(nn.Module):
    """Per level: objectness (N,A,h,w) and deltas (N,A*4,h,w)."""

    def __init__(self, cfg):
        super().__init__()
        channels, anchors = cfg.MODEL.FPN.OUT_CHANNELS, len(cfg.MODEL.ANCHOR_GENERATOR.ASPECT_RATIOS[0])
        self.conv = Conv(channels, channels, 3)
        self.objectness_logits, self.anchor_deltas = Conv(channels, anchors, 1), Conv(channels, anchors * 4, 1)
        nn.init.normal_(self.objectness_logits.weight, std=0.01)
        nn.init.normal_(self.anchor_deltas.weight, std=0.01)

    def forward(self, x):
        x = F.relu(self.conv(x))
        return self.objectness_logits(x), self.anchor_deltas(x)


class BoxHead(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        head = cfg.MODEL.ROI_BOX_HEAD
        inputs, self.fcs = cfg.MODEL.FPN.OUT_CHANNELS * head.POOLER_RESOLUTION ** 2, []
        for i in range(1, head.NUM_FC + 1):
            self.add_module("fc%d" % i, nn.Linear(inputs, head.FC_DIM))
            self.fcs.append("fc%d" % i)
            inputs = head.FC_DIM

    def forward(self, x):
        x = x.flatten(1)
        for name in self.fcs:
            x = F.relu(getattr(self, name)(x))
        return x


class MaskHead(nn.Module):
    """(R,classes,28,28) logits."""

    def __init__(self, cfg):
        super().__init__()
        head, inputs = cfg.MODEL.ROI_MASK_HEAD, cfg.MODEL.FPN.OUT_CHANNELS
        self.convs = []
        for i in range(1, head.NUM_CONV + 1):
            self.add_module("mask_fcn%d" % i, Conv(inputs, head.CONV_DIM, 3, 1, head.NORM))
            self.convs.append("mask_fcn%d" % i)
            inputs = head.CONV_DIM
        self.deconv = nn.ConvTranspose2d(inputs, head.CONV_DIM, 2, 2)
        self.predictor = Conv(head.CONV_DIM, 1 if head.CLS_AGNOSTIC_MASK else cfg.MODEL.ROI_HEADS.NUM_CLASSES, 1)

    def forward(self, x):
        for name in self.convs:
            x = F.relu(getattr(self, name)(x))
        return self.predictor(F.relu(self.deconv(x)))


class MaskRcnn(nn.Module):
    """The network of a configuration (caffe2rt.convert.config). Its state_dict is a checkpoint of detectron2's."""

    def __init__(self, cfg):
        super().__init__()
        self.cfg, heads = cfg, nn.Module()
        self.backbone = FpnBackbone(cfg)
        self.proposal_generator = nn.Module()
        self.proposal_generator.rpn_head = RpnHead(cfg)
        heads.box_head, heads.box_predictor, heads.mask_head = BoxHead(cfg), nn.Module(), MaskHead(cfg)
        classes, features = cfg.MODEL.ROI_HEADS.NUM_CLASSES, cfg.MODEL.ROI_BOX_HEAD.FC_DIM
        heads.box_predictor.cls_score = nn.Linear(features, classes + 1)
        heads.box_predictor.bbox_pred = nn.Linear(features, 4 if cfg.MODEL.ROI_BOX_HEAD.CLS_AGNOSTIC_BBOX_REG else 4 * classes)
        nn.init.normal_(heads.box_predictor.cls_score.weight, std=0.01)
        nn.init.normal_(heads.box_predictor.bbox_pred.weight, std=0.001)
        self.roi_heads = heads
        self.register_buffer("mean", torch.tensor(cfg.MODEL.PIXEL_MEAN).reshape(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(cfg.MODEL.PIXEL_STD).reshape(3, 1, 1), persistent=False)

    def features(self, images):
        """{level: (N,C,h,w)} of (N,3,H,W) BGR 0..255."""
        return self.backbone(((images - self.mean) / self.std).contiguous(memory_format=torch.channels_last))

    def pool(self, levels, boxes, head):
        """(R,C,S,S) of a list of (R_i,4) boxes, one an image, as the configuration of a head says."""
        resolution, ratio = head.POOLER_RESOLUTION, head.POOLER_SAMPLING_RATIO
        names = self.cfg.MODEL.ROI_HEADS.IN_FEATURES
        rois = torch.cat([torch.cat([torch.full((len(b), 1), float(i)), b], 1) for i, b in enumerate(boxes)])
        size = ((rois[:, 3] - rois[:, 1]) * (rois[:, 4] - rois[:, 2])).clamp(min=0).sqrt()
        wanted = (4 + torch.log2(size / 224 + 1e-8)).floor().clamp(int(names[0][1:]), int(names[-1][1:]))
        out = levels[names[0]].new_zeros(len(rois), levels[names[0]].shape[1], resolution, resolution)
        for name in names:
            here = (wanted == int(name[1:])).nonzero()[:, 0]
            if len(here):
                pooled = ops.roi_align(levels[name].contiguous(), rois[here].to(levels[name].dtype), resolution,
                                       1 / 2 ** int(name[1:]), ratio, aligned=True)
                out = out.index_copy(0, here, pooled)
        return out


MAX_LOG = math.log(1000 / 16)


def encode(boxes, targets, weights):
    """(R,4) deltas that turn boxes into targets."""
    size, other = boxes[:, 2:] - boxes[:, :2], targets[:, 2:] - targets[:, :2]
    shift = (targets[:, :2] + other / 2 - boxes[:, :2] - size / 2) / size
    return torch.cat([shift, torch.log(other / size)], 1) * torch.tensor(weights)


def decode(boxes, deltas, weights):
    """(R,4) boxes that deltas turn boxes into."""
    size, deltas = boxes[:, 2:] - boxes[:, :2], deltas / torch.tensor(weights)
    centre = boxes[:, :2] + size * (0.5 + deltas[:, :2])
    half = size * torch.exp(deltas[:, 2:].clamp(max=MAX_LOG)) / 2
    return torch.cat([centre - half, centre + half], 1)
