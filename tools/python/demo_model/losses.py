"""What Mask R-CNN is trained by: anchors and proposals matched to the truth, and four losses. Source: detectron2/modeling, as in network.py."""
import torch
import torch.nn.functional as F
import torchvision.ops as ops
from caffe2rt.convert.proposals import anchors_of_levels

from .network import decode, encode


def anchors_of(cfg, levels):
    """(A,4) of every level, in the order of the RPN head's output flattened by place, then anchor."""
    names, out = cfg.MODEL.RPN.IN_FEATURES, []
    for name, cell in zip(names, anchors_of_levels(cfg, len(names))):
        h, w = levels[name].shape[2:]
        stride = 2 ** int(name[1:])
        y, x = torch.meshgrid(torch.arange(h) * stride, torch.arange(w) * stride, indexing="ij")
        out.append((torch.stack([x, y, x, y], -1)[:, :, None] + torch.from_numpy(cell)).reshape(-1, 4).float())
    return out


def _sample(positive, negative, count, fraction, generator):
    """Indices of at most count * fraction positives, filled up with negatives."""
    positive, negative = positive.nonzero()[:, 0], negative.nonzero()[:, 0]
    p = positive[torch.randperm(len(positive), generator=generator)[:int(count * fraction)]]
    n = negative[torch.randperm(len(negative), generator=generator)[:count - len(p)]]
    return p, n


def _rpn_loss(cfg, anchors, logits, deltas, truth, generator):
    """Of one image: (objectness, localisation), sums over the sampled anchors divided by how many are sampled."""
    rpn = cfg.MODEL.RPN
    iou = ops.box_iou(anchors, truth)
    best, match = iou.max(1)
    positive = (best >= rpn.IOU_THRESHOLDS[1]) | (iou == iou.max(0)[0].clamp(min=1e-3)).any(1)
    p, n = _sample(positive, (best < rpn.IOU_THRESHOLDS[0]) & ~positive, rpn.BATCH_SIZE_PER_IMAGE, rpn.POSITIVE_FRACTION, generator)
    sampled = torch.cat([p, n])
    labels = torch.cat([torch.ones(len(p)), torch.zeros(len(n))])
    objectness = F.binary_cross_entropy_with_logits(logits[sampled], labels, reduction="sum")
    localisation = (deltas[p] - encode(anchors[p], truth[match[p]], rpn.BBOX_REG_WEIGHTS)).abs().sum()
    return objectness / rpn.BATCH_SIZE_PER_IMAGE, localisation / rpn.BATCH_SIZE_PER_IMAGE


@torch.no_grad()
def proposals(rpn, anchors, logits, deltas, size, before, after):
    """(R,4) boxes of one image: of each level's `before` best those that pass NMS, of them the `after` best. size: (height, width)."""
    boxes, scores = [], []
    for a, s, d in zip(anchors, logits, deltas):
        s, order = s.topk(min(before, len(s)))
        b = ops.clip_boxes_to_image(decode(a[order], d[order], rpn.BBOX_REG_WEIGHTS), size)
        large = ((b[:, 2:] - b[:, :2]).min(1)[0] >= 1).nonzero()[:, 0]  # as the converted model's operator has it
        b, s = b[large], s[large]
        keep = ops.nms(b, s, rpn.NMS_THRESH)[:after]
        boxes.append(b[keep])
        scores.append(s[keep])
    best = torch.cat(scores).topk(min(after, sum(map(len, scores))))[1]
    return torch.cat(boxes)[best]


