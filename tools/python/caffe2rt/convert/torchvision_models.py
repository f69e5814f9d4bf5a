"""torchvision's detectors by detectron2's configuration and names: the same networks, put together a little differently.

Where torchvision does otherwise than detectron2, the configuration has keys that detectron2's does not:

    INPUT.RESIZE_MODE                  of frames: "bilinear", see docs/models.md; and their padding is the mean pixel, 0 once normalised
    MODEL.NORM_EPS                     of batch norms
    MODEL.ANCHOR_GENERATOR.ROUNDED     anchors are whole numbers, by aspect ratio, then size
    MODEL.ANCHOR_GENERATOR.GRID_STRIDES  anchors are as far apart as the input's size over that of the feature map, rounded down
    MODEL.RPN.SCORE_THRESH             least probability of a region
    MODEL.FPN.TOP_IN_FEATURE           what RetinaNet's p6 is made of
    MODEL.RETINANET.CONV_BIAS, CLIP_BEFORE_NMS
    MODEL.ROI_MASK_HEAD.PASTING        "integer_boxes", see docs/models.md
    MODEL.ROI_KEYPOINT_HEAD.INTERPOLATE  heat maps are enlarged bilinearly

Source: torchvision/models/detection (faster_rcnn.py, mask_rcnn.py, keypoint_rcnn.py, retinanet.py, anchor_utils.py, transform.py).
"""
import pathlib
import re

import numpy as np

from .config import default_config
from .errors import ConvertError

# Files whose norms torchvision runs with an epsilon of 0: the COCO_V1 weights of the first versions.
_WITHOUT_EPS = ("fasterrcnn_resnet50_fpn_coco-258fb6c6", "maskrcnn_resnet50_fpn_coco-bf2d0c1e", "keypointrcnn_resnet50_fpn_coco-fc266e95",
                "retinanet_resnet50_fpn_coco-eeacb38b")

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
    # MobileNetV3
    (r"^backbone\.body\.(\d+(?:\.block\.\d+)?)\.0\.", r"backbone.bottom_up.features.\1.conv."),
    (r"^backbone\.body\.(\d+(?:\.block\.\d+)?)\.1\.", r"backbone.bottom_up.features.\1.conv.norm."),
    (r"^backbone\.body\.(\d+\.block\.\d+\.fc)", r"backbone.bottom_up.features.\1"),
    (r"^backbone\.fpn\.extra_blocks\.", "backbone.top_block."),
    (r"^rpn\.head\.cls_logits\.", "proposal_generator.rpn_head.objectness_logits."),
    (r"^rpn\.head\.bbox_pred\.", "proposal_generator.rpn_head.anchor_deltas."),
    (r"^roi_heads\.box_head\.fc6\.", "roi_heads.box_head.fc1."),
    (r"^roi_heads\.box_head\.fc7\.", "roi_heads.box_head.fc2."),
    (r"^roi_heads\.box_head\.5\.", "roi_heads.box_head.fc1."),
    (r"^roi_heads\.mask_predictor\.conv5_mask\.", "roi_heads.mask_head.deconv."),
    (r"^roi_heads\.mask_predictor\.mask_fcn_logits\.", "roi_heads.mask_head.predictor."),
    (r"^roi_heads\.keypoint_predictor\.kps_score_lowres\.", "roi_heads.keypoint_head.score_lowres."),
    (r"^head\.classification_head\.cls_logits\.", "head.cls_score."),
    (r"^head\.regression_head\.bbox_reg\.", "head.bbox_pred."),
]
_PART = {"0": "", "1": "norm.", None: ""}  # of a convolution with its norm


