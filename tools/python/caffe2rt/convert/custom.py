"""Parts that are not known by name: the user's own (parts.py), or those of a model that is built already.

Each is made by its registry, captured (capture.py), and what it returns is checked against what its place in the model asks for.
"""
from .. import parts
from .capture import capture, example_of, example_of_regions, stride_of
from .errors import ConvertError
from .net_builder import Feature

_KEYS = {"BACKBONE": "MODEL.BACKBONE.NAME", "RPN_HEAD": "MODEL.RPN.HEAD_NAME", "ROI_BOX_HEAD": "MODEL.ROI_BOX_HEAD.NAME",
         "ROI_MASK_HEAD": "MODEL.ROI_MASK_HEAD.NAME", "ROI_KEYPOINT_HEAD": "MODEL.ROI_KEYPOINT_HEAD.NAME", "SEM_SEG_HEADS": "MODEL.SEM_SEG_HEAD.NAME"}
_BUILT_IN = {"RPN_HEAD": "StandardRPNHead", "ROI_BOX_HEAD": "FastRCNNConvFCHead", "ROI_MASK_HEAD": "MaskRCNNConvUpsampleHead",
             "ROI_KEYPOINT_HEAD": "KRCNNConvDeconvUpsampleHead", "SEM_SEG_HEADS": "SemSegFPNHead"}


def _part(net, registry, cfg, module, shape, built_in=None):
    """The torch.nn.Module of a registry that the configuration names; `module` of the built model where there is one."""
    if net.model is not None:
        return net.model.get_submodule(module)
    key = _KEYS[registry.name]
    node = cfg
    for name in key.split("."):
        node = node[name]
    make = registry.get(node)
    if make is None:
        known = registry.names() + (built_in or [_BUILT_IN[registry.name]])
        raise ConvertError("%s: expected one of %s, or a part of your own by --import, got %s" % (key, ", ".join(known), node))
    try:
        return make(cfg, shape)
    except ConvertError:
        raise
    except Exception as e:  # the user's own code
        raise ConvertError("%s: %s(cfg, %s): %s: %s" % (key, node, shape, type(e).__name__, e)) from e


def _spec(feature, size=None):
    return parts.ShapeSpec(feature.channels, size, size, None if size else int(feature.stride))


def _layers(part, argument):
    """Heads that have layers(), as detectron2's have, keep losses and post-processing out of it."""
    return part.layers(argument) if hasattr(part, "layers") else part(argument)


def _expect(ok, part, expected, got):
    if not ok:
        raise ConvertError("%s: expected %s, got %s" % (type(part).__name__, expected, got))


def _text(value):
    return "(%s)" % ", ".join(map(str, value.shape)) if hasattr(value, "shape") else type(value).__name__


def build_backbone(net, cfg, x, built_in):
    """{name: Feature}."""
    part = _part(net, parts.BACKBONE_REGISTRY, cfg, "backbone", parts.ShapeSpec(x.channels), built_in)
    found = capture(net, part, "backbone", [example_of(x)], "backbone")
    _expect(isinstance(found, dict) and found and all(getattr(v, "rank", 0) == 4 for v in found.values()), part,
            "a dict of features (N,C,H,W)", found if not isinstance(found, dict) else {k: _text(v) for k, v in found.items()})
    net.size_divisibility = int(getattr(part, "size_divisibility", 0)) or 32
    return {name: Feature(v.blob, v.shape[1], stride_of(v)) for name, v in found.items()}


def build_rpn_head(net, cfg, levels, module):
    """[(logits, deltas)] of every level, blobs."""
    part = _part(net, parts.RPN_HEAD_REGISTRY, cfg, module, [_spec(x) for x in levels])
    found = capture(net, part, module, [example_of(x) for x in levels], "rpn", lambda part, tensors: part(list(tensors)))
    _expect(isinstance(found, (list, tuple)) and len(found) == 2 and all(len(f) == len(levels) for f in found), part,
            "two lists, logits and deltas of %d levels" % len(levels), type(found).__name__)
    return [(logits.blob, deltas.blob) for logits, deltas in zip(*found)]


def _region_head(net, registry, cfg, x, size, module, name, rank, what):
    part = _part(net, registry, cfg, module, _spec(x, size))
    found = capture(net, part, module, [example_of_regions(x, size)], name, lambda part, tensors: _layers(part, tensors[0]))
    _expect(getattr(found, "rank", 0) == rank, part, what, _text(found))
    return part, found


def build_box_head(net, cfg, x, module, name):
    """Blob (R,F) and F."""
    size = cfg.MODEL.ROI_BOX_HEAD.POOLER_RESOLUTION
    _, found = _region_head(net, parts.ROI_BOX_HEAD_REGISTRY, cfg, x, size, module, name, 2, "features (R,F)")
    return found.blob, found.shape[1]


def build_mask_head(net, cfg, x, size, module):
    """Blob of logits (R,classes or 1,M,M)."""
    classes = 1 if cfg.MODEL.ROI_MASK_HEAD.CLS_AGNOSTIC_MASK else cfg.MODEL.ROI_HEADS.NUM_CLASSES
    expected = "logits (R,%d,M,M)" % classes
    part, found = _region_head(net, parts.ROI_MASK_HEAD_REGISTRY, cfg, x, size, module, "mask", 4, expected)
    _expect(found.shape[1] == classes and found.shape[2] == found.shape[3], part, expected, _text(found))
    return found.blob


def build_keypoint_head(net, cfg, x, size, module):
    """Blob of heat maps (R,K,M,M)."""
    expected = "heat maps (R,%d,M,M)" % cfg.MODEL.ROI_KEYPOINT_HEAD.NUM_KEYPOINTS
    part, found = _region_head(net, parts.ROI_KEYPOINT_HEAD_REGISTRY, cfg, x, size, module, "kps", 4, expected)
    _expect(found.shape[1] == cfg.MODEL.ROI_KEYPOINT_HEAD.NUM_KEYPOINTS, part, expected, _text(found))
    return found.blob


def build_semantic_head(net, cfg, features, module):
    """Feature of logits (N,classes,H,W) at COMMON_STRIDE."""
    head, names = cfg.MODEL.SEM_SEG_HEAD, list(features)
    part = _part(net, parts.SEM_SEG_HEADS_REGISTRY, cfg, module, {n: _spec(x) for n, x in features.items()})
    found = capture(net, part, module, [example_of(x) for x in features.values()], "sem_seg",
                    lambda part, tensors: _layers(part, dict(zip(names, tensors))))
    expected = "logits (N,%d,H,W) of stride %d" % (head.NUM_CLASSES, head.COMMON_STRIDE)
    _expect(getattr(found, "rank", 0) == 4 and found.shape[1] == head.NUM_CLASSES and stride_of(found) == head.COMMON_STRIDE, part, expected,
            _text(found))
    return Feature(found.blob, head.NUM_CLASSES, head.COMMON_STRIDE)
