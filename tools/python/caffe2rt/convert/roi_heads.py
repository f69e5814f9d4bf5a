"""What is done for each region: box, mask and keypoint heads.

Source: detectron2/modeling/roi_heads, poolers.py and export/c10.py; https://arxiv.org/abs/1703.06870.
"""
import numpy as np

from .backbone import ResNetStage
from . import custom
from .errors import ConvertError
from .net_builder import Feature
from .proposals import ANGLES

_CANONICAL_SIZE, _CANONICAL_LEVEL = 224, 4  # of ROIPooler


class Pooler:
    """Pools regions from the levels of a pyramid, each from the level of its size, or from the one level there is."""

    def __init__(self, key, head, features):
        kinds = {"ROIAlign": ("RoIAlign", dict(aligned=0)), "ROIAlignV2": ("RoIAlign", dict(aligned=1)),
                 "ROIAlignRotated": ("RoIAlignRotated", dict(aligned=1)), "ROIPool": ("RoIPool", dict(is_test=1))}
        if head.POOLER_TYPE not in kinds:
            raise ConvertError("%s.POOLER_TYPE: expected one of %s, got %s" % (key, ", ".join(kinds), head.POOLER_TYPE))
        self._operator, self._arguments = kinds[head.POOLER_TYPE]
        self._size = head.POOLER_RESOLUTION
        if self._operator != "RoIPool":
            self._arguments = dict(sampling_ratio=head.POOLER_SAMPLING_RATIO, **self._arguments)
        self._features = features

    def _align(self, net, feature, rois, blob):
        y = net.op(self._operator, [feature.blob, rois], blob, order="NCHW", spatial_scale=1.0 / feature.stride, pooled_h=self._size,
                   pooled_w=self._size, **self._arguments)
        return Feature(y, feature.channels)

    def build(self, net, rois, name):
        """(R,C,size,size) of regions (R,5) or (R,6), in their order."""
        if len(self._features) == 1:
            return self._align(net, self._features[0], rois, name + "_roi_feat")
        rotated = self._operator == "RoIAlignRotated"
        distribute = "caffe2rt.DistributeRotatedFpnProposals" if rotated else "DistributeFpnProposals"
        arguments = {} if rotated else dict(legacy_plus_one=0)
        levels = [int(f.stride).bit_length() - 1 for f in self._features]
        if levels != list(range(levels[0], levels[-1] + 1)):
            raise ConvertError("MODEL.ROI_HEADS.IN_FEATURES: expected levels of a pyramid one after another, got strides %s"
                               % ", ".join(str(int(f.stride)) for f in self._features))
        parts = ["%s_rois_fpn%d" % (name, level) for level in levels]
        net.op(distribute, [rois], parts + [name + "_rois_idx_restore"], roi_canonical_scale=_CANONICAL_SIZE,
               roi_canonical_level=_CANONICAL_LEVEL, roi_max_level=levels[-1], roi_min_level=levels[0], **arguments)
        pooled = [self._align(net, f, part, "%s_roi_feat_fpn%d" % (name, level)).blob
                  for f, part, level in zip(self._features, parts, levels)]
        shuffled = net.op("Concat", pooled, [name + "_roi_feat_shuffled", name + "_roi_feat_split"], axis=0)
        y = net.op("BatchPermutation", [shuffled, name + "_rois_idx_restore"], name + "_roi_feat")
        return Feature(y, self._features[0].channels)


def _classes(cfg):
    return cfg.MODEL.ROI_HEADS.NUM_CLASSES


def _conv_fc_head(net, cfg, x, module, name, size):
    """FastRCNNConvFCHead: (R,F) and F."""
    head = cfg.MODEL.ROI_BOX_HEAD
    if not head.NUM_FC and not head.NUM_CONV:
        raise ConvertError("MODEL.ROI_BOX_HEAD.NUM_CONV, NUM_FC: expected at least one layer")
    for i in range(1, head.NUM_CONV + 1):
        x = net.conv(x, "%s.conv%d" % (module, i), head.CONV_DIM, 3, "%s.conv%d" % (name, i), norm=head.NORM, relu=True)
    blob, columns = net.op("Flatten", x.blob, name + ".flat", axis=1), x.channels * size * size
    for i in range(1, head.NUM_FC + 1):
        blob = net.relu(net.fc(blob, "%s.fc%d" % (module, i), columns, head.FC_DIM, "%s.fc%d" % (name, i)))
        columns = head.FC_DIM
    return blob, columns


