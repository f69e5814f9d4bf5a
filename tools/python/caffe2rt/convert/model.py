"""A whole net from a configuration and a checkpoint: detectron2's meta architectures."""
import dataclasses

import numpy as np

from . import caffe2_names
from .backbone import build_backbone, size_divisibility
from .errors import ConvertError
from .net_builder import Feature, NetBuilder
from .proposals import build_levels, build_proposals
from .retinanet import build_retinanet
from .roi_heads import build_roi_heads
from .semantic import build_semantic_head


@dataclasses.dataclass
class Model:
    """ops: (type, inputs, outputs, args) in order; weights: {blob: array}; outputs: names; arguments: {name: value} of the net;
    unused: parameters of the checkpoint that the net has no use for; shapes: of blobs, for the drawing, where operators do not say them."""
    ops: list
    weights: dict
    outputs: list
    arguments: dict
    unused: list
    shapes: dict = dataclasses.field(default_factory=dict)


def _rcnn(net, cfg, features):
    heads, pasting = cfg.MODEL.ROI_HEADS, cfg.MODEL.ROI_MASK_HEAD.get("PASTING")
    arguments = dict(score_threshold=float(heads.SCORE_THRESH_TEST), nms_threshold=float(heads.NMS_THRESH_TEST),
                     max_detections_per_image=cfg.TEST.DETECTIONS_PER_IMAGE)
    if pasting and cfg.MODEL.MASK_ON:
        arguments["mask_pasting"] = pasting
    return build_roi_heads(net, cfg, features, build_proposals(net, cfg, features)), arguments


def _panoptic(net, cfg, features):
    semantic = build_semantic_head(net, cfg, features)
    outputs, thresholds = _rcnn(net, cfg, features)
    combine = cfg.MODEL.PANOPTIC_FPN.COMBINE
    arguments = dict(combine_overlap_threshold=float(combine.OVERLAP_THRESH), combine_stuff_area_limit=int(combine.STUFF_AREA_LIMIT),
                     combine_instances_confidence_threshold=float(combine.INSTANCES_CONFIDENCE_THRESH), **thresholds)
    if not combine.ENABLED:
        arguments["combine_on"] = 0
    return outputs + [semantic], arguments


def _proposal_network(net, cfg, features):
    blobs, _ = build_levels(net, cfg, features)
    return [b for level in blobs for b in level], dict(post_nms_topk=cfg.MODEL.RPN.POST_NMS_TOPK_TEST)


def _semantic_segmentor(net, cfg, features):
    return [build_semantic_head(net, cfg, features)], {}


META_ARCHITECTURES = {"GeneralizedRCNN": _rcnn, "PanopticFPN": _panoptic, "ProposalNetwork": _proposal_network,
                      "RetinaNet": build_retinanet, "SemanticSegmentor": _semantic_segmentor}


def _normalised(net, cfg):
    """(data - mean) / std: the net itself normalises, as detectron2's do."""
    mean, std = (np.array(v, np.float32).reshape(-1, 1, 1) for v in (cfg.MODEL.PIXEL_MEAN, cfg.MODEL.PIXEL_STD))
    if mean.shape != (3, 1, 1) or std.shape != (3, 1, 1):
        raise ConvertError("MODEL.PIXEL_MEAN, MODEL.PIXEL_STD: expected three numbers each")
    centred = net.op("Sub", ["data", net.constant("pixel_mean", mean)], "centred_data")
    return Feature(net.op("Div", [centred, net.constant("pixel_std", std)], "normalized_data"), 3)


def _without_scale(net):
    """im_info that says of every image that it was not resized: then the operators on boxes clip to its size as it is, not as it would be
    in whole pixels of the frame."""
    size = net.op("Slice", "im_info", "im_size", starts=[0, 0], ends=[-1, 2])
    height = net.op("Slice", "im_info", "im_height", starts=[0, 0], ends=[-1, 1])
    one = net.op("Div", [height, height], "im_scale")
    return net.op("Concat", [size, one], ["im_info_without_scale", "im_info_split"], axis=1)


def required_parameters(cfg):
    """{name: shape} of what a checkpoint for this configuration must hold."""
    return _build(cfg, {})[0].required


def _build(cfg, parameters, model=None):
    name = cfg.MODEL.META_ARCHITECTURE
    if name not in META_ARCHITECTURES:
        raise ConvertError("MODEL.META_ARCHITECTURE: expected one of %s, got %s" % (", ".join(sorted(META_ARCHITECTURES)), name))
    net = NetBuilder(parameters, model)
    net.norm_eps = cfg.MODEL.get("NORM_EPS", net.norm_eps)
    features = build_backbone(net, cfg, _normalised(net, cfg))
    if net.size_divisibility is None:
        net.size_divisibility = size_divisibility(cfg)
    if cfg.EXPORT_CAFFE2.WITHOUT_SCALE:
        net.im_info = _without_scale(net)
    return (net, *META_ARCHITECTURES[name](net, cfg, features))


def build_model(cfg, parameters, model=None):
    """The net of a configuration (config.Config) with the parameters of a checkpoint ({name: array}).

    model: a built torch.nn.Module of that configuration, whose parts stand for those that are not known by name.

    Raises ConvertError: for parts that are not known, and for all parameters that are missing or of another shape at once.
    """
    if cfg.INPUT.FORMAT not in ("BGR", "RGB"):
        raise ConvertError("INPUT.FORMAT: expected BGR or RGB, got %s" % cfg.INPUT.FORMAT)
    if isinstance(parameters, caffe2_names.Parameters):
        parameters = parameters.fitted_to(required_parameters(cfg))
    net, outputs, arguments = _build(cfg, parameters, model)
    unused = net.check()
    arguments = dict(size_divisibility=net.size_divisibility, device="cpu", meta_architecture=cfg.MODEL.META_ARCHITECTURE, **arguments,
                     input_format=cfg.INPUT.FORMAT, min_size_test=cfg.INPUT.MIN_SIZE_TEST, max_size_test=cfg.INPUT.MAX_SIZE_TEST)
    if cfg.INPUT.get("RESIZE_MODE"):  # torchvision's way, which pads what is normalised
        arguments.update(resize_mode=cfg.INPUT.RESIZE_MODE, padding_value=[float(v) for v in cfg.MODEL.PIXEL_MEAN])
    return Model(net.ops, net.weights, outputs, arguments, unused, net.shapes)
