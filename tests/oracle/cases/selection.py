"""Operators that choose elements: the largest, those of given numbers, those for which something holds."""
import numpy as np

from cases.elementwise import NUMBERS, any_type, shape_of, values

ANY = NUMBERS + (np.bool_, np.uint8)


def chance(rng, p):
    return rng.rand() < p


def data(rng, shape, dtype):
    if dtype is np.bool_:
        return rng.rand(*shape) < 0.5
    return np.abs(values(rng, shape, np.int64)).astype(dtype) if dtype is np.uint8 else values(rng, shape, dtype)


def cases(Case):
    def top_k(rng):
        s = shape_of(rng, 1)
        axis = int(rng.randint(len(s))) if chance(rng, 0.6) else -1
        args = {"axis": axis} if axis >= 0 or chance(rng, 0.5) else {}
        k = int(rng.randint(1, max(s[axis], 1) + (3 if chance(rng, 0.2) else 1)))
        x = values(rng, s) if chance(rng, 0.5) else rng.randint(0, 4, s).astype(np.float32)  # ties
        inputs = {"X": x}
        if chance(rng, 0.3):
            inputs["k"] = np.array([k], np.int64)
        else:
            args["k"] = k
        return Case("TopK", inputs, ["values", "indices", "flat_indices"][:rng.randint(2, 4)], args)

    def arg(type):
        def case(rng):
            s, args = shape_of(rng, 1), {}
            if chance(rng, 0.7):
                args["axis"] = int(rng.randint(-1, len(s)))
            if chance(rng, 0.6):
                args["keepdims"] = int(rng.randint(2))
            x = values(rng, s, any_type(rng)) if chance(rng, 0.5) else rng.randint(0, 4, s).astype(any_type(rng))
            return Case(type, {"X": x}, ["Y"], args)

        return case

    def indices(rng, size, shape, wrap):
        return rng.randint(-size if wrap else 0, size, shape).astype((np.int32, np.int64)[rng.randint(2)])

    def gather(rng):
        s = list(shape_of(rng, 1))
        axis, args = int(rng.randint(len(s))), {}
        wrap = axis == 0
        shape = shape_of(rng, 0, 3)
        if axis > 0 and chance(rng, 0.4):
            args["match_outer"] = 1
            shape = tuple(s[:axis]) + shape
        if axis > 0 or chance(rng, 0.5):
            args["axis"] = axis
        if axis > 0 and "match_outer" not in args and chance(rng, 0.3):
            args["axis"], wrap = axis - len(s), False
        if chance(rng, 0.4):
            args["wrap_indices"] = int(rng.randint(2))
            wrap = bool(args["wrap_indices"])
        found = indices(rng, max(s[axis], 1), shape, wrap)
        return Case("Gather", {"DATA": data(rng, s, any_type(rng, ANY)), "INDICES": found}, ["Y"], args)

    def batch_gather(rng):
        s, args, shape = list(shape_of(rng, 2)), {}, shape_of(rng, 1, 3)
        if chance(rng, 0.4):
            args["match_outer"], shape = 1, (s[0],) + shape
        return Case("BatchGather", {"DATA": data(rng, s, any_type(rng, ANY)), "INDICES": indices(rng, max(s[1], 1), shape, False)},
                    ["Y"], args)

    def where(rng):
        s, dtype, args = shape_of(rng, 1), any_type(rng, NUMBERS + (np.bool_,)), {}
        if chance(rng, 0.4):
            args["broadcast_on_rows"] = int(rng.randint(2))
        condition = rng.rand(*(s[:1] if args.get("broadcast_on_rows") else s)) < 0.5
        return Case("Where", {"condition": condition, "X": data(rng, s, dtype), "Z": data(rng, s, dtype)}, ["Y"], args)

    def conditional(rng):
        s, dtype = shape_of(rng, 1), any_type(rng, ANY)
        return Case("Conditional", {"condition": rng.rand(s[0]) < 0.5, "X": data(rng, s, dtype), "Z": data(rng, s, dtype)}, ["Y"])

    return {"TopK": top_k, "ArgMax": arg("ArgMax"), "ArgMin": arg("ArgMin"), "Gather": gather, "BatchGather": batch_gather,
            "Where": where, "Conditional": conditional}
