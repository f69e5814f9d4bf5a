"""The operators between a detector's feature maps and its detections."""
import numpy as np

F = np.float32


def flip(rng):
    return int(rng.randint(2))


def some(rng, **args):
    """A random half of the arguments: the others take their defaults."""
    return {k: v for k, v in args.items() if flip(rng)}


def upright(rng, n, size):
    """(n,4) boxes of which some stick out of an image of `size` pixels, and some are tiny."""
    boxes = np.empty((n, 4), F)
    boxes[:, :2] = rng.uniform(-0.1 * size, size, (n, 2))
    boxes[:, 2:] = boxes[:, :2] + rng.uniform(0.5, 0.6 * size, (n, 2)) * rng.choice([0.1, 1], (n, 1))
    return boxes


def rotated(rng, n, size):
    boxes = np.empty((n, 5), F)
    boxes[:, :2] = rng.uniform(-0.05 * size, 1.05 * size, (n, 2))
    boxes[:, 2:4] = rng.uniform(1, 0.5 * size, (n, 2))
    boxes[:, 4] = rng.choice([0, 0.5, -0.9, 90, -90], n) * (rng.rand(n) < 0.4) + rng.uniform(-89, 89, n) * (rng.rand(n) < 0.6)
    return boxes


def angle_args(rng):
    args = some(rng, clip_angle_thresh=float(rng.choice([-1, 1, 5])), angle_bound_on=flip(rng))
    if flip(rng):
        args.update(zip(("angle_bound_lo", "angle_bound_hi"), [(-180, 180), (-90, 90), (0, 180)][rng.randint(3)]))
    return args


