"""Operators that move data around, and the reductions."""
import numpy as np

from cases.elementwise import NUMBERS, any_type, shape_of, values

ANY = NUMBERS + (np.bool_, np.uint8)


def chance(rng, p):
    return rng.rand() < p


def concat(Case):
    def case(rng):
        shape, dtype = shape_of(rng, 1), any_type(rng, ANY)
        count, args = rng.randint(1, 5), {}
        if chance(rng, 0.3):
            args = {"add_axis": 1, "axis": int(rng.randint(-len(shape) - 1, len(shape) + 1))}
            shapes = [shape] * count
        else:
            axis = int(rng.randint(len(shape)))
            if len(shape) > 1 and axis == 1 and chance(rng, 0.5):
                args = {} if chance(rng, 0.5) else {"order": "NCHW"}
            elif len(shape) == 4 and axis == 3 and chance(rng, 0.5):
                args = {"order": "NHWC"}
            else:
                args = {"axis": axis - (len(shape) if chance(rng, 0.5) else 0)}
            shapes = [shape[:axis] + (int(rng.randint(0, 4)),) + shape[axis + 1:] for _ in range(count)]
        return Case("Concat", {"X%d" % i: values(rng, s, dtype) for i, s in enumerate(shapes)}, ["Y", "split_info"], args)

    return case


def split(Case):
    def case(rng):
        shape, pieces = list(shape_of(rng, 1)), int(rng.randint(1, 4))
        axis, args, inputs = int(rng.randint(len(shape))), {}, {}
        sizes = [int(s) for s in rng.randint(0, 4, pieces)]
        way = rng.randint(4)
        if way == 0:
            shape[axis] = pieces * int(rng.randint(0, 3))
        elif way == 1:
            shape[axis], args = pieces, {"add_axis": 1}
        else:
            shape[axis] = sum(sizes)
            args = {"split": sizes} if way == 2 else {}
        if way != 1 and len(shape) == 4 and axis in (1, 3) and chance(rng, 0.5):
            args["order"] = "NCHW" if axis == 1 else "NHWC"
        else:
            args["axis"] = axis - (len(shape) if chance(rng, 0.5) else 0)
        inputs["X"] = values(rng, shape, any_type(rng, ANY))
        if way == 3:
            inputs["split"] = np.array(sizes, np.int32)
        return Case("Split", inputs, ["Y%d" % i for i in range(pieces)], args)

    return case


def slice_(Case):
    def case(rng):
        shape = shape_of(rng, 1)
        starts, ends = [0] * len(shape), [-1] * len(shape)
        d = int(rng.randint(len(shape)))
        a, b = sorted(int(i) for i in rng.randint(0, shape[d] + 1, 2))
        starts[d], ends[d] = a, b
        if chance(rng, 0.4):
            starts[d] -= shape[d] + 1
        if chance(rng, 0.4):
            ends[d] -= shape[d] + 1
        elif chance(rng, 0.1):
            ends[d] = 100
        inputs, args = {"X": values(rng, shape, any_type(rng, ANY))}, {"starts": starts, "ends": ends}
        if chance(rng, 0.4):
            dtype = (np.int32, np.int64)[rng.randint(2)]
            inputs.update(starts=np.array(starts, dtype), ends=np.array(ends, dtype))
            args = {}
        return Case("Slice", inputs, ["Y"], args)

    return case


def reshape(Case):
    def case(rng):
        shape = tuple(int(d) for d in rng.randint(1, 5, rng.randint(1, 5)))
        parts = [d for d in shape for d in ((2, 2) if d == 4 and chance(rng, 0.5) else (d,))]
        while len(parts) > 1 and chance(rng, 0.4):
            i = rng.randint(len(parts) - 1)
            parts[i:i + 2] = [parts[i] * parts[i + 1]]
        new = [int(p) for p in rng.permutation(parts)]
        for i, n in enumerate(new):
            if i < len(shape) and shape[i] == n and chance(rng, 0.3):
                new[i] = 0
        if chance(rng, 0.5):
            new[rng.randint(len(new))] = -1
        inputs, args = {"X": values(rng, shape, any_type(rng, ANY))}, {"shape": new}
        if chance(rng, 0.4):
            inputs["shape"], args = np.array(new, (np.int32, np.int64)[rng.randint(2)]), {}
        return Case("Reshape", inputs, ["Y", "old_shape"], args)

    return case