class _BoxPredictor:
    """FastRCNNOutputLayers of one `module`: classes and boxes of regions, by features (R,columns). Blobs get `suffix`."""

    def __init__(self, net, cfg, features, columns, rois, module="roi_heads.box_predictor", suffix="", weights=None):
        head = cfg.MODEL.ROI_BOX_HEAD
        if head.USE_SIGMOID_CE:
            raise ConvertError("MODEL.ROI_BOX_HEAD.USE_SIGMOID_CE: is not converted")
        self._net, self._cfg, self._rois, self._suffix = net, cfg, rois, suffix
        self._rotated = int(cfg.MODEL.ROI_HEADS.NAME == "RROIHeads")
        self._weights = [float(w) for w in weights or head.BBOX_REG_WEIGHTS]
        box = 4 + self._rotated
        if len(self._weights) != box:
            raise ConvertError("MODEL.ROI_BOX_HEAD.BBOX_REG_WEIGHTS: expected %d numbers, got %s" % (box, self._weights))
        if self._rotated and self._weights.pop() != 1.0:
            raise ConvertError("MODEL.ROI_BOX_HEAD.BBOX_REG_WEIGHTS: BBoxTransform takes no weight of the angle but 1")
        logits = net.fc(features, module + ".cls_score", columns, _classes(cfg) + 1, "cls_score" + suffix)
        boxes = 1 if head.CLS_AGNOSTIC_BBOX_REG else _classes(cfg)
        self._deltas = net.fc(features, module + ".bbox_pred", columns, box * boxes, "bbox_pred" + suffix)
        self.probs = net.op("Softmax", logits, "cls_prob" + suffix, axis=1)

    def boxes(self):
        """(R,4 or 5 times classes) in pixels of the input, and how many are of each image."""
        outputs = ["pred_bbox" + self._suffix, "pred_batch_splits" + self._suffix]
        self._net.op("BBoxTransform", [self._rois, self._deltas, self._net.im_info], outputs, weights=self._weights, apply_scale=1,
                     rotated=self._rotated, **ANGLES, legacy_plus_one=0)
        return outputs

    def select(self, probs):
        """The best boxes by `probs`: blobs bbox_nms, score_nms, class_nms."""
        heads = self._cfg.MODEL.ROI_HEADS
        outputs = ["score_nms", "bbox_nms", "class_nms", "roi_batch_splits_nms", "roi_keeps_nms", "roi_keeps_size_nms"]
        self._net.op("BoxWithNMSLimit", [probs] + self.boxes(), outputs, score_thresh=float(heads.SCORE_THRESH_TEST),
                     nms=float(heads.NMS_THRESH_TEST), detections_per_im=self._cfg.TEST.DETECTIONS_PER_IMAGE, soft_nms_enabled=0,
                     soft_nms_method="linear", soft_nms_sigma=0.5, soft_nms_min_score_thres=0.001, rotated=self._rotated,
                     cls_agnostic_bbox_reg=int(self._cfg.MODEL.ROI_BOX_HEAD.CLS_AGNOSTIC_BBOX_REG), input_boxes_include_bg_cls=0,
                     output_classes_include_bg_cls=0, legacy_plus_one=0)


def _predict_boxes(net, cfg, features, columns, rois):
    predictor = _BoxPredictor(net, cfg, features, columns, rois)
    predictor.select(predictor.probs)


