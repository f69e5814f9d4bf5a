"""RetinaNet: two subnets on every level of the pyramid; the boxes are decoded by whoever reads the outputs.

Source: detectron2/modeling/meta_arch/retinanet.py, export/caffe2_modeling.py; https://arxiv.org/abs/1708.02002.
"""
import dataclasses

from . import anchor_pickle
from .errors import ConvertError
from .proposals import anchors_of_levels


def _subnet(net, cfg, x, module, name):
    """The convolutions of one subnet; modules count activations and norms too."""
    r = cfg.MODEL.RETINANET
    if r.NORM not in ("", "GN"):
        raise ConvertError("MODEL.RETINANET.NORM: expected GN or none, got %s" % r.NORM)
    step = 3 if r.NORM else 2
    for i in range(r.NUM_CONVS):
        x = net.conv(x, "%s.%d" % (module, step * i), x.channels, 3, "%s.conv%d" % (name, i), bias=r.get("CONV_BIAS", True))
        blob = net.norm(x.blob, "%s.%d" % (module, step * i + 1), x.channels, r.NORM, x.blob + ".norm") if r.NORM else x.blob
        x = dataclasses.replace(x, blob=net.relu(blob))
    return x


def build_retinanet(net, cfg, features):
    """Adds the heads. Returns the outputs' names and the net's arguments."""
    r = cfg.MODEL.RETINANET
    missing = [n for n in r.IN_FEATURES if n not in features]
    if missing or not r.IN_FEATURES:
        raise ConvertError("MODEL.RETINANET.IN_FEATURES: expected some of %s, got %s" % (sorted(features), r.IN_FEATURES))
    levels = [features[n] for n in r.IN_FEATURES]
    anchors = anchors_of_levels(cfg, len(levels))
    if len({len(a) for a in anchors}) != 1 or anchors[0].shape[1] != 4:
        raise ConvertError("MODEL.ANCHOR_GENERATOR: expected upright anchors, as many on every level")
    count, outputs = len(anchors[0]), []
    for i, x in enumerate(levels):
        net.rename(x.blob, "feature_%d" % i)
        levels[i] = dataclasses.replace(x, blob="feature_%d" % i)
    for i, x in enumerate(levels):
        cls = _subnet(net, cfg, x, "head.cls_subnet", "cls%d" % i)
        net.conv(cls, "head.cls_score", count * r.NUM_CLASSES, 3, "box_cls_%d" % i)
        box = _subnet(net, cfg, x, "head.bbox_subnet", "bbox%d" % i)
        net.conv(box, "head.bbox_pred", count * 4, 3, "box_delta_%d" % i)
        outputs += ["box_cls_%d" % i, "box_delta_%d" % i]
    arguments = dict(score_threshold=float(r.SCORE_THRESH_TEST), topk_candidates=r.TOPK_CANDIDATES_TEST,
                     nms_threshold=float(r.NMS_THRESH_TEST), max_detections_per_image=cfg.TEST.DETECTIONS_PER_IMAGE,
                     bbox_reg_weights=[float(w) for w in r.BBOX_REG_WEIGHTS],
                     serialized_anchor_generator=anchor_pickle.dump(anchors, [x.stride for x in levels], cfg.MODEL.ANCHOR_GENERATOR.OFFSET))
    if cfg.MODEL.ANCHOR_GENERATOR.get("GRID_STRIDES"):
        arguments["anchor_strides"] = "of_grid"
    if r.get("CLIP_BEFORE_NMS"):
        arguments["clip_before_nms"] = 1
    return ["im_info"] + [x.blob for x in levels] + outputs, arguments