def flatten(Case):
    def case(rng):
        shape = shape_of(rng, 1)
        args = {"axis": int(rng.randint(len(shape) + 1))} if chance(rng, 0.8) else {}
        return Case("Flatten", {"X": values(rng, shape, any_type(rng, ANY))}, ["Y"], args)

    return case


def squeeze(Case):
    def case(rng):
        shape = [1 if chance(rng, 0.5) else d for d in shape_of(rng, 1)]
        shape[rng.randint(len(shape))] = 1
        ones = [i for i, d in enumerate(shape) if d == 1]
        dims = [int(d) for d in rng.permutation(ones)[:rng.randint(1, len(ones) + 1)]]
        return Case("Squeeze", {"X": values(rng, shape, any_type(rng, ANY))}, ["Y"], {"dims": dims})

    return case


def expand_dims(Case):
    def case(rng):
        shape, more = shape_of(rng, 1), int(rng.randint(1, 4))
        dims = [int(d) for d in rng.permutation(len(shape) + more)[:more]]
        return Case("ExpandDims", {"X": values(rng, shape, any_type(rng, ANY))}, ["Y"], {"dims": dims})

    return case


def transpose(Case):
    def case(rng):
        shape = shape_of(rng, 1, 5)
        args = {"axes": [int(a) for a in rng.permutation(len(shape))]} if chance(rng, 0.8) else {}
        return Case("Transpose", {"X": values(rng, shape, any_type(rng))}, ["Y"], args)

    return case


def cast(Case):
    def case(rng):
        numbers = {1: "FLOAT", 2: "int32", 5: "Bool", 6: "uint8", 7: "INT8", 9: "int16", 10: "INT64", 13: "double"}
        to = sorted(numbers)[rng.randint(len(numbers))]
        dtype = any_type(rng, ANY + (np.int8, np.int16))
        x = values(rng, shape_of(rng, 1)) * 20
        args = {"to": int(to) if chance(rng, 0.7) else numbers[to]}
        if chance(rng, 0.3):
            args["from_type"] = 1
        return Case("Cast", {"X": x.astype(np.int64).astype(dtype) if dtype in (np.uint8, np.int8) else x.astype(dtype)}, ["Y"], args)

    return case


def shape(Case):
    def case(rng):
        s = shape_of(rng, 1)
        args = {"axes": [int(a) for a in rng.randint(0, len(s), rng.randint(1, 4))]} if chance(rng, 0.5) else {}
        return Case("Shape", {"X": values(rng, s, any_type(rng, ANY))}, ["Y"], args)

    return case


def order_switch(Case, type):
    def case(rng):
        return Case(type, {"X": values(rng, shape_of(rng, 3, 5))}, ["Y"])

    return case


def channel_shuffle(Case):
    def case(rng):
        group, s, first = int(rng.randint(1, 5)), list(shape_of(rng, 2)), chance(rng, 0.5)
        s[1 if first else -1] = group * int(rng.randint(1, 4))
        args = {"group": group, "order": "NCHW" if first else "NHWC"}
        return Case("ChannelShuffle", {"X": values(rng, s)}, ["Y"], args)

    return case


def reduce(Case, type, types):
    def case(rng):
        s, args = shape_of(rng, 1), {}
        if chance(rng, 0.8):
            axes = rng.permutation(len(s))[:rng.randint(1, len(s) + 1)]
            args["axes"] = [int(a) - (len(s) if chance(rng, 0.3) else 0) for a in axes]
        if chance(rng, 0.7):
            args["keepdims"] = int(rng.randint(2))
        return Case(type, {"X": values(rng, s, any_type(rng, types))}, ["Y"], args)

    return case


def reduce_end(Case, type, types):
    """ReduceFront... and ReduceBack...: over a number of dimensions, or over parts of one."""
    def case(rng):
        s, args = shape_of(rng, 1), {}
        if chance(rng, 0.6):
            args["num_reduce_dim"] = int(rng.randint(len(s) + 1))
        inputs = {"X": values(rng, s, any_type(rng, types))}
        if args.get("num_reduce_dim", 1) == 1 and 0 not in s and chance(rng, 0.4):
            front = "Front" in type
            most, count = (s[0], int(np.prod(s[1:]))) if front else (s[-1], int(np.prod(s[:-1])))
            inputs["lengths"] = rng.randint(1, most + 1, count).astype(np.int32)
        return Case(type, inputs, ["Y"], args)

    return case


