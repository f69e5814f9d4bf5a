"""detectron2's configuration: its defaults, changed by a YAML file with `_BASE_` and by KEY VALUE pairs.

Source of the format: detectron2/config (defaults.py, compat.py) and yacs.
"""
import ast
import pathlib

import yaml

from . import yaml_text
from .errors import ConvertError

_DEFAULTS = pathlib.Path(__file__).with_name("defaults.yaml")

# Keys of version 1 and what version 2 calls them.
_RENAMED = {
    "MODEL.WEIGHT": "MODEL.WEIGHTS",
    "MODEL.RPN_HEAD.NAME": "MODEL.RPN.HEAD_NAME",
    "MODEL.PANOPTIC_FPN.SEMANTIC_LOSS_SCALE": "MODEL.SEM_SEG_HEAD.LOSS_WEIGHT",
    "MODEL.PANOPTIC_FPN.RPN_LOSS_SCALE": "MODEL.RPN.LOSS_WEIGHT",
    "MODEL.PANOPTIC_FPN.INSTANCE_LOSS_SCALE": "MODEL.PANOPTIC_FPN.INSTANCE_LOSS_WEIGHT",
    "MODEL.PANOPTIC_FPN.COMBINE_ON": "MODEL.PANOPTIC_FPN.COMBINE.ENABLED",
    "MODEL.PANOPTIC_FPN.COMBINE_OVERLAP_THRESHOLD": "MODEL.PANOPTIC_FPN.COMBINE.OVERLAP_THRESH",
    "MODEL.PANOPTIC_FPN.COMBINE_STUFF_AREA_LIMIT": "MODEL.PANOPTIC_FPN.COMBINE.STUFF_AREA_LIMIT",
    "MODEL.PANOPTIC_FPN.COMBINE_INSTANCES_CONFIDENCE_THRESHOLD": "MODEL.PANOPTIC_FPN.COMBINE.INSTANCES_CONFIDENCE_THRESH",
    "MODEL.ROI_HEADS.SCORE_THRESH": "MODEL.ROI_HEADS.SCORE_THRESH_TEST",
    "MODEL.ROI_HEADS.NMS": "MODEL.ROI_HEADS.NMS_THRESH_TEST",
    "MODEL.RETINANET.INFERENCE_SCORE_THRESHOLD": "MODEL.RETINANET.SCORE_THRESH_TEST",
    "MODEL.RETINANET.INFERENCE_TOPK_CANDIDATES": "MODEL.RETINANET.TOPK_CANDIDATES_TEST",
    "MODEL.RETINANET.INFERENCE_NMS_THRESHOLD": "MODEL.RETINANET.NMS_THRESH_TEST",
    "TEST.DETECTIONS_PER_IMG": "TEST.DETECTIONS_PER_IMAGE",
    "TEST.AUG_ON": "TEST.AUG.ENABLED",
    "TEST.AUG_MIN_SIZES": "TEST.AUG.MIN_SIZES",
    "TEST.AUG_MAX_SIZE": "TEST.AUG.MAX_SIZE",
    "TEST.AUG_FLIP": "TEST.AUG.FLIP",
}
# Version 1 kept two sets of anchors, one for each kind of model.
_ANCHORS = {"ANCHOR_SIZES": "SIZES", "ANCHOR_ASPECT_RATIOS": "ASPECT_RATIOS"}


class Config(dict):
    """A dict of dicts whose keys are attributes too: cfg.MODEL.RPN.NMS_THRESH."""

    def __getattr__(self, key):
        try:
            return self[key]
        except KeyError:
            raise AttributeError(key) from None

    def __setattr__(self, key, value):
        self[key] = _wrap(value)


def _wrap(value):
    return Config({k: _wrap(v) for k, v in value.items()}) if isinstance(value, dict) else value


def _leaves(tree, prefix=""):
    """(dotted key, value) of everything in a YAML tree that is no dict."""
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _leaves(value, prefix + str(key) + ".")
        else:
            yield prefix + str(key), value


def _read_yaml(path):
    try:
        tree = yaml_text.load(path.read_text(encoding="utf-8"))
    except OSError as e:
        raise ConvertError("%s: %s" % (path, e.strerror)) from None
    except (yaml.YAMLError, UnicodeDecodeError) as e:
        raise ConvertError("%s: expected YAML: %s" % (path, str(e).replace("\n", " "))) from None
    if not isinstance(tree, dict):
        raise ConvertError("%s: expected a YAML mapping, got %s" % (path, type(tree).__name__))
    return tree