def image_infos(rng, n, size):
    scale = rng.choice([1, 0.5, 1.6, 2.1875], n)
    return np.stack([rng.randint(size * 3 // 4, size + 1, n), rng.randint(size * 3 // 4, size + 1, n), scale], 1).astype(F)


def distinct(rng, *shape):
    """Scores in 0..1 of which no two are equal."""
    n = int(np.prod(shape))
    return ((rng.permutation(n) + rng.uniform(0.1, 0.9, n)) / max(n, 1)).astype(F).reshape(shape)


def cases(Case):
    def bbox_transform(rng):
        turn, n, k, images = flip(rng), rng.randint(0, 12), rng.randint(1, 4), rng.randint(1, 4)
        boxes = (rotated if turn else upright)(rng, n, 100)
        if images > 1 or flip(rng):
            boxes = np.concatenate([np.sort(rng.randint(0, images, (n, 1)), 0).astype(F), boxes], 1)
        deltas = (rng.randn(n, k * (5 if turn else 4)) * rng.choice([0.1, 1, 4])).astype(F)
        args = some(rng, weights=[10.0, 10.0, 5.0, 5.0], apply_scale=flip(rng), legacy_plus_one=flip(rng),
                    correct_transform_coords=flip(rng))
        args.update(angle_args(rng))
        return Case("BBoxTransform", {"rois": boxes, "deltas": deltas, "im_info": image_infos(rng, images, 100)},
                    ["boxes", "splits"], {**args, "rotated": turn})

    def generate_proposals(rng, type="GenerateProposals", turned=None):
        turn = flip(rng) if turned is None else turned
        n, a, h, w = rng.randint(1, 4), rng.randint(1, 4), rng.randint(1, 8), rng.randint(1, 8)
        stride = float(rng.choice([4, 8, 16]))
        anchors = (rotated(rng, a, 4 * stride) if turn else upright(rng, a, 2 * stride)) - (0 if turn else F(stride))
        scores = distinct(rng, n, a, h, w) if flip(rng) else rng.choice([0.25, 0.5, 0.75], (n, a, h, w)).astype(F)
        deltas = (rng.randn(n, anchors.shape[1] * a, h, w) * rng.choice([0.05, 0.3, 1])).astype(F)
        args = some(rng, pre_nms_topN=int(rng.choice([0, 5, 20, 1000])), post_nms_topN=int(rng.choice([0, 3, 10, 1000])),
                    nms_thresh=float(rng.choice([0.3, 0.5, 0.9])), legacy_plus_one=flip(rng))
        args.update(angle_args(rng))
        return Case(type, {"scores": scores, "deltas": deltas, "im_info": image_infos(rng, n, int(8 * stride)), "anchors": anchors},
                    ["rois", "probs"], {**args, "spatial_scale": 1 / stride, "min_size": float(rng.choice([0, 2, 6]))})

    def pyramid(rng):
        """Proposals of one image, the only number that the original gets right."""
        low, count = int(rng.randint(1, 4)), int(rng.randint(1, 6))
        sizes = rng.randint(0, 12, count)
        inputs = {}
        for i, n in enumerate(sizes):
            boxes = upright(rng, n, rng.choice([50, 400, 1500]))
            inputs["rois%d" % i] = np.concatenate([np.zeros((n, 1), F), boxes], 1)
        for i, n in enumerate(sizes):
            inputs["probs%d" % i] = rng.choice([0.1, 0.2, 0.3, 0.4], n).astype(F) if flip(rng) else rng.rand(n).astype(F)
        return inputs, {"rpn_min_level": low, "rpn_max_level": low + count - 1, "rpn_post_nms_topN": int(rng.choice([0, 1, 10, 100]))}

    def levels(rng):
        low, count = int(rng.randint(1, 4)), int(rng.randint(1, 6))
        args = {"roi_min_level": low, "roi_max_level": low + count - 1}
        args.update(some(rng, roi_canonical_scale=int(rng.choice([112, 224])), roi_canonical_level=int(rng.choice([2, 4])),
                         legacy_plus_one=flip(rng)))
        return ["fpn%d" % i for i in range(count)] + ["restore"], args

    def collect_rpn_proposals(rng):
        inputs, args = pyramid(rng)
        return Case("CollectRpnProposals", inputs, ["rois"], args)

    def distribute_fpn_proposals(rng):
        n = rng.randint(0, 20)
        boxes = upright(rng, n, rng.choice([50, 400, 1500]))
        exact = rng.rand(n) < 0.3  # sizes on the boundary of two levels
        boxes[exact, 2:] = boxes[exact, :2] = np.round(boxes[exact, :2])
        boxes[exact, 2:] += rng.choice([55, 56, 111, 112, 223, 224, 447, 448], (exact.sum(), 1)).astype(F)
        if flip(rng):
            boxes = np.concatenate([np.sort(rng.randint(0, 3, (n, 1)), 0).astype(F), boxes], 1)
        outputs, args = levels(rng)
        return Case("DistributeFpnProposals", {"rois": boxes}, outputs, args)

    def collect_and_distribute(rng):
        inputs, collecting = pyramid(rng)
        outputs, distributing = levels(rng)
        return Case("CollectAndDistributeFpnRpnProposals", inputs, ["rois"] + outputs, {**collecting, **distributing})

    def roi_align(rng, type="RoIAlign", boxes=upright):
        n, c, h, w = rng.randint(1, 4), rng.choice([1, 2, 3, 66], p=[0.4, 0.3, 0.25, 0.05]), rng.randint(1, 12), rng.randint(1, 12)
        x = rng.randn(n, c, h, w).astype(F)
        order = rng.choice(["NCHW", "NHWC"])
        scale = float(rng.choice([1, 0.5, 0.25]))
        r = rng.randint(0, 5)
        rois = boxes(rng, r, max(h, w) / scale)
        if n > 1 or flip(rng):
            rois = np.concatenate([rng.randint(0, n, (r, 1)).astype(F), rois], 1)
        args = some(rng, aligned=flip(rng), sampling_ratio=int(rng.choice([-1, 0, 1, 2, 3])))
        return Case(type, {"X": x if order == "NCHW" else x.transpose(0, 2, 3, 1), "rois": rois}, ["Y"],
                    {**args, "order": str(order), "spatial_scale": scale, "pooled_h": int(rng.randint(1, 5)), "pooled_w": int(rng.randint(1, 5))})

    def batch_permutation(rng):
        n = rng.randint(0, 8)
        shape = [n] + list(rng.randint(1, 5, rng.randint(0, 4)))
        return Case("BatchPermutation", {"X": rng.randn(*shape).astype(F), "indices": rng.permutation(n).astype(np.int32)}, ["Y"])

    def box_with_nms_limit(rng, turn=0, soft=None):
        n, k, images = rng.randint(0, 25), rng.randint(2, 5), rng.randint(1, 4)
        has_background, agnostic = flip(rng), flip(rng)
        columns = 1 if agnostic else k - 1 + has_background
        boxes = (rotated if turn else upright)(rng, n * columns, 40).reshape(n, -1) if n else np.zeros((0, columns * (5 if turn else 4)), F)
        scores = distinct(rng, n, k) if n and flip(rng) else rng.choice([0.04, 0.2, 0.4, 0.6], (n, k)).astype(F)
        inputs = {"scores": scores, "boxes": boxes}
        if images > 1 or flip(rng):
            inputs["splits"] = np.diff(np.concatenate([[0], np.sort(rng.randint(0, n + 1, images - 1)), [n]])).astype(F)
        outputs = ["out_scores", "out_boxes", "out_classes", "out_splits", "keeps", "keeps_size"]
        args = some(rng, score_thresh=0.1, nms=0.5, detections_per_im=int(rng.choice([0, 5, 10])), legacy_plus_one=flip(rng),
                    output_classes_include_bg_cls=flip(rng))
        if soft if soft is not None else flip(rng):
            args.update(some(rng, soft_nms_method=str(rng.choice(["linear", "gaussian"])), soft_nms_sigma=0.4,
                             soft_nms_min_score_thres=0.15), soft_nms_enabled=1)
        args.update(input_boxes_include_bg_cls=has_background, cls_agnostic_bbox_reg=agnostic, rotated=turn)
        return Case("BoxWithNMSLimit", inputs, outputs[:[3, 4, 6][rng.randint(3)]], args)

    def heatmap_max_keypoint(rng):
        n, k, s = rng.randint(0, 4), rng.randint(1, 4), rng.randint(2, 12)
        maps = rng.randn(n, k, s, s) * rng.choice([0.01, 1, 5])
        if flip(rng):  # hills
            y, x = np.mgrid[:s, :s]
            maps = maps * 0.02 - rng.choice([0.02, 0.3]) * ((x - s * rng.rand(n, k, 1, 1)) ** 2 + (y - s * rng.rand(n, k, 1, 1)) ** 2)
        return Case("HeatmapMaxKeypoint", {"maps": maps.astype(F), "boxes": upright(rng, n, 60)}, ["keypoints"],
                    {"should_output_softmax": flip(rng)})

    def resize_nearest(rng):
        n, c, h, w = rng.randint(1, 4), rng.randint(1, 4), rng.randint(1, 9), rng.randint(1, 9)
        order = str(rng.choice(["NCHW", "NHWC"]))
        scales = [float(v) for v in rng.choice([2, 0.5, 1, 3, 1.5, 0.9, 0.7, 1 / 3, 2.3, rng.uniform(0.4, 3)], 2)]
        x = rng.randn(n, c, h, w).astype(F)
        inputs = {"X": x if order == "NCHW" else x.transpose(0, 2, 3, 1)}
        if order == "NCHW" and flip(rng):
            return Case("ResizeNearest", {**inputs, "scales": np.array(scales, F)}, ["Y"], {"order": order})
        return Case("ResizeNearest", inputs, ["Y"], {"order": order, "height_scale": scales[0], "width_scale": scales[1]})

    def upsample_bilinear(rng):
        n, c, h, w = rng.randint(0 if rng.rand() < 0.1 else 1, 4), rng.randint(1, 4), rng.randint(1, 9), rng.randint(1, 9)
        scales = [float(v) for v in rng.choice([2, 0.5, 1, 3, 1.5, 0.9, 0.7, 1 / 3, 2.3, rng.uniform(0.4, 3)], 2)]
        inputs, args = {"X": rng.randn(n, c, h, w).astype(F)}, {"height_scale": scales[0], "width_scale": scales[1]}
        if flip(rng):
            inputs["scales"], args = np.array(scales, F), {}
        return Case("UpsampleBilinear", inputs, ["Y"], args)

    def pad_image(rng):
        n, c, h, w = rng.randint(0 if rng.rand() < 0.1 else 1, 4), rng.randint(1, 4), rng.randint(1, 9), rng.randint(1, 9)
        mode = str(rng.choice(["constant", "reflect", "edge"]))
        pads = []
        for size in (h, w):
            before, after = (2 * size - 2, size - 1) if mode == "reflect" else (6, 6)
            pads.append([int(rng.randint(-((size - 1) // 2), before + 1)), int(rng.randint(-((size - 1) // 2), after + 1))])
        t, l, b, r = pads[0][0], pads[1][0], pads[0][1], pads[1][1]
        args = [{"pads": [t, l, b, r]}, {"pad_t": t, "pad_l": l, "pad_b": b, "pad_r": r}][flip(rng)]
        if mode != "reflect" and rng.rand() < 0.3:
            args = {"pad": int(rng.randint(0, 4))}
        args.update(some(rng, value=float(F(rng.randn()))))
        if mode != "constant" or flip(rng):
            args["mode"] = mode
        x = rng.randn(n, c, h, w).astype(F)
        if flip(rng) and n:
            x, args["order"] = x.transpose(0, 2, 3, 1), "NHWC"
        return Case("PadImage", {"X": x}, ["Y"], args)

    def roi_pool(rng):
        n, c, h, w = rng.randint(1, 4), rng.randint(1, 5), rng.randint(1, 12), rng.randint(1, 12)
        scale, test = float(rng.choice([1, 0.5, 0.25])), flip(rng)
        r = rng.randint(0, 6)
        boxes = upright(rng, r, max(h, w) / scale)
        if flip(rng):
            boxes = np.round(boxes)
        if flip(rng):
            boxes[:, [0, 2]] = boxes[:, [2, 0]]  # inside out
        rois = np.concatenate([rng.randint(0, n, (r, 1)).astype(F), boxes], 1)
        return Case("RoIPool", {"X": rng.randn(n, c, h, w).astype(F), "rois": rois}, ["Y", "argmaxes"][:2 - test],
                    {"is_test": test, "spatial_scale": scale, "pooled_h": int(rng.randint(1, 5)), "pooled_w": int(rng.randint(1, 5))})

    return {
        "UpsampleBilinear": upsample_bilinear,
        "PadImage": pad_image,
        "RoIPool": roi_pool,
        "BBoxTransform": bbox_transform,
        "GenerateProposals": generate_proposals,
        "GenerateProposalsCPP": lambda rng: generate_proposals(rng, "GenerateProposalsCPP"),
        "CollectRpnProposals": collect_rpn_proposals,
        "DistributeFpnProposals": distribute_fpn_proposals,
        "CollectAndDistributeFpnRpnProposals": collect_and_distribute,
        "RoIAlign": roi_align,
        "RoIAlignRotated": lambda rng: roi_align(rng, "RoIAlignRotated", rotated),
        "BatchPermutation": batch_permutation,
        "BoxWithNMSLimit": lambda rng: box_with_nms_limit(rng, soft=0),
        "BoxWithNMSLimitSoft": lambda rng: box_with_nms_limit(rng, soft=1),
        "BoxWithNMSLimitRotated": lambda rng: box_with_nms_limit(rng, turn=1),
        "HeatmapMaxKeypoint": heatmap_max_keypoint,
        "ResizeNearest": resize_nearest,
    }