def elements(Case, type, types):
    def case(rng):
        args = {"average": int(rng.randint(2))} if chance(rng, 0.6) else {}
        x = values(rng, shape_of(rng, 1), any_type(rng, types))
        return Case(type, {"X": x if x.size or type != "SumElementsInt" else np.array([7], np.int32)}, ["Y"], args)

    return case


def tile(Case):
    def case(rng):
        s = shape_of(rng, 1)
        numbers = {"tiles": int(rng.randint(0, 4)), "axis": int(rng.randint(-len(s), len(s)))}
        inputs, args = {"X": values(rng, s, any_type(rng))}, dict(numbers)
        for name in ("tiles", "axis")[:rng.randint(3)]:
            inputs[name] = np.array([args.pop(name)], np.int32)
        return Case("Tile", inputs, ["Y"], args)

    return case


def numpy_tile(Case):
    def case(rng):
        s = shape_of(rng, 1)
        return Case("NumpyTile", {"X": values(rng, s, any_type(rng)), "repeats": rng.randint(1, 4, len(s)).astype(np.int64)}, ["Y"])

    return case


def expand(Case):
    def case(rng):
        whole = [int(d) for d in rng.randint(1, 5, rng.randint(1, 5))]
        x = [1 if chance(rng, 0.4) else d for d in whole[rng.randint(len(whole)) if chance(rng, 0.3) else 0:]]
        wanted = [rng.choice([1, 0, -1]) if i >= len(whole) - len(x) and chance(rng, 0.3) else d for i, d in enumerate(whole)]
        if chance(rng, 0.2):
            wanted = wanted[rng.randint(len(wanted)):]
        return Case("Expand", {"X": values(rng, x, any_type(rng)), "shape": np.array(wanted, np.int64)}, ["Y"])

    return case


def range_(Case):
    def case(rng):
        dtype = any_type(rng)
        ends = [rng.randint(-20, 21), rng.randint(-20, 21), rng.choice([-3, -2, -1, 1, 2, 3, 7])][:rng.randint(1, 4)]
        if np.issubdtype(dtype, np.floating) and chance(rng, 0.6):
            ends = [e * rng.rand() for e in ends]
        return Case("Range", {"i%d" % i: np.array([e], dtype) for i, e in enumerate(ends)}, ["Y"])

    return case


def cases(Case):
    vector = lambda rng: Case("FlattenToVec", {"X": values(rng, shape_of(rng, 1), any_type(rng, ANY))}, ["Y"])  # noqa: E731
    return {
        "Concat": concat(Case), "Split": split(Case), "Slice": slice_(Case), "Reshape": reshape(Case),
        "Flatten": flatten(Case), "FlattenToVec": vector, "Squeeze": squeeze(Case), "ExpandDims": expand_dims(Case),
        "Transpose": transpose(Case), "Cast": cast(Case), "Shape": shape(Case), "ChannelShuffle": channel_shuffle(Case),
        "NCHW2NHWC": order_switch(Case, "NCHW2NHWC"), "NHWC2NCHW": order_switch(Case, "NHWC2NCHW"),
        "ReduceMean": reduce(Case, "ReduceMean", (np.float32,)), "ReduceSum": reduce(Case, "ReduceSum", NUMBERS),
        "ReduceL1": reduce(Case, "ReduceL1", (np.float32,)), "ReduceL2": reduce(Case, "ReduceL2", (np.float32,)),
        **{"Reduce%sSum" % end: reduce_end(Case, "Reduce%sSum" % end, NUMBERS) for end in ("Front", "Back")},
        **{"Reduce%sMean" % end: reduce_end(Case, "Reduce%sMean" % end, NUMBERS) for end in ("Front", "Back")},
        **{"Reduce%sMax" % end: reduce_end(Case, "Reduce%sMax" % end, (np.float32,)) for end in ("Front", "Back")},
        "SumElements": elements(Case, "SumElements", (np.float32,)), "SumElementsInt": elements(Case, "SumElementsInt", (np.int32,)),
        "SumSqrElements": elements(Case, "SumSqrElements", (np.float32, np.float64)),
        "Tile": tile(Case), "NumpyTile": numpy_tile(Case), "Expand": expand(Case), "Range": range_(Case),
        "ReduceMax": reduce(Case, "ReduceMax", NUMBERS), "ReduceMin": reduce(Case, "ReduceMin", NUMBERS),
    }
