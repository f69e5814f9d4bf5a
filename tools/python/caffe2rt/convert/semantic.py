"""The semantic head of Panoptic FPN: every level brought to one stride, added up, and a class for each pixel.

Source: detectron2/modeling/meta_arch/semantic_seg.py (SemSegFPNHead); https://arxiv.org/abs/1901.02446. Its bilinear enlargement
is a ConvTranspose of fixed weights, as detectron2's exporter wrote it (export/c10.py, BilinearInterpolation).
"""
import numpy as np

from . import custom
from .errors import ConvertError
from .net_builder import Feature


def _enlarge(net, x, factor, blob):
    """Bilinear enlargement without aligned corners, each channel for itself."""
    kernel = 2 * factor
    centre = factor - 0.5
    ramp = 1 - np.abs(np.arange(kernel) - centre) / factor
    weight = np.zeros((x.channels, x.channels, kernel, kernel), np.float32)
    weight[range(x.channels), range(x.channels)] = np.outer(ramp, ramp)
    name = net.constant("bilinear_x%d_%d" % (factor, x.channels), weight)
    y = net.op("ConvTranspose", [x.blob, name], blob, dilations=[1, 1], group=1, kernels=[kernel] * 2, pads=[factor // 2] * 4,
               strides=[factor] * 2)
    return Feature(y, x.channels, x.stride / factor)


def build_semantic_head(net, cfg, features):
    """Adds the head. Returns its output's name: sem_seg, (N,classes,H,W) logits a pixel of the padded image."""
    head, module = cfg.MODEL.SEM_SEG_HEAD, "sem_seg_head"
    missing = [n for n in head.IN_FEATURES if n not in features]
    if missing or not head.IN_FEATURES:
        raise ConvertError("MODEL.SEM_SEG_HEAD.IN_FEATURES: expected some of %s, got %s" % (sorted(features), head.IN_FEATURES))
    if head.NAME != "SemSegFPNHead":
        logits = custom.build_semantic_head(net, cfg, {n: features[n] for n in head.IN_FEATURES}, module)
        return _enlarge(net, logits, head.COMMON_STRIDE, "sem_seg").blob
    total = None
    for name in head.IN_FEATURES:
        x = features[name]
        steps = max(1, int(np.log2(x.stride) - np.log2(head.COMMON_STRIDE)))
        for i in range(steps):
            blob = "sem_seg.%s.%d" % (name, 2 * i)
            x = net.conv(x, "%s.%s.%d" % (module, name, 2 * i), head.CONVS_DIM, 3, blob, norm=head.NORM, bias=not head.NORM, relu=True)
            if x.stride != head.COMMON_STRIDE:
                x = _enlarge(net, x, 2, blob + ".up")
        total = x if total is None else Feature(net.op("Add", [total.blob, x.blob], "sem_seg.%s.sum" % name), x.channels, x.stride)
    logits = net.conv(total, module + ".predictor", head.NUM_CLASSES, 1, "sem_seg.predictor")
    return _enlarge(net, logits, head.COMMON_STRIDE, "sem_seg").blob
