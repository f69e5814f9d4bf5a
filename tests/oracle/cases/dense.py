"""Convolutions, pools, normalisations and FC. The original ends the process where it refuses a case: all are valid."""
import numpy as np


def floats(rng, *shape):
    return rng.randn(*shape).astype(np.float32)


def nhwc(x):
    """(N,C,...) -> (N,...,C)."""
    return np.moveaxis(x, 1, -1)


def chance(rng, p):
    return rng.rand() < p


def one_of(rng, *choices):
    return choices[rng.randint(len(choices))]


def spread(rng, name, values, default):
    """Arguments for one number an axis in one of the forms there are."""
    values = [int(v) for v in values]
    if all(v == default for v in values) and chance(rng, 0.5):
        return {}
    if len(values) == 2:
        if values[0] == values[1] and chance(rng, 0.5):
            return {name: values[0]}
        if chance(rng, 0.4):
            return {name + "_h": values[0], name + "_w": values[1]}
    return {name + "s": values}


def padding(rng, fronts, ends):
    values = [int(v) for v in list(fronts) + list(ends)]
    if not any(values) and chance(rng, 0.5):
        return {}
    if len(values) == 4:
        if len(set(values)) == 1 and chance(rng, 0.5):
            return {"pad": values[0]}
        if chance(rng, 0.4):
            return dict(zip(("pad_t", "pad_l", "pad_b", "pad_r"), values))
    return {"pads": values}


def window(rng, axes, pool):
    """Arguments of a window and the least size that an input needs along each axis."""
    kernel = rng.randint(1, 4, axes)
    stride = rng.randint(1, 4, axes)
    dilation = rng.randint(1, 3, axes) if not pool and chance(rng, 0.3) else np.ones(axes, int)
    args = {}
    legacy = rng.randint(1, 4) if chance(rng, 0.35) else 0
    if legacy > 1:  # where the original fails, or computes nonsense
        dilation = np.ones(axes, int)
    if legacy or chance(rng, 0.2):
        args["legacy_pad"] = int(legacy)
    if legacy == 3:  # past the end of the image the original reads what is not there
        stride = np.minimum(stride, kernel)
    least = dilation * (kernel - 1) + 1
    if legacy in (0, 3):
        most = kernel if pool else kernel + 1
        fronts = rng.randint(0, most)
        if legacy == 3:
            fronts = np.minimum(fronts, kernel - 1)
        ends = rng.randint(0, most) if legacy == 0 and chance(rng, 0.5) else fronts
        args.update(padding(rng, fronts, ends))
    args.update(spread(rng, "kernel", kernel, -1))
    args.update(spread(rng, "stride", stride, 1))
    args.update(spread(rng, "dilation", dilation, 1))
    return kernel, args, least


def order(rng, args):
    """Chooses NHWC for some."""
    if chance(rng, 0.35):
        args["order"] = "NHWC"
        return nhwc
    if chance(rng, 0.2):
        args["order"] = "NCHW"
    return lambda x: x


