"""detectron2's models once more in plain PyTorch and torchvision, one image at a time: slow, and easy to check by eye.

Source: detectron2/modeling. Parameters are numpy arrays by detectron2's names.
"""
import math

import torch
import torch.nn.functional as F
import torchvision.ops as ops

_MAX_LOG = math.log(1000 / 16)


def _level(feature):
    """5 of p5 and of res5, whose stride is 2**5."""
    return int(feature.lstrip("pres"))


class Reference:
    def __init__(self, cfg, parameters):
        self.cfg = cfg
        self.p = {k: torch.from_numpy(v) for k, v in parameters.items()}

    def norm(self, x, name, kind):
        if kind == "GN":
            return F.group_norm(x, 32, self.p[name + ".weight"], self.p[name + ".bias"])
        return F.batch_norm(x, *(self.p["%s.%s" % (name, n)] for n in ("running_mean", "running_var", "weight", "bias")))

    def conv(self, x, name, norm="", **args):
        weight = self.p[name + ".weight"]
        args.setdefault("padding", args.get("dilation", 1) * (weight.shape[-1] // 2))
        x = F.conv2d(x, weight, self.p.get(name + ".bias"), **args)
        return self.norm(x, name + ".norm", norm) if norm else x

    def fc(self, x, name):
        return F.linear(x, self.p[name + ".weight"], self.p[name + ".bias"])

    # Backbone.

    def deform_conv(self, x, name, stride, dilation, groups):
        r = self.cfg.MODEL.RESNETS
        offset = self.conv(x, name + "_offset", stride=stride, dilation=dilation)
        mask = None
        if r.DEFORM_MODULATED:
            y, x_, mask = offset.chunk(3, 1)
            offset, mask = torch.cat([y, x_], 1), mask.sigmoid()
        y = ops.deform_conv2d(x, offset, self.p[name + ".weight"], None, stride, dilation, dilation, mask)
        return self.norm(y, name + ".norm", r.NORM)

    def block(self, x, name, stride, dilation=1, deform=False):
        r = self.cfg.MODEL.RESNETS
        shortcut = self.conv(x, name + ".shortcut", r.NORM, stride=stride) if name + ".shortcut.weight" in self.p else x
        if name + ".conv3.weight" not in self.p:
            y = F.relu(self.conv(x, name + ".conv1", r.NORM, stride=stride))
            return F.relu(self.conv(y, name + ".conv2", r.NORM) + shortcut)
        first, second = (stride, 1) if r.STRIDE_IN_1X1 else (1, stride)
        y = F.relu(self.conv(x, name + ".conv1", r.NORM, stride=first))
        if deform:
            y = F.relu(self.deform_conv(y, name + ".conv2", second, dilation, r.NUM_GROUPS))
        else:
            y = F.relu(self.conv(y, name + ".conv2", r.NORM, stride=second, dilation=dilation, groups=r.NUM_GROUPS))
        return F.relu(self.conv(y, name + ".conv3", r.NORM) + shortcut)

    def backbone(self, image):
        r = self.cfg.MODEL.RESNETS
        mean, std = (torch.tensor(v).reshape(-1, 1, 1) for v in (self.cfg.MODEL.PIXEL_MEAN, self.cfg.MODEL.PIXEL_STD))
        module = "backbone" if self.cfg.MODEL.BACKBONE.NAME == "build_resnet_backbone" else "backbone.bottom_up"
        x = F.relu(self.conv((image - mean) / std, module + ".stem.conv1", r.NORM, stride=2))
        x = F.max_pool2d(x, 3, 2, 1)
        stages = {}
        for stage in range(2, 6):
            name, i = "%s.res%d" % (module, stage), 0
            dilation = r.RES5_DILATION if stage == 5 else 1
            while "%s.%d.conv1.weight" % (name, i) in self.p:
                stride = 2 if i == 0 and stage > 2 and dilation == 1 else 1
                x = self.block(x, "%s.%d" % (name, i), stride, dilation, r.DEFORM_ON_PER_STAGE[stage - 2])
                i += 1
            stages[stage] = x
        if module == "backbone":
            return {name: stages[_level(name)] for name in r.OUT_FEATURES}
        levels, above = {}, None
        for stage in (5, 4, 3, 2):
            norm = self.cfg.MODEL.FPN.NORM
            lateral = self.conv(stages[stage], "backbone.fpn_lateral%d" % stage, norm)
            if above is not None:
                lateral = lateral + F.interpolate(above, scale_factor=2, mode="nearest")
                if self.cfg.MODEL.FPN.FUSE_TYPE == "avg":
                    lateral = lateral / 2
            above = lateral
            levels["p%d" % stage] = self.conv(above, "backbone.fpn_output%d" % stage, norm)
        levels["p6"] = F.max_pool2d(levels["p5"], 1, 2)
        return levels

    # Boxes x1 y1 x2 y2; the far edge is outside.

    @staticmethod
    def decode(boxes, deltas, weights):
        size = boxes[:, 2:] - boxes[:, :2]
        centre = boxes[:, :2] + size / 2
        d = deltas.reshape(len(boxes), -1, 4) / torch.tensor(weights)
        centre = d[..., :2] * size[:, None] + centre[:, None]
        size = torch.exp(d[..., 2:].clamp(max=_MAX_LOG)) * size[:, None]
        return torch.cat([centre - size / 2, centre + size / 2], -1)

    def rpn_hidden(self, x):
        dims, module = self.cfg.MODEL.RPN.CONV_DIMS, "proposal_generator.rpn_head.conv"
        for name in [module] if len(dims) == 1 else ["%s.conv%d" % (module, i) for i in range(len(dims))]:
            x = F.relu(self.conv(x, name))
        return x

    def proposals(self, levels, size):
        from caffe2rt.convert.proposals import anchors_of_levels
        rpn = self.cfg.MODEL.RPN
        boxes, scores = [], []
        for name, cell in zip(rpn.IN_FEATURES, anchors_of_levels(self.cfg, len(rpn.IN_FEATURES))):
            x, cell = levels[name], torch.from_numpy(cell)
            stride = 2 ** _level(name)
            hidden = self.rpn_hidden(x)
            logits = self.conv(hidden, "proposal_generator.rpn_head.objectness_logits")[0]
            deltas = self.conv(hidden, "proposal_generator.rpn_head.anchor_deltas")[0]
            start = self.cfg.MODEL.ANCHOR_GENERATOR.OFFSET * stride
            ys, xs = torch.meshgrid(*(torch.arange(n) * stride + start for n in x.shape[2:]), indexing="ij")
            anchors = (torch.stack([xs, ys, xs, ys], -1)[:, :, None] + cell).reshape(-1, 4)
            score = logits.permute(1, 2, 0).reshape(-1)
            decoded = self.decode(anchors, deltas.reshape(len(cell), 4, *x.shape[2:]).permute(2, 3, 0, 1).reshape(-1, 4), [1.0] * 4)[:, 0]
            score, order = score.topk(min(rpn.PRE_NMS_TOPK_TEST, len(score)))
            box = ops.clip_boxes_to_image(decoded[order], size)
            # The operator drops what is less than a pixel wide or high; detectron2 itself only what is empty.
            large = ((box[:, 2:] - box[:, :2]).min(1)[0] >= max(1, self.cfg.MODEL.PROPOSAL_GENERATOR.MIN_SIZE)).nonzero()[:, 0]
            box, score = box[large], score[large]
            keep = ops.nms(box, score, rpn.NMS_THRESH)[:rpn.POST_NMS_TOPK_TEST]
            boxes.append(box[keep])
            scores.append(score[keep])
        best = torch.cat(scores).topk(min(rpn.POST_NMS_TOPK_TEST, sum(map(len, scores))))[1]
        return torch.cat(boxes)[best]

    def semantic(self, levels):
        """(classes,H,W) logits of SemSegFPNHead."""
        head, total = self.cfg.MODEL.SEM_SEG_HEAD, 0
        for name in head.IN_FEATURES:
            x, i = levels[name], 0
            while "sem_seg_head.%s.%d.weight" % (name, i) in self.p:
                x = F.relu(self.conv(x, "sem_seg_head.%s.%d" % (name, i), head.NORM))
                if int(name[1]) > 2:
                    x = self.enlarge(x, 2)
                i += 2
            total = total + x
        logits = self.conv(total, "sem_seg_head.predictor")
        return self.enlarge(logits, head.COMMON_STRIDE)[0]

    @staticmethod
    def enlarge(x, factor):
        """Bilinear, with zeros beyond the edge: so is the ConvTranspose that detectron2's exporter wrote. detectron2 repeats the edge."""
        larger = F.interpolate(F.pad(x, [1] * 4), scale_factor=factor, mode="bilinear", align_corners=False)
        return larger[:, :, factor:-factor, factor:-factor]

    # Heads.

    def pool(self, levels, boxes, resolution):
        names = self.cfg.MODEL.ROI_HEADS.IN_FEATURES
        size = ((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])).sqrt()
        level = (4 + torch.log2(size / 224 + 1e-8)).floor().clamp(_level(names[0]), _level(names[-1]))
        out = torch.zeros(len(boxes), levels[names[0]].shape[1], resolution, resolution)
        for name in names:
            here = (level == _level(name)).nonzero()[:, 0]
            rois = torch.cat([torch.zeros(len(here), 1), boxes[here]], 1)
            scale = 1 / 2 ** _level(name)
            if self.cfg.MODEL.ROI_BOX_HEAD.POOLER_TYPE == "ROIPool":
                out[here] = ops.roi_pool(levels[name], rois, resolution, scale)
            else:
                out[here] = ops.roi_align(levels[name], rois, resolution, scale, aligned=True)
        return out

    def res5(self, levels, boxes):
        """(R,C,h,w) of Res5ROIHeads: three bottlenecks on each region."""
        x = self.pool(levels, boxes, self.cfg.MODEL.ROI_BOX_HEAD.POOLER_RESOLUTION)
        for i in range(3):
            x = self.block(x, "roi_heads.res5.%d" % i, 1 if i else 2)
        return x

    def box_features(self, levels, boxes, module):
        head = self.cfg.MODEL.ROI_BOX_HEAD
        if self.cfg.MODEL.ROI_HEADS.NAME == "Res5ROIHeads":
            return self.res5(levels, boxes).mean([2, 3])
        x = self.pool(levels, boxes, head.POOLER_RESOLUTION)
        for i in range(1, head.NUM_CONV + 1):
            x = F.relu(self.conv(x, "%s.conv%d" % (module, i), head.NORM))
        x = x.flatten(1)
        for i in range(1, head.NUM_FC + 1):
            x = F.relu(self.fc(x, "%s.fc%d" % (module, i)))
        return x

    def boxes(self, levels, rois, size):
        """(R,classes) scores without background, (R,1 or classes,4) boxes."""
        if self.cfg.MODEL.ROI_HEADS.NAME != "CascadeROIHeads":
            x = self.box_features(levels, rois, "roi_heads.box_head")
            probs = F.softmax(self.fc(x, "roi_heads.box_predictor.cls_score"), 1)
            decoded = self.decode(rois, self.fc(x, "roi_heads.box_predictor.bbox_pred"), self.cfg.MODEL.ROI_BOX_HEAD.BBOX_REG_WEIGHTS)
            return probs[:, :-1], decoded
        total = 0
        for k, weights in enumerate(self.cfg.MODEL.ROI_BOX_CASCADE_HEAD.BBOX_REG_WEIGHTS):
            x = self.box_features(levels, rois, "roi_heads.box_head.%d" % k)
            total = total + F.softmax(self.fc(x, "roi_heads.box_predictor.%d.cls_score" % k), 1)
            decoded = self.decode(rois, self.fc(x, "roi_heads.box_predictor.%d.bbox_pred" % k), weights)
            rois = ops.clip_boxes_to_image(decoded[:, 0], size)
        return total[:, :-1] / (k + 1), decoded

    def masks(self, levels, boxes):
        res5 = self.cfg.MODEL.ROI_HEADS.NAME == "Res5ROIHeads"
        x = self.res5(levels, boxes) if res5 else self.pool(levels, boxes, self.cfg.MODEL.ROI_MASK_HEAD.POOLER_RESOLUTION)
        for i in range(1, self.cfg.MODEL.ROI_MASK_HEAD.NUM_CONV + 1):
            x = F.relu(self.conv(x, "roi_heads.mask_head.mask_fcn%d" % i, self.cfg.MODEL.ROI_MASK_HEAD.NORM))
        x = F.relu(F.conv_transpose2d(x, self.p["roi_heads.mask_head.deconv.weight"], self.p["roi_heads.mask_head.deconv.bias"], 2))
        return self.conv(x, "roi_heads.mask_head.predictor").sigmoid()

    def __call__(self, image):
        """image: (3,H,W) array whose sides 32 divides. Returns the outputs of the converted net by name, as numpy arrays."""
        with torch.no_grad():
            heads, size = self.cfg.MODEL.ROI_HEADS, image.shape[1:]
            levels = self.backbone(torch.from_numpy(image)[None])
            scores, boxes = self.boxes(levels, self.proposals(levels, size), size)
            boxes = ops.clip_boxes_to_image(boxes, size).expand(-1, scores.shape[1], 4)
            rows, classes = (scores > heads.SCORE_THRESH_TEST).nonzero(as_tuple=True)
            boxes, scores = boxes[rows, classes], scores[rows, classes]
            keep = ops.batched_nms(boxes, scores, classes, heads.NMS_THRESH_TEST)[:self.cfg.TEST.DETECTIONS_PER_IMAGE]
            out = {"bbox_nms": boxes[keep], "score_nms": scores[keep], "class_nms": classes[keep]}
            if self.cfg.MODEL.MASK_ON:
                out["mask_fcn_probs"] = self.masks(levels, boxes[keep])
            return {k: v.numpy() for k, v in out.items()}
