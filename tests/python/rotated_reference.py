"""reference.py for rotated boxes: cx cy width height in pixels, degrees counter-clockwise as the viewer sees it.

Source: detectron2/modeling (proposal_generator/rrpn.py, roi_heads/rotated_fast_rcnn.py, box_regression.py), structures/rotated_boxes.py
and layers/csrc/ROIAlignRotated.
"""
import math

import torch
import torch.nn.functional as F

from reference import _MAX_LOG, Reference


def corners(box):
    """Of a box, in the order of its outline."""
    cx, cy, w, h, angle = box
    c, s = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    return [(cx + x * c + y * s, cy - x * s + y * c) for x, y in ((-w / 2, -h / 2), (w / 2, -h / 2), (w / 2, h / 2), (-w / 2, h / 2))]


def area(polygon):
    return abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(polygon, polygon[1:] + polygon[:1]))) / 2


def cut(polygon, a, b):
    """The part of a polygon on the inner side of the line from a to b."""
    def side(p):
        return (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0])
    kept = []
    for p, q in zip(polygon, polygon[1:] + polygon[:1]):
        sp, sq = side(p), side(q)
        if sp >= 0:
            kept.append(p)
        if sp * sq < 0:
            t = sp / (sp - sq)
            kept.append((p[0] + t * (q[0] - p[0]), p[1] + t * (q[1] - p[1])))
    return kept


def iou(a, b):
    pa, pb = corners(a), corners(b)
    shared = pa
    for p, q in zip(pb, pb[1:] + pb[:1]):
        shared = cut(shared, p, q)
    inter = area(shared) if len(shared) > 2 else 0
    return inter / (a[2] * a[3] + b[2] * b[3] - inter)


def nms(boxes, scores, threshold):
    kept, lists = [], boxes.double().tolist()
    for i in scores.argsort(descending=True, stable=True).tolist():
        if all(iou(lists[i], lists[j]) <= threshold for j in kept):
            kept.append(i)
    return torch.tensor(kept, dtype=torch.long)


def clip(boxes, size):
    """Boxes that are upright within a degree are cut at the image's edges, as detectron2 does; others are not."""
    out = boxes.clone()
    flat = out[:, 4].abs() <= 1
    x1, y1 = (out[:, :2] - out[:, 2:4] / 2).unbind(1)
    x2, y2 = (out[:, :2] + out[:, 2:4] / 2).unbind(1)
    x1, x2, y1, y2 = x1.clamp(0, size[1]), x2.clamp(0, size[1]), y1.clamp(0, size[0]), y2.clamp(0, size[0])
    upright = torch.stack([(x1 + x2) / 2, (y1 + y2) / 2, torch.minimum(out[:, 2], x2 - x1), torch.minimum(out[:, 3], y2 - y1)], 1)
    out[:, :4] = torch.where(flat[:, None], upright, out[:, :4])
    return out


def bilinear(feature, y, x):
    """Values (C,n) of (C,H,W) at points; up to a pixel outside stands for the nearest, further out for zero."""
    height, width = feature.shape[1:]
    inside = (y >= -1) & (y <= height) & (x >= -1) & (x <= width)
    y, x = y.clamp(0, height - 1), x.clamp(0, width - 1)
    y0, x0 = y.floor().long(), x.floor().long()
    y1, x1 = (y0 + 1).clamp(max=height - 1), (x0 + 1).clamp(max=width - 1)
    dy, dx = y - y0, x - x0
    value = ((1 - dy) * (1 - dx) * feature[:, y0, x0] + (1 - dy) * dx * feature[:, y0, x1]
             + dy * (1 - dx) * feature[:, y1, x0] + dy * dx * feature[:, y1, x1])
    return value * inside


def roi_align(feature, box, size, scale):
    """(C,size,size) of one box."""
    cx, cy, w, h = (v * scale for v in box[:4])
    angle = math.radians(box[4])
    ny, nx = max(1, math.ceil(h / size)), max(1, math.ceil(w / size))
    v = (torch.arange(size * ny) + 0.5) * (h / size / ny) - h / 2
    u = (torch.arange(size * nx) + 0.5) * (w / size / nx) - w / 2
    v, u = torch.meshgrid(v, u, indexing="ij")
    y = v * math.cos(angle) - u * math.sin(angle) + cy - 0.5
    x = v * math.sin(angle) + u * math.cos(angle) + cx - 0.5
    samples = bilinear(feature, y.reshape(-1), x.reshape(-1)).reshape(-1, size, ny, size, nx)
    return samples.mean((2, 4))