def cases(Case):
    def conv(rng):
        axes = one_of(rng, 1, 2, 2, 2, 2, 2, 3)
        kernel, args, least = window(rng, axes, pool=False)
        group = one_of(rng, 1, 1, 2, 3)
        if group > 1 or chance(rng, 0.1):
            args["group"] = group
        place = order(rng, args)
        n, c, m = rng.randint(0 if chance(rng, 0.1) else 1, 3), group * rng.randint(1, 3), group * rng.randint(1, 3)
        inputs = {"X": place(floats(rng, n, c, *(least + rng.randint(0, 5, axes)))),
                  "filter": place(floats(rng, m, c // group, *kernel))}
        if chance(rng, 0.7):
            inputs["bias"] = floats(rng, m)
        return Case("Conv", inputs, ["Y"], args)

    def conv_transpose(rng):
        kernel, stride = rng.randint(1, 4, 2), rng.randint(1, 4, 2)
        args = {**spread(rng, "kernel", kernel, -1), **spread(rng, "stride", stride, 1)}
        fronts = rng.randint(0, kernel)
        ends = rng.randint(0, kernel) if chance(rng, 0.5) else fronts
        args.update(padding(rng, fronts, ends))
        if chance(rng, 0.4):
            args.update(spread(rng, "adj", rng.randint(0, stride), 0))
        group = one_of(rng, 1, 1, 1, 2)
        if group > 1:
            args["group"] = group
        place = order(rng, args)
        n, c, m = rng.randint(0 if chance(rng, 0.1) else 1, 3), group * rng.randint(1, 3), rng.randint(1, 4)
        inputs = {"X": place(floats(rng, n, c, *rng.randint(3, 7, 2))), "filter": place(floats(rng, c, m, *kernel))}
        if chance(rng, 0.7):
            inputs["bias"] = floats(rng, m * group)
        return Case("ConvTranspose", inputs, ["Y"], args)

    def pool(type, rng):
        axes = one_of(rng, 1, 2, 2, 2, 2, 2, 3)
        if chance(rng, 0.15):
            args, least = {"global_pooling": 1}, np.ones(axes, int)
        else:
            _, args, least = window(rng, axes, pool=True)
        if type == "AveragePool" and chance(rng, 0.4):
            args["count_include_pad"] = rng.randint(2)
        place = order(rng, args)
        n, c = rng.randint(0 if chance(rng, 0.1) else 1, 3), rng.randint(1, 5)
        return Case(type, {"X": place(floats(rng, n, c, *(least + rng.randint(0, 6, axes))))}, ["Y"], args)

    def fc(rng):
        m, k, n = ([int(d) for d in rng.randint(1, 5, rng.randint(1, 4))] for _ in range(3))
        if chance(rng, 0.1):
            m[0] = 0
        args = {}
        if len(m) != 1 or chance(rng, 0.2):
            args["axis"] = one_of(rng, len(m), -len(k))
        if len(n) != 1 or chance(rng, 0.2):
            args["axis_w"] = one_of(rng, len(n), -1)
        k_of_w = [int(np.prod(k))] if args.get("axis_w", 1) < 0 or chance(rng, 0.7) else k
        return Case("FC", {"X": floats(rng, *m, *k), "W": floats(rng, *n, *k_of_w), "b": floats(rng, int(np.prod(n)))},
                    ["Y"], args)

    def fc_transposed(rng):
        m, k, n = ([int(d) for d in rng.randint(1, 5, rng.randint(1, 4))] for _ in range(3))
        if chance(rng, 0.1):
            m[0] = 0
        args = {"axis": one_of(rng, len(m), -len(k))} if len(m) != 1 or chance(rng, 0.2) else {}
        rows = k if chance(rng, 0.3) else [int(np.prod(k))]
        if len(rows) != 1 or chance(rng, 0.3):
            args["axis_w"] = one_of(rng, len(rows), -len(n))
        return Case("FCTransposed", {"X": floats(rng, *m, *k), "W": floats(rng, *rows, *n), "b": floats(rng, int(np.prod(n)))}, ["Y"], args)

    def matmul(rng):
        m, k, n = ([int(d) for d in rng.randint(1, 5, rng.randint(1, 3))] for _ in range(3))
        if chance(rng, 0.1):
            m[0] = 0
        args = {}
        sides = []
        for name, rows, columns in (("a", m, k), ("b", [int(np.prod(k))] if chance(rng, 0.5) else k, n)):
            if chance(rng, 0.4):
                args["trans_" + name], rows, columns = 1, columns, rows
            if len(rows) != 1 or chance(rng, 0.3):
                args["axis_" + name] = one_of(rng, len(rows), -len(columns))
            sides.append(floats(rng, *rows, *columns))
        inputs = {"A": sides[0], "B": sides[1]}
        if chance(rng, 0.1):
            inputs["like"] = floats(rng, *m, *n)
        return Case("MatMul", inputs, ["Y"], args)

    def batch_matmul(rng):
        m, k, n = (int(d) for d in rng.randint(1, 5, 3))
        batch, args = [int(d) for d in rng.randint(1, 4, rng.randint(0, 4))], {}
        if batch and chance(rng, 0.05):
            batch[0] = 0
        batches = [batch, batch]
        if chance(rng, 0.6):
            args["broadcast"] = 1
            batches = [[1 if chance(rng, 0.2) else d for d in batch[rng.randint(len(batch) + 1) if chance(rng, 0.3) else 0:]] for _ in range(2)]
        if 0 in batch:
            batches = [batch, batch]
        a, b = floats(rng, *batches[0], m, k), floats(rng, *batches[1], k, n)
        for name, x in (("trans_a", a), ("trans_b", b)):
            if chance(rng, 0.4):
                args[name] = 1
        a = np.swapaxes(a, -1, -2) if "trans_a" in args else a
        b = np.swapaxes(b, -1, -2) if "trans_b" in args else b
        if chance(rng, 0.1) and "trans_b" not in args:  # beside a vector the original takes a transposed matrix for another
            a = floats(rng, k)
        if chance(rng, 0.1) and ("trans_a" not in args or a.ndim == 1):
            b = floats(rng, k)
        return Case("BatchMatMul", {"A": a, "B": b}, ["Y"], args)

    def layer_norm(rng):
        rank = rng.randint(2, 5)
        shape = [int(d) for d in rng.randint(1, 6, rank)]
        args = {"axis": int(rng.randint(-rank, rank))} if chance(rng, 0.6) else {}
        shape[-1] += 2  # of a single element or two, what is left of the mean is rounding
        if chance(rng, 0.1) and args.get("axis", 1) % rank != 0:
            shape[0] = 0
        if chance(rng, 0.5):
            args["epsilon"] = float(rng.rand() * 0.1)
        inputs = {"X": floats(rng, *shape) * 3 + 1}
        if chance(rng, 0.4):
            rest = shape[args.get("axis", 1):]
            inputs.update(gamma=floats(rng, *rest), beta=floats(rng, *rest))
            args["elementwise_affine"] = 1
        return Case("LayerNorm", inputs, ["Y", "mean", "std"], args)

    def instance_norm(rng):
        args = {"epsilon": float(rng.rand() * 0.1)} if chance(rng, 0.5) else {}
        place = order(rng, args)
        n, c = rng.randint(1, 4), rng.randint(1, 6)
        x = floats(rng, n, c, *rng.randint(2, 5, rng.randint(1, 4))) * 3 + 1
        return Case("InstanceNorm", {"X": place(x), "scale": floats(rng, c), "bias": floats(rng, c)},
                    ["Y", "mean", "inv_std"][:one_of(rng, 1, 2, 3)], args)

    def lrn(rng):
        args = {"size": int(rng.randint(1, 8)), "alpha": float(rng.rand()), "beta": float(rng.rand())}
        if chance(rng, 0.5):
            args["bias"] = float(1 + rng.rand())
        place = order(rng, args)
        shape = rng.randint(1, 5, 4) + [0, rng.randint(1, 6), 0, 0]
        if chance(rng, 0.1):
            shape[0] = 0
        return Case("LRN", {"X": place(floats(rng, *shape))}, ["Y", "scale"][:rng.randint(1, 3)], args)

    def group_norm(rng):
        group = rng.randint(1, 5)
        args = {"group": int(group)}
        if chance(rng, 0.5):
            args["epsilon"] = float(rng.rand() * 0.1)
        if chance(rng, 0.3):
            args["eps"] = 0.5  # what detectron2's exporter writes, and nobody reads
        place = order(rng, args)
        n, c = rng.randint(0 if chance(rng, 0.1) else 1, 4), group * rng.randint(1, 4)
        # Groups of several elements: what a single one differs from its own mean is rounding.
        x = floats(rng, n, c, *rng.randint(2, 5, rng.randint(1, 4))) * 3 + 1
        outputs = ["Y"] if chance(rng, 0.7) else ["Y", "mean", "inv_std"]
        return Case("GroupNorm", {"X": place(x), "gamma": floats(rng, c), "beta": floats(rng, c)}, outputs, args)

    def spatial_bn(rng):
        args = {"is_test": 1}
        if chance(rng, 0.5):
            args["epsilon"] = float(rng.rand() * 0.1)
        place = order(rng, args)
        n, c = rng.randint(0 if chance(rng, 0.1) else 1, 4), rng.randint(1, 6)
        x = floats(rng, n, c, *rng.randint(1, 5, rng.randint(0, 4)))
        inputs = {"X": place(x), "scale": floats(rng, c), "bias": floats(rng, c), "mean": floats(rng, c),
                  "var": np.abs(floats(rng, c)) + np.float32(0.01)}
        return Case("SpatialBN", inputs, ["Y"], args)

    def softmax(rng):
        rank = rng.randint(2, 5)
        args = {"axis": int(rng.randint(-rank, rank))} if chance(rng, 0.7) else {}
        shape = rng.randint(1, 6, rank)
        if chance(rng, 0.1):
            shape[0] = 0
        return Case("Softmax", {"X": floats(rng, *shape) * 10 ** rng.randint(0, 3)}, ["Y"], args)

    def dropout(rng):
        args = {"is_test": 1, "ratio": float(rng.rand() * 0.9)}
        return Case("Dropout", {"X": floats(rng, *rng.randint(0, 4, rng.randint(1, 4)))}, ["Y"], args)

    def prelu(rng):
        args = {}
        place = order(rng, args)
        n, c = rng.randint(0 if chance(rng, 0.1) else 1, 4), rng.randint(1, 6)
        x = floats(rng, n, c, *rng.randint(1, 5, rng.randint(0, 4)))
        return Case("PRelu", {"X": place(x), "slope": floats(rng, one_of(rng, 1, c, c))}, ["Y"], args)

    return {"FCTransposed": fc_transposed, "MatMul": matmul, "BatchMatMul": batch_matmul, "LayerNorm": layer_norm,
            "InstanceNorm": instance_norm, "Conv": conv, "ConvTranspose": conv_transpose, "MaxPool": lambda rng: pool("MaxPool", rng),
            "AveragePool": lambda rng: pool("AveragePool", rng), "FC": fc, "LRN": lrn, "GroupNorm": group_norm,
            "SpatialBN": spatial_bn, "Softmax": softmax, "Dropout": dropout, "PRelu": prelu}
