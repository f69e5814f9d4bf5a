"""The region proposal network: anchors, its head on every level, and what becomes of them.

Source: detectron2/modeling (anchor_generator.py, proposal_generator/rpn.py, rrpn.py) and export/c10.py;
https://arxiv.org/abs/1506.01497, rotated: https://arxiv.org/abs/1703.01086.
"""
import numpy as np

from . import custom
from .errors import ConvertError
from .net_builder import PREFIX

# How the operators treat the angle of a rotated box, and boxes whose far edge is outside. As detectron2's exporter set them.
ANGLES = dict(angle_bound_on=1, angle_bound_lo=-180, angle_bound_hi=180, clip_angle_thresh=1.0)


def _rounded_anchors(sizes, ratios):
    """torchvision's: the same in whole numbers, by aspect ratio, then size."""
    anchors = cell_anchors(sizes, ratios).reshape(len(sizes), len(ratios), 4)
    return anchors.transpose(1, 0, 2).reshape(-1, 4).round()


def cell_anchors(sizes, ratios, angles=None):
    """(A,4) float32 x1 y1 x2 y2 around (0,0), by size, then aspect ratio (height / width); or (A,5) cx cy w h degrees."""
    anchors = []
    for size in sizes:
        for ratio in ratios:
            width = np.sqrt(float(size) ** 2 / ratio)
            height = ratio * width
            if angles is None:
                anchors.append([-width / 2, -height / 2, width / 2, height / 2])
            else:
                anchors += [[0, 0, width, height, angle] for angle in angles]
    return np.array(anchors, np.float32)


def _of_level(key, lists, count):
    """detectron2 lets one list stand for all levels."""
    if not lists or not all(isinstance(one, (list, tuple)) and one for one in lists):
        raise ConvertError("%s: expected a list of lists, got %s" % (key, lists))
    if len(lists) == 1:
        return list(lists) * count
    if len(lists) != count:
        raise ConvertError("%s: expected one list or one for each of %d levels, got %d" % (key, count, len(lists)))
    return lists


def anchors_of_levels(cfg, count):
    """The anchors of each of `count` levels."""
    a = cfg.MODEL.ANCHOR_GENERATOR
    rotated = a.NAME == "RotatedAnchorGenerator"
    if not rotated and a.NAME != "DefaultAnchorGenerator":
        raise ConvertError("MODEL.ANCHOR_GENERATOR.NAME: expected DefaultAnchorGenerator or RotatedAnchorGenerator, got %s" % a.NAME)
    lists = [_of_level("MODEL.ANCHOR_GENERATOR." + key, a[key], count) for key in ("SIZES", "ASPECT_RATIOS")]
    for value in (value for levels in lists for level in levels for value in level):
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not value > 0:
            raise ConvertError("MODEL.ANCHOR_GENERATOR.SIZES, ASPECT_RATIOS: expected positive numbers, got %r" % (value,))
    angles = _of_level("MODEL.ANCHOR_GENERATOR.ANGLES", a.ANGLES, count) if rotated else [None] * count
    if a.get("ROUNDED"):
        return [_rounded_anchors(*level) for level in zip(*lists)]
    return [cell_anchors(*level) for level in zip(*lists, angles)]


def _shifted(anchors, stride, offset):
    """GenerateProposals has no offset of the grid: it is in the anchors."""
    moved = anchors.copy()
    moved[:, :2] += offset * stride
    if anchors.shape[1] == 4:
        moved[:, 2:] += offset * stride
    return moved


def _own_operator(net, cfg, x):
    """The operator for a level's proposals, its inputs and arguments beyond GenerateProposals's: torchvision asks for more in places."""
    data, arguments = [], {}
    # The input's sides are multiples of size_divisibility: there both ways to know a stride agree.
    if cfg.MODEL.ANCHOR_GENERATOR.get("GRID_STRIDES") and (net.size_divisibility or 1) % x.stride:
        data = ["data"]
    threshold = cfg.MODEL.RPN.get("SCORE_THRESH", 0)
    if threshold > 0:
        arguments["score_thresh"] = float(np.log(threshold / (1 - threshold)))
    return "caffe2rt.GenerateProposals" if data or arguments else "GenerateProposals", data, arguments