def _mask_head(net, cfg, x, size):
    """MaskRCNNConvUpsampleHead: blob mask_fcn_probs, (R,classes,2H,2W)."""
    head, module = cfg.MODEL.ROI_MASK_HEAD, "roi_heads.mask_head"
    if head.NAME != "MaskRCNNConvUpsampleHead":
        net.op("Sigmoid", custom.build_mask_head(net, cfg, x, size, module), "mask_fcn_probs")
        return ["mask_fcn_probs"]
    for i in range(1, head.NUM_CONV + 1):
        x = net.conv(x, "%s.mask_fcn%d" % (module, i), head.CONV_DIM, 3, "mask.fcn%d" % i, norm=head.NORM, relu=True)
    x = net.deconv(x, module + ".deconv", head.CONV_DIM, 2, 2, 0, "mask.deconv")
    x = Feature(net.relu(x.blob), x.channels)
    logits = net.conv(x, module + ".predictor", 1 if head.CLS_AGNOSTIC_MASK else _classes(cfg), 1, "mask.predictor")
    net.op("Sigmoid", logits.blob, "mask_fcn_probs")
    return ["mask_fcn_probs"]


def _keypoint_head(net, cfg, x, size):
    """KRCNNConvDeconvUpsampleHead: blob kps_score, (R,K,4H,4W) heat maps, or keypoints_out, (R,4,K) x y score probability."""
    head, module = cfg.MODEL.ROI_KEYPOINT_HEAD, "roi_heads.keypoint_head"
    if head.NAME == "KRCNNConvDeconvUpsampleHead":
        for i, channels in enumerate(head.CONV_DIMS, 1):
            x = net.conv(x, "%s.conv_fcn%d" % (module, i), channels, 3, "kps.conv_fcn%d" % i, relu=True)
        x = net.deconv(x, module + ".score_lowres", head.NUM_KEYPOINTS, 4, 2, 1, "kps.score_lowres")
        # detectron2 enlarges bilinearly; its exporter wrote ResizeNearest, and every exported model does so.
        if head.get("INTERPOLATE"):
            net.op("caffe2rt.Interpolate", x.blob, "kps_score", mode="bilinear", height_scale=2.0, width_scale=2.0)
        else:
            scale = net.constant("kps.scale", np.array([2.0, 2.0], np.float32))
            net.op("ResizeNearest", [x.blob, scale], "kps_score")
    else:
        net.rename(custom.build_keypoint_head(net, cfg, x, size, module), "kps_score")
    if not cfg.EXPORT_CAFFE2.USE_HEATMAP_MAX_KEYPOINT:
        return ["kps_score"]
    net.op("HeatmapMaxKeypoint", ["kps_score", "bbox_nms"], "keypoints_out", should_output_softmax=1)
    return ["keypoints_out"]


class _StandardHeads:
    """Each head pools for itself; RROIHeads is the same with rotated boxes."""

    def __init__(self, cfg, features):
        self._cfg = cfg
        self._features = features

    def _box_features(self, net, rois, module, name):
        """What the box head makes of each region, and how many numbers that is."""
        head = self._cfg.MODEL.ROI_BOX_HEAD
        pooled = Pooler("MODEL.ROI_BOX_HEAD", head, self._features).build(net, rois, name)
        if head.NAME != "FastRCNNConvFCHead":
            return custom.build_box_head(net, self._cfg, pooled, module, name + "_head")
        return _conv_fc_head(net, self._cfg, pooled, module, name + "_head", head.POOLER_RESOLUTION)

    def boxes(self, net, rois):
        features, columns = self._box_features(net, rois, "roi_heads.box_head", "box")
        _predict_boxes(net, self._cfg, features, columns, rois)

    def pool(self, net, key, name):
        """What the head `key` reads of each detection: a Feature, and its side."""
        head = self._cfg.MODEL[key]
        return Pooler("MODEL." + key, head, self._features).build(net, "bbox_nms", name), head.POOLER_RESOLUTION


