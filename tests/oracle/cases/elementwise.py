"""The unary and binary elementwise operators, and Sum, Mean, Max, Min."""
import numpy as np

NUMBERS = (np.float32, np.float64, np.int32, np.int64)


def shape_of(rng, least=0, most=4):
    """A random shape, now and then with an empty dimension."""
    shape = list(rng.randint(1, 5, rng.randint(least, most + 1)))
    if shape and rng.rand() < 0.05:
        shape[rng.randint(len(shape))] = 0
    return tuple(int(d) for d in shape)


def values(rng, shape, dtype=np.float32):
    x = np.asarray(rng.randn(*shape) * 5)
    return x.astype(dtype) if np.issubdtype(dtype, np.floating) else np.asarray(rng.randint(-9, 10, shape)).astype(dtype)


def any_type(rng, types=NUMBERS):
    return types[rng.randint(len(types))]


def unary(Case, type, positive=False, types=(np.float32,), args=lambda rng: {}):
    def case(rng):
        x = values(rng, shape_of(rng, 1), any_type(rng, types))
        return Case(type, {"X": np.abs(x) + 0.1 if positive else x}, ["Y"], args(rng))

    case.__name__ = type
    return case


def numpy_shapes(rng):
    """Two shapes that broadcast together as numpy's do."""
    whole = shape_of(rng)
    cut = [tuple(1 if rng.rand() < 0.25 else d for d in whole[rng.randint(len(whole) + 1) if rng.rand() < 0.5 else 0:])
           for _ in range(2)]
    return cut[0], cut[1]


def legacy_shapes(rng):
    """A's shape, a run of it for B with ones put around it, and the run's axis."""
    a = shape_of(rng, 1)
    begin = rng.randint(len(a))
    end = rng.randint(begin, len(a)) + 1
    b = [1 if rng.rand() < 0.1 and i in (begin, end - 1) else a[i] for i in range(begin, end)]
    return a, tuple(b), begin, end == len(a)


def binary(Case, type):
    def case(rng):
        dtype, args = any_type(rng), {}
        if rng.rand() < 0.5:
            a, b = numpy_shapes(rng)
            if rng.rand() < 0.2:
                args["axis"] = 1  # of no meaning without broadcast
        else:
            a, b, axis, last = legacy_shapes(rng)
            args["broadcast"] = 1
            if len(a) == 4 and rng.rand() < 0.3:
                order = ("NCHW", "NHWC")[rng.randint(2)]
                args.update(axis_str=order[axis], order=order)
            elif not last or rng.rand() < 0.5:
                args["axis"] = int(axis)
        x, y = values(rng, a, dtype), values(rng, b, dtype)
        if type == "Div":
            y = np.where(y == 0, 3, y).astype(dtype)
        return Case(type, {"A": x, "B": y}, ["C"], args)

    return case


def nary(Case, type, types):
    def case(rng):
        shape, dtype = shape_of(rng, 1), any_type(rng, types)
        return Case(type, {"X%d" % i: values(rng, shape, dtype) for i in range(rng.randint(1, 5))}, ["Y"])

    return case


def cases(Case):
    found = {t: unary(Case, t) for t in ("Relu", "Sigmoid", "Tanh", "Abs", "Exp", "Floor", "Ceil")}
    found.update({t: unary(Case, t, positive=True) for t in ("Sqrt", "Log")})
    found["Negative"] = unary(Case, "Negative", types=NUMBERS)
    found["LeakyRelu"] = unary(Case, "LeakyRelu", args=lambda rng: {"alpha": float(np.float32(rng.rand()))} if rng.rand() < 0.7 else {})
    for t in ("Copy", "CopyFromCPUInput", "EnsureCPUOutput", "EnsureDense", "StopGradient", "Alias"):
        found[t] = unary(Case, t, types=NUMBERS)
    found["AliasWithName"] = unary(Case, "AliasWithName", args=lambda rng: {"name": "other", "is_backward": 0})
    found.update({t: binary(Case, t) for t in ("Add", "Sub", "Mul", "Div")})
    found.update(Sum=nary(Case, "Sum", NUMBERS), Mean=nary(Case, "Mean", (np.float32,)),
                 Max=nary(Case, "Max", (np.float32,)), Min=nary(Case, "Min", (np.float32,)))
    return found