def build_levels(net, cfg, features):
    """Adds the network. Returns, by level, the blobs of regions, (R,5) batch x1 y1 x2 y2 or (R,6) batch cx cy w h degrees, and of their
    scores, (R) logits; and the levels' Features."""
    rpn, module = cfg.MODEL.RPN, "proposal_generator"
    rotated = cfg.MODEL.PROPOSAL_GENERATOR.NAME == "RRPN"
    if not rotated and cfg.MODEL.PROPOSAL_GENERATOR.NAME != "RPN":
        raise ConvertError("MODEL.PROPOSAL_GENERATOR.NAME: expected RPN or RRPN, got %s" % cfg.MODEL.PROPOSAL_GENERATOR.NAME)
    if tuple(rpn.BBOX_REG_WEIGHTS) != (1.0,) * (5 if rotated else 4):
        raise ConvertError("MODEL.RPN.BBOX_REG_WEIGHTS: GenerateProposals takes no weights but 1, got %s" % (rpn.BBOX_REG_WEIGHTS,))
    levels = [features[n] for n in _known("MODEL.RPN.IN_FEATURES", rpn.IN_FEATURES, features)]
    blobs, own = [], rpn.HEAD_NAME != "StandardRPNHead" and custom.build_rpn_head(net, cfg, levels, module + ".rpn_head")
    for i, (x, anchors) in enumerate(zip(levels, anchors_of_levels(cfg, len(levels)))):
        logits, deltas = own[i] if own else _head(net, cfg, x, module + ".rpn_head", i, len(anchors), anchors.shape[1])
        anchors = _shifted(anchors, x.stride, cfg.MODEL.ANCHOR_GENERATOR.OFFSET)
        blob = net.constant("%s%s.anchor_generator.cell_anchors.%d" % (PREFIX, module, i), anchors)
        outputs = ["rpn_rois", "rpn_roi_probs"] if len(levels) == 1 else ["rpn_rois_%d" % i, "rpn_roi_probs_%d" % i]
        type, data, own_args = _own_operator(net, cfg, x)
        net.op(type, [logits, deltas, net.im_info, blob] + data, outputs, spatial_scale=1.0 / x.stride,
               pre_nms_topN=rpn.PRE_NMS_TOPK_TEST, post_nms_topN=rpn.POST_NMS_TOPK_TEST, nms_thresh=float(rpn.NMS_THRESH),
               min_size=float(cfg.MODEL.PROPOSAL_GENERATOR.MIN_SIZE), **ANGLES, legacy_plus_one=0, **own_args)
        blobs.append(outputs)
    return blobs, levels


def build_proposals(net, cfg, features):
    """The same, and the best of all levels. Returns their blob."""
    blobs, levels = build_levels(net, cfg, features)
    rpn, rotated = cfg.MODEL.RPN, cfg.MODEL.PROPOSAL_GENERATOR.NAME == "RRPN"
    if len(levels) == 1:
        return blobs[0][0]
    rois, scores = map(list, zip(*blobs))
    first = int(levels[0].stride).bit_length() - 1
    collect = "caffe2rt.CollectRotatedRpnProposals" if rotated else "CollectRpnProposals"
    return net.op(collect, rois + scores, "rpn_rois", rpn_max_level=first + len(levels) - 1, rpn_min_level=first,
                  rpn_post_nms_topN=rpn.POST_NMS_TOPK_TEST)


def _known(key, names, features):
    missing = [n for n in names if n not in features]
    if missing or not names:
        raise ConvertError("%s: expected some of %s, got %s" % (key, sorted(features), list(names)))
    return names


def _head(net, cfg, x, module, level, anchors, box):
    """The shared head on one level: logits (N,A,H,W), deltas (N,A*box,H,W)."""
    name = "rpn%d" % level
    hidden, dims = x, list(cfg.MODEL.RPN.CONV_DIMS)
    for i, dim in enumerate(dims):
        conv = "conv" if len(dims) == 1 else "conv.conv%d" % i
        hidden = net.conv(hidden, "%s.%s" % (module, conv), hidden.channels if dim == -1 else dim, 3, "%s.%s" % (name, conv), relu=True)
    logits = net.conv(hidden, module + ".objectness_logits", anchors, 1, name + ".logits")
    deltas = net.conv(hidden, module + ".anchor_deltas", anchors * box, 1, name + ".deltas")
    return logits.blob, deltas.blob