def _match_rename(name, names):
    """The names that need counting; `names` are all of the file."""
    pyramid = re.match(r"backbone\.fpn\.(inner|layer)_blocks\.(\d)\.(?:([01])\.)?(\w+)$", name)
    if pyramid:
        kind, level, part, leaf = pyramid.groups()
        first = {3: 3, 2: 4}.get(_blocks(names), 2)  # RetinaNet has no level 2; MobileNet's two levels are called 4 and 5
        return "backbone.fpn_%s%d.%s%s" % ("lateral" if kind == "inner" else "output", int(level) + first, _PART[part], leaf)
    rpn = re.match(r"rpn\.head\.conv\.(?:(\d)\.0\.)?(\w+)$", name)
    if rpn:
        several = "rpn.head.conv.1.0.weight" in names
        return "proposal_generator.rpn_head.conv.%s%s" % ("conv%s." % rpn[1] if several else "", rpn[2])
    conv = re.match(r"roi_heads\.(box|mask)_head\.(?:mask_fcn(\d)|([0-4])\.([01]))\.(\w+)$", name)
    if conv:
        kind, old, index, part, leaf = conv.groups()
        return "roi_heads.%s_head.%s%d.%s%s" % (kind, "conv" if kind == "box" else "mask_fcn", int(old) if old else int(index) + 1, _PART[part], leaf)
    keypoint = re.match(r"roi_heads\.keypoint_head\.(\d+)\.(\w+)$", name)
    if keypoint:
        return "roi_heads.keypoint_head.conv_fcn%d.%s" % (int(keypoint[1]) // 2 + 1, keypoint[2])
    subnet = re.match(r"head\.(classification|regression)_head\.conv\.(\d)(?:\.([01]))?\.(\w+)$", name)
    if subnet:
        kind, index, part, leaf = subnet.groups()
        modules = 3 if "head.%s_head.conv.0.1.weight" % kind in names else 2  # of a convolution: itself, its norm, its activation
        place = int(index) * modules + int(part) if part else int(index)
        return "head.%s_subnet.%d.%s" % ("cls" if kind == "classification" else "bbox", place, leaf)
    return None


def _blocks(names):
    return len({n.split(".")[3] for n in names if n.startswith("backbone.fpn.inner_blocks.")})


def to_detectron2(parameters):
    """{detectron2's name: array}. torchvision's class 0 is the background of an R-CNN, detectron2's last."""
    converted = {}
    for name, value in parameters.items():
        new = _match_rename(name, parameters)
        if new is None:
            new = name
            for pattern, replacement in _RENAMES:
                new = re.sub(pattern, replacement, new)
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


_COMMON = {
    "RESNETS.STRIDE_IN_1X1": False, "ANCHOR_GENERATOR.ROUNDED": True, "ANCHOR_GENERATOR.GRID_STRIDES": True,
    # Its networks see 0..1, ours 0..255.
    "PIXEL_MEAN": [255 * v for v in (0.485, 0.456, 0.406)], "PIXEL_STD": [255 * v for v in (0.229, 0.224, 0.225)],
}
_RCNN = {
    **_COMMON,
    "BACKBONE.NAME": "build_resnet_fpn_backbone", "RESNETS.OUT_FEATURES": ["res2", "res3", "res4", "res5"],
    "FPN.IN_FEATURES": ["res2", "res3", "res4", "res5"], "ANCHOR_GENERATOR.SIZES": [[32], [64], [128], [256], [512]],
    "PROPOSAL_GENERATOR.MIN_SIZE": 1e-3, "RPN.IN_FEATURES": ["p2", "p3", "p4", "p5", "p6"], "RPN.PRE_NMS_TOPK_TEST": 1000,
    "RPN.POST_NMS_TOPK_TEST": 1000, "ROI_HEADS.NAME": "StandardROIHeads", "ROI_HEADS.NUM_CLASSES": 90,  # of COCO with its gaps
    "ROI_HEADS.IN_FEATURES": ["p2", "p3", "p4", "p5"], "ROI_BOX_HEAD.NAME": "FastRCNNConvFCHead", "ROI_BOX_HEAD.NUM_FC": 2,
    "ROI_BOX_HEAD.POOLER_RESOLUTION": 7, "ROI_MASK_HEAD.NUM_CONV": 4, "ROI_MASK_HEAD.PASTING": "integer_boxes",
    "ROI_KEYPOINT_HEAD.INTERPOLATE": True,
}
for _head in ("ROI_BOX_HEAD", "ROI_MASK_HEAD", "ROI_KEYPOINT_HEAD"):
    _RCNN[_head + ".POOLER_TYPE"] = "ROIAlign"
    _RCNN[_head + ".POOLER_SAMPLING_RATIO"] = 2
_V2 = {"FPN.NORM": "BN", "RPN.CONV_DIMS": [-1, -1], "ROI_BOX_HEAD.NUM_CONV": 4, "ROI_BOX_HEAD.NUM_FC": 1, "ROI_BOX_HEAD.NORM": "BN",
       "ROI_MASK_HEAD.NORM": "BN"}
_RETINANET = {
    **_COMMON, "META_ARCHITECTURE": "RetinaNet", "BACKBONE.NAME": "build_retinanet_resnet_fpn_backbone",
    "RESNETS.OUT_FEATURES": ["res3", "res4", "res5"], "FPN.IN_FEATURES": ["res3", "res4", "res5"], "FPN.TOP_IN_FEATURE": "p5",
    "ANCHOR_GENERATOR.SIZES": [[x, int(x * 2 ** (1 / 3)), int(x * 2 ** (2 / 3))] for x in (32, 64, 128, 256, 512)],
    "RETINANET.NUM_CLASSES": 91,  # the background, which nothing is, among them
    "RETINANET.CLIP_BEFORE_NMS": True,
}

_MOBILENET = {
    **_RCNN, "BACKBONE.NAME": "torchvision_mobilenet_v3_large_fpn", "ANCHOR_GENERATOR.SIZES": [[32, 64, 128, 256, 512]],
    "RPN.IN_FEATURES": ["p4", "p5", "p6"], "RPN.SCORE_THRESH": 0.05,
    # Of two levels of the same size, torchvision's pooling finds the first to fit every region.
    "ROI_HEADS.IN_FEATURES": ["p4"],
}

# name: (base, changes, sizes: short and long side of the net's input, detections an image)
MODELS = {
    "fasterrcnn_resnet50_fpn": (_RCNN, {}, (800, 1333), 100),
    "fasterrcnn_resnet50_fpn_v2": (_RCNN, _V2, (800, 1333), 100),
    "maskrcnn_resnet50_fpn": (_RCNN, {"MASK_ON": True}, (800, 1333), 100),
    "maskrcnn_resnet50_fpn_v2": (_RCNN, {**_V2, "MASK_ON": True}, (800, 1333), 100),
    "keypointrcnn_resnet50_fpn": (_RCNN, {"KEYPOINT_ON": True, "ROI_HEADS.NUM_CLASSES": 1}, (800, 1333), 100),
    "retinanet_resnet50_fpn": (_RETINANET, {}, (800, 1333), 300),
    "retinanet_resnet50_fpn_v2": (_RETINANET, {"FPN.TOP_IN_FEATURE": "res5", "RETINANET.NORM": "GN", "RETINANET.CONV_BIAS": False}, (800, 1333), 300),
    "fasterrcnn_mobilenet_v3_large_fpn": (_MOBILENET, {}, (800, 1333), 100),
    "fasterrcnn_mobilenet_v3_large_320_fpn": (_MOBILENET, {"RPN.PRE_NMS_TOPK_TEST": 150, "RPN.POST_NMS_TOPK_TEST": 150}, (320, 640), 100),
}


def _count_classes(cfg, parameters):
    """What a file of weights says of classes and keypoints: a network trained on other data has other numbers."""
    def rows(name, axis=0):
        value = parameters.get(name)
        return value.shape[axis] if value is not None and value.ndim > axis else None
    found = rows("roi_heads.box_predictor.cls_score.bias")
    if found and found > 1:
        cfg.MODEL.ROI_HEADS["NUM_CLASSES"] = found - 1
    found = rows("head.classification_head.cls_logits.bias")
    if found and found % 9 == 0:
        cfg.MODEL.RETINANET["NUM_CLASSES"] = found // 9
    found = rows("roi_heads.keypoint_predictor.kps_score_lowres.bias")
    if found:
        cfg.MODEL.ROI_KEYPOINT_HEAD["NUM_KEYPOINTS"] = found


def norm_eps_of(file):
    """The epsilon of batch norms that torchvision uses with a file of weights."""
    return 0.0 if pathlib.Path(str(file)).stem in _WITHOUT_EPS else 1e-5


def may_want_no_eps(name, parameters):
    """Whether torchvision runs a model with an epsilon of 0 once it was made with its first weights, which a file does not say."""
    frozen = not any(key.endswith("num_batches_tracked") for key in parameters)
    return frozen and any(file.startswith(name + "_coco-") for file in _WITHOUT_EPS)


def config_of(name, parameters=None, norm_eps=1e-5):
    """detectron2's configuration of the model that torchvision builds by that name, in its defaults.

    parameters: {torchvision's name: array}, whose numbers of classes and keypoints are taken. norm_eps: of batch norms.
    """
    if name not in MODELS:
        raise ConvertError("--torchvision: expected one of %s, got %s" % (", ".join(sorted(MODELS)), name))
    base, changes, (min_size, max_size), detections = MODELS[name]
    cfg = default_config()
    for key, value in {**base, **changes, "NORM_EPS": norm_eps}.items():
        _set(cfg.MODEL, key, value)
    cfg.INPUT.update(FORMAT="RGB", MIN_SIZE_TEST=min_size, MAX_SIZE_TEST=max_size, RESIZE_MODE="bilinear")
    cfg.TEST["DETECTIONS_PER_IMAGE"] = detections
    cfg.EXPORT_CAFFE2["WITHOUT_SCALE"] = cfg.MODEL.META_ARCHITECTURE == "GeneralizedRCNN"
    cfg.DATASETS["TEST"] = ["keypoints_coco_torchvision" if cfg.MODEL.KEYPOINT_ON else "torchvision_coco"]
    _count_classes(cfg, parameters or {})
    return cfg
