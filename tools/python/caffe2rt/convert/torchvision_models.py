"""torchvision's detectors by detectron2's configuration and names: the same networks, put together a little differently.

Source: torchvision/models/detection (faster_rcnn.py, mask_rcnn.py, anchor_utils.py, transform.py).
"""
import re

import numpy as np

from .config import default_config
from .errors import ConvertError

_CLASSES = 90  # of COCO with its gaps, without background

# Applied in this order.
_RENAMES = [
    (r"^backbone\.body\.conv1\.", "backbone.bottom_up.stem.conv1."),
    (r"^backbone\.body\.bn1\.", "backbone.bottom_up.stem.conv1.norm."),
    (r"^backbone\.body\.layer1\.", "backbone.bottom_up.res2."),
    (r"^backbone\.body\.layer2\.", "backbone.bottom_up.res3."),
    (r"^backbone\.body\.layer3\.", "backbone.bottom_up.res4."),
    (r"^backbone\.body\.layer4\.", "backbone.bottom_up.res5."),
    (r"\.bn(\d)\.", r".conv\1.norm."),
    (r"\.downsample\.0\.", ".shortcut."),
    (r"\.downsample\.1\.", ".shortcut.norm."),
    (r"^rpn\.head\.conv\.(0\.0\.)?", "proposal_generator.rpn_head.conv."),
    (r"^rpn\.head\.cls_logits\.", "proposal_generator.rpn_head.objectness_logits."),
    (r"^rpn\.head\.bbox_pred\.", "proposal_generator.rpn_head.anchor_deltas."),
    (r"^roi_heads\.box_head\.fc6\.", "roi_heads.box_head.fc1."),
    (r"^roi_heads\.box_head\.fc7\.", "roi_heads.box_head.fc2."),
    (r"^roi_heads\.mask_predictor\.conv5_mask\.", "roi_heads.mask_head.deconv."),
    (r"^roi_heads\.mask_predictor\.mask_fcn_logits\.", "roi_heads.mask_head.predictor."),
]


def _rename(name):
    pyramid = re.match(r"backbone\.fpn\.(inner|layer)_blocks\.(\d)\.(?:0\.)?(\w+)$", name)
    if pyramid:
        kind, level, part = pyramid.groups()
        return "backbone.fpn_%s%d.%s" % ("lateral" if kind == "inner" else "output", int(level) + 2, part)
    mask = re.match(r"roi_heads\.mask_head\.(?:mask_fcn(\d)|(\d)\.0)\.(\w+)$", name)
    if mask:
        return "roi_heads.mask_head.mask_fcn%d.%s" % (int(mask[1]) if mask[1] else int(mask[2]) + 1, mask[3])
    for pattern, replacement in _RENAMES:
        name = re.sub(pattern, replacement, name)
    return name


def to_detectron2(parameters):
    """{detectron2's name: array}. torchvision's class 0 is the background, detectron2's last."""
    converted = {}
    for name, value in parameters.items():
        new = _rename(name)
        if ".box_predictor.cls_score." in new:
            value = np.concatenate([value[1:], value[:1]])
        elif ".box_predictor.bbox_pred." in new:
            value = value[4:]
        elif ".mask_head.predictor." in new:
            value = value[1:]
        converted[new] = value
    return converted


def _set(tree, key, value):
    *path, name = key.split(".")
    for part in path:
        tree = tree[part]
    tree[name] = value


_RCNN = {
    "BACKBONE.NAME": "build_resnet_fpn_backbone", "RESNETS.OUT_FEATURES": ["res2", "res3", "res4", "res5"], "RESNETS.STRIDE_IN_1X1": False,
    "FPN.IN_FEATURES": ["res2", "res3", "res4", "res5"], "ANCHOR_GENERATOR.SIZES": [[32], [64], [128], [256], [512]],
    "ANCHOR_GENERATOR.ROUNDED": True, "RPN.IN_FEATURES": ["p2", "p3", "p4", "p5", "p6"], "RPN.PRE_NMS_TOPK_TEST": 1000,
    "RPN.POST_NMS_TOPK_TEST": 1000, "ROI_HEADS.NAME": "StandardROIHeads", "ROI_HEADS.NUM_CLASSES": _CLASSES,
    "ROI_HEADS.IN_FEATURES": ["p2", "p3", "p4", "p5"], "ROI_BOX_HEAD.NAME": "FastRCNNConvFCHead", "ROI_BOX_HEAD.NUM_FC": 2,
    "ROI_BOX_HEAD.POOLER_RESOLUTION": 7, "ROI_MASK_HEAD.NUM_CONV": 4,
    # Its networks see 0..1, ours 0..255.
    "PIXEL_MEAN": [255 * v for v in (0.485, 0.456, 0.406)], "PIXEL_STD": [255 * v for v in (0.229, 0.224, 0.225)],
}
for _head in ("ROI_BOX_HEAD", "ROI_MASK_HEAD"):
    _RCNN[_head + ".POOLER_TYPE"] = "ROIAlign"
    _RCNN[_head + ".POOLER_SAMPLING_RATIO"] = 2

MODELS = {
    "fasterrcnn_resnet50_fpn": {},
    "maskrcnn_resnet50_fpn": {"MASK_ON": True},
}


def config_of(name):
    """detectron2's configuration of the model that torchvision builds by that name, in its defaults."""
    if name not in MODELS:
        raise ConvertError("--torchvision: expected one of %s, got %s" % (", ".join(sorted(MODELS)), name))
    cfg = default_config()
    for key, value in {**_RCNN, **MODELS[name]}.items():
        _set(cfg.MODEL, key, value)
    cfg.INPUT["FORMAT"] = "RGB"
    return cfg
