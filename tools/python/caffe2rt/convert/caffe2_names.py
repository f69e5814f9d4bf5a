"""Parameters of Caffe2's Detectron and of its backbones (MSRA, FAIR) by detectron2's names, and in its order of classes.

Source: detectron2/checkpoint/c2_model_loading.py says which blob became which parameter.
"""
import re

import numpy as np

# Applied in this order to the name, whose underscores are dots already.
_RENAMES = [
    (r"^pred\.([wb])$", r"linear.\1"),
    (r"\.b$", ".bias"),
    (r"\.w$", ".weight"),
    (r"bn\.(s|gamma)$", "norm.weight"),
    (r"bn\.(b|beta|bias)$", "norm.bias"),
    (r"bn\.(rm|running\.mean)$", "norm.running_mean"),
    (r"bn\.(riv|running\.var)$", "norm.running_var"),
    (r"gn\.s$", "norm.weight"),
    (r"gn\.(b|bias)$", "norm.bias"),
    (r"^res\.conv1\.norm\.", "stem.conv1.norm."),
    (r"^conv1\.", "stem.conv1."),
    (r"\.branch1\.", ".shortcut."),
    (r"\.branch2a\.", ".conv1."),
    (r"\.branch2b\.", ".conv2."),
    (r"\.branch2c\.", ".conv3."),
    (r"^conv\.rpn(\.fpn\d)?\.", "proposal_generator.rpn_head.conv."),
    (r"^rpn\.bbox\.pred(\.fpn\d)?\.", "proposal_generator.rpn_head.anchor_deltas."),
    (r"^rpn\.cls\.logits(\.fpn\d)?\.", "proposal_generator.rpn_head.objectness_logits."),
    (r"^bbox\.pred\.", "roi_heads.box_predictor.bbox_pred."),
    (r"^cls\.score\.", "roi_heads.box_predictor.cls_score."),
    (r"^fc6\.", "roi_heads.box_head.fc1."),
    (r"^fc7\.", "roi_heads.box_head.fc2."),
    (r"^head\.conv(\d)\.", r"roi_heads.box_head.conv\1."),
    (r"^fpn\.inner\.res(\d)\.\d+\.sum\.lateral(\.norm)?\.(\w+)$", r"backbone.fpn_lateral\1\2.\3"),
    (r"^fpn\.inner\.res(\d)\.\d+\.sum(\.norm)?\.(\w+)$", r"backbone.fpn_lateral\1\2.\3"),
    (r"^fpn\.res(\d)\.\d+\.sum(\.norm)?\.(\w+)$", r"backbone.fpn_output\1\2.\3"),
    (r"^\.?\[mask\]\.fcn(\d)\.", r"roi_heads.mask_head.mask_fcn\1."),
    (r"^mask\.fcn\.logits\.", "roi_heads.mask_head.predictor."),
    (r"^conv5\.mask\.", "roi_heads.mask_head.deconv."),
    (r"^conv\.fcn(\d)\.", r"roi_heads.keypoint_head.conv_fcn\1."),
    (r"^kps\.score\.lowres\.", "roi_heads.keypoint_head.score_lowres."),
    (r"^(stem|res\d)\.", r"backbone.bottom_up.\1."),
]


def _rename(blob):
    name = blob.replace("_", ".")
    for pattern, replacement in _RENAMES:
        name = re.sub(pattern, replacement, name)
    return name


class Parameters(dict):
    """What convert() returns. Caffe2's files do not say where a ResNet's stages belong: detectron2 finds them by how names end."""

    def fitted_to(self, required):
        """The same by the names that a net asks for: a ResNet alone is the backbone, and its last stage may be the heads'."""
        fitted = dict(self)
        for name in self:
            stage = name.removeprefix("backbone.bottom_up.")
            if stage == name or name in required:
                continue
            places = [place + stage for place in ("backbone.", "roi_heads.") if place + stage in required]
            if places:
                fitted[places[0]] = fitted.pop(name)
        return fitted


def convert(blobs):
    """{detectron2's name: array} of {blob: array}. What training alone needs (momentum, learning rate) is left out.

    Detectron's class 0 is the background, detectron2's last: rows of the classifier move, those of boxes and masks go.
    """
    parameters = Parameters()
    for blob, value in blobs.items():
        if blob.endswith("_momentum") or blob in ("lr", "model_iter", "weight_order"):
            continue
        name = _rename(blob)
        if ".box_predictor.cls_score." in name:
            value = np.concatenate([value[1:], value[:1]])
        elif ".box_predictor.bbox_pred." in name and len(value) > 4:
            value = value[4:]
        elif ".mask_head.predictor." in name and len(value) > 1:
            value = value[1:]
        parameters[name] = value
    for name in [n for n in parameters if n.endswith(".norm.weight")]:
        # An AffineChannel: a norm whose statistics are folded in.
        prefix = name[:-len("weight")]
        if prefix + "running_mean" not in parameters and re.search(r"bottom_up\.(stem|res)", name):
            parameters[prefix + "running_mean"] = np.zeros_like(parameters[name])
            parameters[prefix + "running_var"] = np.ones_like(parameters[name]) - 1e-5
    return parameters
