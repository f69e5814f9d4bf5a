"""Random weights for torchvision's detectors: also those of tests/bench/compare_peers.py."""
import re

import torch

# Spread of the layers whose outputs are read as logits and parts of boxes.
_SMALL = {"cls_logits": 0.02, "rpn.head.bbox_pred": 0.002, "cls_score": 0.1, "box_predictor.bbox_pred": 0.02, "mask_fcn_logits": 0.2, "bn3": 0.2,
          "kps_score_lowres": 0.2, "bbox_reg": 0.002}
_RETINANET = {"cls_logits": 0.08, "bias": -3}


def spread_out(model, seed=0):
    """Random weights with which proposals, scores and boxes vary."""
    generator = torch.Generator().manual_seed(seed)
    single_stage = hasattr(model, "head")
    with torch.no_grad():
        for name, value in list(model.named_parameters()) + list(model.named_buffers()):
            scale = next((s for key, s in _SMALL.items() if key in name), 1)
            if single_stage and "cls_logits" in name:
                scale = _RETINANET["cls_logits"]
            if name.endswith("running_var"):
                value.fill_(1)
            elif value.dim() == 1 and name.endswith("weight"):
                value.fill_(scale)
            elif value.dim() > 1:
                value.normal_(0, scale * (2 / value[0].numel()) ** 0.5, generator=generator)
            elif value.is_floating_point():
                value.uniform_(-0.05, 0.05, generator=generator)
        if single_stage:
            model.head.classification_head.cls_logits.bias.add_(_RETINANET["bias"])
        elif hasattr(model.backbone.body, "0"):  # MobileNet: few regions pass its least score
            model.rpn.head.cls_logits.bias.sub_(4.5)
    return model.eval()