class _CascadeHeads(_StandardHeads):
    """Box heads one after another, each on the boxes of the one before; scores are the mean of all. https://arxiv.org/abs/1712.00726"""

    def boxes(self, net, rois):
        stages = self._cfg.MODEL.ROI_BOX_CASCADE_HEAD.BBOX_REG_WEIGHTS
        if not self._cfg.MODEL.ROI_BOX_HEAD.CLS_AGNOSTIC_BBOX_REG:
            raise ConvertError("MODEL.ROI_BOX_HEAD.CLS_AGNOSTIC_BBOX_REG: CascadeROIHeads expects True")
        probs = []
        for k, weights in enumerate(stages):
            features, columns = self._box_features(net, rois, "roi_heads.box_head.%d" % k, "box%d" % k)
            predictor = _BoxPredictor(net, self._cfg, features, columns, rois, "roi_heads.box_predictor.%d" % k, ".%d" % k, weights)
            probs.append(predictor.probs)
            if k + 1 < len(stages):
                image = net.op("Slice", rois, "rois_image.%d" % k, starts=[0, 0], ends=[-1, 1])
                rois = net.op("Concat", [image, predictor.boxes()[0]], ["rois.%d" % (k + 1), "rois_split.%d" % (k + 1)], axis=1)
        total = net.op("Sum", probs, "cls_prob_sum")
        count = net.constant("cascade_stages", np.array([len(stages)], np.float32))
        predictor.select(net.op("Div", [total, count], "cls_prob", broadcast=1))


class _Res5Heads:
    """Stage 5 of the ResNet on each region; the mask head reads it too."""

    def __init__(self, cfg, features):
        if len(features) != 1:
            raise ConvertError("MODEL.ROI_HEADS.IN_FEATURES: Res5ROIHeads reads one feature, got %d" % len(features))
        self._cfg = cfg
        self._pooler = Pooler("MODEL.ROI_BOX_HEAD", cfg.MODEL.ROI_BOX_HEAD, features)
        self._stage = ResNetStage(cfg, 5)
        # Three bottlenecks at half the size, whatever the backbone's depth and stage 5 are.
        self._stage.blocks, self._stage.basic, self._stage.dilation, self._stage.stride = 3, False, 1, 2

    def _features(self, net, rois, name):
        return self._stage.build(net, self._pooler.build(net, rois, name), "roi_heads.res5", name + ".res5")

    def boxes(self, net, rois):
        x = self._features(net, rois, "box")
        mean = net.op("ReduceMean", x.blob, "box.pooled", axes=[2, 3], keepdims=0)
        _predict_boxes(net, self._cfg, mean, x.channels, rois)

    def pool(self, net, key, name):
        if key == "ROI_KEYPOINT_HEAD":
            raise ConvertError("MODEL.KEYPOINT_ON: Res5ROIHeads has no keypoints")
        return self._features(net, "bbox_nms", name), self._cfg.MODEL.ROI_BOX_HEAD.POOLER_RESOLUTION // 2


ROI_HEADS = {"StandardROIHeads": _StandardHeads, "RROIHeads": _StandardHeads, "Res5ROIHeads": _Res5Heads,
             "CascadeROIHeads": _CascadeHeads}


def build_roi_heads(net, cfg, features, rois):
    """Adds the heads that the configuration turns on. Returns the names of their outputs."""
    name = cfg.MODEL.ROI_HEADS.NAME
    if name not in ROI_HEADS:
        raise ConvertError("MODEL.ROI_HEADS.NAME: expected one of %s, got %s" % (", ".join(sorted(ROI_HEADS)), name))
    missing = [n for n in cfg.MODEL.ROI_HEADS.IN_FEATURES if n not in features]
    if missing:
        raise ConvertError("MODEL.ROI_HEADS.IN_FEATURES: expected some of %s, got %s" % (sorted(features), missing))
    if name == "RROIHeads" and (cfg.MODEL.MASK_ON or cfg.MODEL.KEYPOINT_ON):
        raise ConvertError("MODEL.MASK_ON, MODEL.KEYPOINT_ON: RROIHeads has neither")
    heads = ROI_HEADS[name](cfg, [features[n] for n in cfg.MODEL.ROI_HEADS.IN_FEATURES])
    heads.boxes(net, rois)
    outputs = ["bbox_nms", "score_nms", "class_nms"]
    if cfg.MODEL.MASK_ON:
        outputs += _mask_head(net, cfg, *heads.pool(net, "ROI_MASK_HEAD", "mask"))
    if cfg.MODEL.KEYPOINT_ON:
        outputs += _keypoint_head(net, cfg, *heads.pool(net, "ROI_KEYPOINT_HEAD", "kps"))
    return outputs
