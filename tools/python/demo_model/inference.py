"""What the trained network sees in a picture, in plain PyTorch: detectron2's inference, to compare the converted model with.

Source: detectron2/modeling (proposal_utils.py, roi_heads/fast_rcnn.py), detectron2/layers/mask_ops.py.
"""
import pathlib

import numpy as np
import torch
import torch.nn.functional as F
import torchvision.ops as ops
from caffe2rt import Boxes, Instances
from caffe2rt.convert.config import load_config

from .losses import anchors_of, proposals
from .network import MaskRcnn, decode


def load(path):
    """The network of a checkpoint, or of model_final.pth in a folder, and of demo.yaml beside it, with detectron2's interface: a list of dicts of `image` (3,H,W), `height`
    and `width` in, a list of dicts of `instances` out. `caffe2rt evaluate --pytorch` takes it."""
    checkpoint = pathlib.Path(path) / "model_final.pth" if pathlib.Path(path).is_dir() else pathlib.Path(path)
    model = MaskRcnn(load_config(checkpoint.with_name("demo.yaml")))
    model.load_state_dict(torch.load(checkpoint, map_location="cpu")["model"])
    model.eval()
    return lambda batch: [{"instances": predict(model, x["image"], x.get("height"), x.get("width"))} for x in batch]


@torch.no_grad()
def predict(model, image, height=None, width=None):
    """Instances of one picture (3,H,W) BGR 0..255, H by W as the network is to see it, in a picture of height by width; default H by W."""
    cfg, size = model.cfg, image.shape[1:]
    full = height or size[0], width or size[1]
    multiple = 2 ** max(model.backbone.levels)
    padded = F.pad(torch.as_tensor(np.asarray(image)).float(), (0, -size[1] % multiple, 0, -size[0] % multiple))
    levels = model.features(padded[None])
    boxes = _proposals(model, levels, size)
    head, heads = cfg.MODEL.ROI_BOX_HEAD, cfg.MODEL.ROI_HEADS
    x = model.roi_heads.box_head(model.pool(levels, [boxes], head))
    scores = F.softmax(model.roi_heads.box_predictor.cls_score(x), 1)[:, :-1]
    deltas = model.roi_heads.box_predictor.bbox_pred(x)
    if head.CLS_AGNOSTIC_BBOX_REG:
        deltas = deltas.repeat(1, heads.NUM_CLASSES)
    deltas = deltas.reshape(-1, 4)
    boxes = decode(boxes.repeat_interleave(heads.NUM_CLASSES, 0), deltas, head.BBOX_REG_WEIGHTS)
    boxes = ops.clip_boxes_to_image(boxes, size).reshape(*scores.shape, 4)
    rows, classes = (scores > heads.SCORE_THRESH_TEST).nonzero(as_tuple=True)
    boxes, scores = boxes[rows, classes], scores[rows, classes]
    keep = ops.batched_nms(boxes, scores, classes, heads.NMS_THRESH_TEST)[:cfg.TEST.DETECTIONS_PER_IMAGE]
    boxes, scores, classes = boxes[keep], scores[keep], classes[keep]
    logits = model.roi_heads.mask_head(model.pool(levels, [boxes], cfg.MODEL.ROI_MASK_HEAD))
    masks = logits[torch.arange(len(keep)), classes if logits.shape[1] > 1 else 0].sigmoid()
    boxes = boxes * torch.tensor([full[1] / size[1], full[0] / size[0]] * 2)
    return Instances(full, pred_boxes=Boxes(boxes.numpy()), scores=scores.numpy(), pred_classes=classes.numpy(),
                     pred_masks=paste(masks, boxes, full).numpy())


def _proposals(model, levels, size):
    logits, deltas = [], []
    for name in model.cfg.MODEL.RPN.IN_FEATURES:
        score, delta = model.proposal_generator.rpn_head(levels[name])
        n, a, h, w = score.shape
        logits.append(score[0].permute(1, 2, 0).reshape(-1))
        deltas.append(delta.reshape(a, 4, h, w).permute(2, 3, 0, 1).reshape(-1, 4))
    rpn = model.cfg.MODEL.RPN
    return proposals(rpn, anchors_of(model.cfg, levels), logits, deltas, size, rpn.PRE_NMS_TOPK_TEST, rpn.POST_NMS_TOPK_TEST)


def paste(masks, boxes, size):
    """(D,H,W) bool of (D,M,M) probabilities: pixel centres looked up bilinearly in the mask that fills its box; at least a half."""
    y = torch.arange(size[0]) + 0.5
    x = torch.arange(size[1]) + 0.5
    y = (y[None] - boxes[:, 1:2]) / (boxes[:, 3:4] - boxes[:, 1:2]) * 2 - 1
    x = (x[None] - boxes[:, 0:1]) / (boxes[:, 2:3] - boxes[:, 0:1]) * 2 - 1
    grid = torch.stack([x[:, None].expand(-1, size[0], -1), y[:, :, None].expand(-1, -1, size[1])], -1)
    return F.grid_sample(masks[:, None], grid, align_corners=False)[:, 0] >= 0.5