class RotatedReference(Reference):
    @staticmethod
    def decode(boxes, deltas, weights):
        d = deltas.reshape(len(boxes), -1, 5) / torch.tensor(weights)
        size = boxes[:, None, 2:4]
        centre = d[..., :2] * size + boxes[:, None, :2]
        angle = (d[..., 4:] * 180 / math.pi + boxes[:, None, 4:] + 180) % 360 - 180
        return torch.cat([centre, torch.exp(d[..., 2:4].clamp(max=_MAX_LOG)) * size, angle], -1)

    def proposals(self, levels, size):
        from caffe2rt.convert.proposals import anchors_of_levels
        rpn = self.cfg.MODEL.RPN
        boxes, scores = [], []
        for name, cell in zip(rpn.IN_FEATURES, anchors_of_levels(self.cfg, len(rpn.IN_FEATURES))):
            x, cell, stride = levels[name], torch.from_numpy(cell), 2 ** int(name[1])
            hidden = F.relu(self.conv(x, "proposal_generator.rpn_head.conv"))
            score = self.conv(hidden, "proposal_generator.rpn_head.objectness_logits")[0].permute(1, 2, 0).reshape(-1)
            deltas = self.conv(hidden, "proposal_generator.rpn_head.anchor_deltas")[0]
            ys, xs = torch.meshgrid(torch.arange(x.shape[2]) * stride, torch.arange(x.shape[3]) * stride, indexing="ij")
            zero = torch.zeros_like(xs)
            anchors = (torch.stack([xs, ys, zero, zero, zero], -1)[:, :, None] + cell).reshape(-1, 5)
            decoded = self.decode(anchors, deltas.reshape(len(cell), 5, *x.shape[2:]).permute(2, 3, 0, 1).reshape(-1, 5), [1.0] * 5)[:, 0]
            score, order = score.topk(min(rpn.PRE_NMS_TOPK_TEST, len(score)))
            box = clip(decoded[order], size)
            # The operator drops what is less than a pixel wide or high, or has its centre right of the image or below; detectron2
            # itself only what is empty.
            large = ((box[:, 2:4].min(1)[0] >= 1) & (box[:, 0] < size[1]) & (box[:, 1] < size[0])).nonzero()[:, 0]
            keep = nms(box[large], score[large], rpn.NMS_THRESH)[:rpn.POST_NMS_TOPK_TEST]
            boxes.append(box[large][keep])
            scores.append(score[large][keep])
        best = torch.cat(scores).topk(min(rpn.POST_NMS_TOPK_TEST, sum(map(len, scores))))[1]
        return torch.cat(boxes)[best]

    def pool(self, levels, boxes, resolution):
        level = (4 + torch.log2((boxes[:, 2] * boxes[:, 3]).sqrt() / 224 + 1e-8)).floor().clamp(2, 5).long().tolist()
        return torch.stack([roi_align(levels["p%d" % k][0], box, resolution, 1 / 2 ** k) for k, box in zip(level, boxes.tolist())])

    def __call__(self, image):
        with torch.no_grad():
            heads, size = self.cfg.MODEL.ROI_HEADS, image.shape[1:]
            levels = self.backbone(torch.from_numpy(image)[None])
            scores, boxes = self.boxes(levels, self.proposals(levels, size), size)
            found = []
            for c in range(scores.shape[1]):
                rows = (scores[:, c] > heads.SCORE_THRESH_TEST).nonzero()[:, 0]
                box, score = clip(boxes[rows, c], size), scores[rows, c]
                found += [(float(score[k]), box[k], c) for k in nms(box, score, heads.NMS_THRESH_TEST)]
            found = sorted(found, key=lambda f: -f[0])[:self.cfg.TEST.DETECTIONS_PER_IMAGE]
            return {"score_nms": torch.tensor([f[0] for f in found]).numpy(), "bbox_nms": torch.stack([f[1] for f in found]).numpy(),
                    "class_nms": torch.tensor([f[2] for f in found]).numpy()}