def losses(model, images, truths, generator):
    """{name: loss} of a batch. images (N,3,H,W); truths: dicts of boxes (G,4), classes (G,), masks (G,H,W)."""
    cfg, size = model.cfg, images.shape[2:]
    heads, levels = cfg.MODEL.ROI_HEADS, model.features(images)
    anchors, logits, deltas = anchors_of(cfg, levels), [], []
    for name in cfg.MODEL.RPN.IN_FEATURES:
        score, delta = (t.float() for t in model.proposal_generator.rpn_head(levels[name]))
        n, a, h, w = score.shape
        logits.append(score.permute(0, 2, 3, 1).reshape(n, -1))
        deltas.append(delta.reshape(n, a, 4, h, w).permute(0, 3, 4, 1, 2).reshape(n, -1, 4))
    totals = {"objectness": 0, "rpn_box": 0}
    boxes, classes, matched, positives = [], [], [], []
    for i, truth in enumerate(truths):
        objectness, localisation = _rpn_loss(cfg, torch.cat(anchors), torch.cat([s[i] for s in logits]), torch.cat([d[i] for d in deltas]),
                                             truth["boxes"], generator)
        totals["objectness"] += objectness / len(truths)
        totals["rpn_box"] += localisation / len(truths)
        rpn = cfg.MODEL.RPN
        found = proposals(rpn, anchors, [s[i] for s in logits], [d[i] for d in deltas], size, rpn.PRE_NMS_TOPK_TRAIN, rpn.POST_NMS_TOPK_TRAIN)
        found = torch.cat([found, truth["boxes"]])
        best, match = ops.box_iou(found, truth["boxes"]).max(1)
        p, n = _sample(best >= 0.5, best < 0.5, heads.BATCH_SIZE_PER_IMAGE, heads.POSITIVE_FRACTION, generator)
        boxes.append(found[torch.cat([p, n])])
        classes.append(torch.cat([truth["classes"][match[p]], torch.full((len(n),), heads.NUM_CLASSES)]))
        matched.append(match[p])
        positives.append(len(p))
    totals.update(_box_losses(model, levels, boxes, torch.cat(classes), truths, matched, positives))
    totals["mask"] = _mask_loss(model, levels, [b[:n] for b, n in zip(boxes, positives)], truths, matched)
    return totals


def _positive_rows(boxes, positives):
    starts = torch.tensor([0] + [len(b) for b in boxes]).cumsum(0)
    return torch.cat([torch.arange(n) + s for n, s in zip(positives, starts)])


def _box_losses(model, levels, boxes, classes, truths, matched, positives):
    head = model.cfg.MODEL.ROI_BOX_HEAD
    x = model.roi_heads.box_head(model.pool(levels, boxes, head))
    score = model.roi_heads.box_predictor.cls_score(x).float()
    rows = _positive_rows(boxes, positives)
    delta = model.roi_heads.box_predictor.bbox_pred(x).float()[rows]
    if not head.CLS_AGNOSTIC_BBOX_REG:
        delta = delta.reshape(len(rows), -1, 4)[torch.arange(len(rows)), classes[rows]]
    wanted = torch.cat([t["boxes"][m] for t, m in zip(truths, matched)])
    goal = encode(torch.cat(boxes)[rows], wanted, head.BBOX_REG_WEIGHTS)
    return {"class": F.cross_entropy(score, classes), "box": (delta - goal).abs().sum() / len(classes)}


def _mask_loss(model, levels, boxes, truths, matched, most=12):
    """Of at most `most` regions an image."""
    boxes, matched = [b[:most] for b in boxes], [m[:most] for m in matched]
    logits = model.roi_heads.mask_head(model.pool(levels, boxes, model.cfg.MODEL.ROI_MASK_HEAD)).float()
    goals, classes = [], []
    for b, m, truth in zip(boxes, matched, truths):
        rois = torch.cat([m[:, None].float(), b], 1)
        goals.append(ops.roi_align(truth["masks"][:, None].float(), rois, logits.shape[-1], 1.0, -1, True)[:, 0] >= 0.5)
        classes.append(truth["classes"][m])
    if not model.cfg.MODEL.ROI_MASK_HEAD.CLS_AGNOSTIC_MASK:
        logits = logits[torch.arange(len(logits)), torch.cat(classes)]
    return F.binary_cross_entropy_with_logits(logits.reshape(len(logits), *logits.shape[-2:]), torch.cat(goals).float())
