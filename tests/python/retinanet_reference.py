"""RetinaNet in plain PyTorch and torchvision, as reference.py has the R-CNNs. Source: detectron2/modeling/meta_arch/retinanet.py."""
import torch
import torch.nn.functional as F
import torchvision.ops as ops
from caffe2rt.convert.proposals import anchors_of_levels

from reference import Reference


class RetinaNetReference(Reference):
    def stages(self, image):
        """{3: .., 4: .., 5: ..} of basic blocks."""
        norm, found = self.cfg.MODEL.RESNETS.NORM, {}
        mean, std = (torch.tensor(v).reshape(-1, 1, 1) for v in (self.cfg.MODEL.PIXEL_MEAN, self.cfg.MODEL.PIXEL_STD))
        x = F.relu(self.conv((image - mean) / std, "backbone.bottom_up.stem.conv1", norm, stride=2))
        x = F.max_pool2d(x, 3, 2, 1)
        for stage in range(2, 6):
            for i in range(2):
                x = self.block(x, "backbone.bottom_up.res%d.%d" % (stage, i), 2 if i == 0 and stage > 2 else 1)
            found[stage] = x
        return found

    def backbone(self, image):
        stages, levels, above = self.stages(image), {}, None
        for stage in (5, 4, 3):
            lateral = self.conv(stages[stage], "backbone.fpn_lateral%d" % stage)
            above = lateral if above is None else lateral + F.interpolate(above, scale_factor=2)
            levels["p%d" % stage] = self.conv(above, "backbone.fpn_output%d" % stage)
        levels["p6"] = self.conv(stages[5], "backbone.top_block.p6", stride=2)
        levels["p7"] = self.conv(F.relu(levels["p6"]), "backbone.top_block.p7", stride=2)
        return levels

    def head(self, x, subnet, last, columns):
        """(cells * anchors, columns), cell by cell."""
        r = self.cfg.MODEL.RETINANET
        step = 3 if r.NORM else 2
        for i in range(r.NUM_CONVS):
            x = self.conv(x, "head.%s.%d" % (subnet, step * i))
            x = F.relu(self.norm(x, "head.%s.%d" % (subnet, step * i + 1), r.NORM) if r.NORM else x)
        return self.conv(x, "head." + last)[0].unflatten(0, (-1, columns)).permute(2, 3, 0, 1).reshape(-1, columns)

    def level(self, x, cell, stride):
        """Boxes, scores and classes of the best of one level."""
        r, start = self.cfg.MODEL.RETINANET, self.cfg.MODEL.ANCHOR_GENERATOR.OFFSET * stride
        ys, xs = torch.meshgrid(*(torch.arange(n) * stride + start for n in x.shape[2:]), indexing="ij")
        anchors = (torch.stack([xs, ys, xs, ys], -1)[:, :, None] + torch.from_numpy(cell)).reshape(-1, 4)
        scores = self.head(x, "cls_subnet", "cls_score", r.NUM_CLASSES).sigmoid().flatten()
        deltas = self.head(x, "bbox_subnet", "bbox_pred", 4)
        kept = (scores > r.SCORE_THRESH_TEST).nonzero()[:, 0]
        best = kept[scores[kept].sort(descending=True)[1][:r.TOPK_CANDIDATES_TEST]]
        rows = best // r.NUM_CLASSES
        return self.decode(anchors[rows], deltas[rows], r.BBOX_REG_WEIGHTS)[:, 0], scores[best], best % r.NUM_CLASSES

    def __call__(self, image):
        """(D,4) boxes, (D) scores and (D) classes, arrays, of a (3,H,W) array, best first."""
        with torch.no_grad():
            names = self.cfg.MODEL.RETINANET.IN_FEATURES
            levels = self.backbone(torch.from_numpy(image)[None])
            found = [self.level(levels[name], cell, 2 ** int(name[1])) for name, cell in zip(names, anchors_of_levels(self.cfg, len(names)))]
            boxes, scores, classes = map(torch.cat, zip(*found))
            keep = ops.batched_nms(boxes, scores, classes, self.cfg.MODEL.RETINANET.NMS_THRESH_TEST)[:self.cfg.TEST.DETECTIONS_PER_IMAGE]
            return ops.clip_boxes_to_image(boxes[keep], image.shape[1:]).numpy(), scores[keep].numpy(), classes[keep].numpy()