def _read_with_bases(path, below=()):
    """{dotted key: value} of a file and the files it is based on."""
    path = path.resolve()
    if path in below:
        raise ConvertError("%s: is based on itself" % path)
    tree = _read_yaml(path)
    base = tree.pop("_BASE_", None)
    merged = _read_with_bases(path.parent / pathlib.Path(str(base)).expanduser(), below + (path,)) if base else {}
    merged.update(_leaves(tree))
    return merged


def _upgrade(values):
    """Keys of version 1 as version 2 has them."""
    retinanet = values.get("MODEL.META_ARCHITECTURE") == "RetinaNet"
    upgraded = {}
    for key, value in values.items():
        section, _, name = key.rpartition(".")
        if name in _ANCHORS and section in ("MODEL.RPN", "MODEL.RETINANET"):
            if (section == "MODEL.RETINANET") == retinanet:
                upgraded["MODEL.ANCHOR_GENERATOR." + _ANCHORS[name]] = value
        elif key != "MODEL.RETINANET.ANCHOR_STRIDES":
            upgraded[_RENAMED.get(key, key)] = value
    upgraded.pop("VERSION", None)
    return upgraded


def _is_version_1(values):
    if "VERSION" in values:
        return values["VERSION"] == 1
    return any(key in _RENAMED or key.rpartition(".")[2] in _ANCHORS for key in values)


def _is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


# Keys of which a value is asked for, and sections of such keys.
_NEEDED = ("MODEL.", "INPUT.FORMAT", "INPUT.MIN_SIZE_TEST", "INPUT.MAX_SIZE_TEST", "TEST.DETECTIONS_PER_IMAGE", "DATASETS.TEST")


def _accepts(old, new):
    """Whether a value may take the place of a default, by type, as yacs has it; of lists of numbers, also by what is in them."""
    if isinstance(old, (list, tuple)) and isinstance(new, (list, tuple)):
        return not old or not all(map(_is_number, old)) or all(map(_is_number, new))
    return old is None or new is None or type(old) is type(new) or isinstance(old, float) and _is_number(new)


def _decode(value):
    """Strings hold Python literals where they can: yacs writes tuples so."""
    if not isinstance(value, str):
        return value
    try:
        return ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return value


def _assign(cfg, values, where):
    unknown, wrong = [], []
    for key, value in values.items():
        *path, name = key.split(".")
        node = cfg
        for part in path:
            node = node.get(part) if isinstance(node, dict) else None
        if not isinstance(node, dict) or name not in node or isinstance(node[name], dict):
            unknown.append(key)
            continue
        new = _decode(value)
        if isinstance(node[name], str) and not isinstance(new, str) and isinstance(value, str):
            new = value  # a name that looks like a number
        if not _accepts(node[name], new) or (new is None and node[name] is not None and key != "MODEL.WEIGHTS" and key.startswith(_NEEDED)):
            kind = type(node[name]).__name__
            wrong.append("%s: expected %s, got %r" % (key, "numbers" if kind == type(new).__name__ == "list" else kind, new))
            continue
        node[name] = type(node[name])(new) if isinstance(node[name], float) and new is not None else new
    if unknown:
        raise ConvertError("%s: unknown configuration keys: %s" % (where, ", ".join(sorted(unknown))))
    if wrong:
        raise ConvertError("%s: %s" % (where, "; ".join(wrong)))


def default_config():
    return _wrap(yaml.safe_load(_DEFAULTS.read_text()))


def from_mapping(values):
    """The configuration that a mapping of mappings says, such as detectron2's CfgNode. Keys that are not known are passed over."""
    cfg, known = default_config(), dict(_leaves(default_config()))
    _assign(cfg, {k: v for k, v in _leaves(values) if k in known}, "configuration")
    return cfg


def load_config(file, overrides=(), extend=()):
    """The configuration of a YAML file (versions 1 and 2) with overrides, a flat list KEY VALUE KEY VALUE.

    extend: functions that add keys of their own to the defaults, as detectron2's projects have them.
    Raises ConvertError for files that cannot be read, unknown keys (all of them) and values of another type.
    """
    cfg = default_config()
    for add in extend:
        add(cfg)
    values = _read_with_bases(pathlib.Path(file))
    if _is_version_1(values):
        values = _upgrade(values)
    _assign(cfg, values, file)
    override(cfg, overrides)
    return cfg


def override(cfg, overrides):
    """Changes a configuration by a flat list KEY VALUE KEY VALUE. Raises ConvertError as load_config does."""
    if len(overrides) % 2:
        raise ConvertError("command line: expected pairs KEY VALUE, got '%s' without a value" % overrides[-1])
    _assign(cfg, dict(zip(overrides[::2], overrides[1::2])), "command line")
