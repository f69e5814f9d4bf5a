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


def some(**values):
    """Arguments of which each is there in half of the cases."""
    return lambda rng: {k: v(rng) for k, v in values.items() if rng.rand() < 0.5}


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


def comparison(Case, type, types):
    """A quarter of the elements equal: small numbers."""
    arithmetic = binary(Case, type)

    def case(rng):
        found, dtype = arithmetic(rng), any_type(rng, types)
        for blob, x in found.inputs.items():
            small = np.asarray(rng.randint(-2, 3, x.shape))
            found.inputs[blob] = small > 0 if dtype is np.bool_ else small.astype(dtype)
        return found

    return case


def power(Case):
    def case(rng):
        shape = shape_of(rng, 1)
        x = np.abs(values(rng, shape)) + np.float32(0.1)
        if rng.rand() < 0.5:
            exponent = float(np.float32(rng.choice([2, 0.5, -1, 3, 0, rng.randn()])))
            return Case("Pow", {"X": x}, ["Y"], {"exponent": exponent})
        if rng.rand() < 0.5:
            return Case("Pow", {"X": x, "exponent": rng.randn(*shape).astype(np.float32)}, ["Y"])
        a, b, axis, last = legacy_shapes(rng)
        args = {"broadcast": 1} if last else {"broadcast": 1, "axis": int(axis)}
        return Case("Pow", {"X": np.abs(values(rng, a)) + np.float32(0.1), "exponent": rng.randn(*b).astype(np.float32)}, ["Y"], args)

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
    found.update({t: unary(Case, t) for t in ("Sqr", "Sin", "Cos", "Tan", "Atan", "Sinh", "Cosh", "Cbrt", "Erf", "Swish", "Softplus",
                                              "Softsign", "Asin", "Acos")})
    found.update({t: unary(Case, t, positive=True) for t in ("Rsqrt", "Reciprocal")})
    found.update({t: unary(Case, t, types=NUMBERS) for t in ("Sign", "Cube")})
    found["Not"] = unary(Case, "Not", types=(np.bool_,))
    found["Elu"] = unary(Case, "Elu", args=some(alpha=lambda rng: float(np.float32(rng.randn()))))
    found["Selu"] = unary(Case, "Selu", args=some(alpha=lambda rng: float(np.float32(rng.rand())), scale=lambda rng: float(np.float32(1.01 + rng.rand()))))
    found["Gelu"] = unary(Case, "Gelu", args=some(fast_gelu=lambda rng: int(rng.randint(2))))
    found["Clip"] = unary(Case, "Clip", args=some(min=lambda rng: float(np.float32(rng.randn() * 4)), max=lambda rng: float(np.float32(rng.randn() * 4))))
    found["HardSigmoid"] = unary(Case, "HardSigmoid", args=some(alpha=lambda rng: float(np.float32(rng.randn() / 4)), beta=lambda rng: float(np.float32(rng.rand()))))
    found["Scale"] = unary(Case, "Scale", types=(np.float32, np.float64), args=some(scale=lambda rng: float(np.float32(rng.randn()))))
    found["Mod"] = unary(Case, "Mod", types=(np.int32, np.int64), args=lambda rng: {
        "divisor": int(rng.choice([1, 2, 3, 7, -3])), **some(sign_follow_divisor=lambda r: int(r.randint(2)))(rng)})
    found["Pow"] = power(Case)
    for t in ("Copy", "CopyFromCPUInput", "EnsureCPUOutput", "EnsureDense", "StopGradient", "Alias"):
        found[t] = unary(Case, t, types=NUMBERS)
    found["AliasWithName"] = unary(Case, "AliasWithName", args=lambda rng: {"name": "other", "is_backward": 0})
    found.update({t: binary(Case, t) for t in ("Add", "Sub", "Mul", "Div")})
    found.update({t: comparison(Case, t, NUMBERS + (np.bool_,)) for t in ("EQ", "NE", "LT", "LE", "GT", "GE")})
    found.update({t: comparison(Case, t, (np.bool_,)) for t in ("And", "Or", "Xor")})
    found.update({t: comparison(Case, t, (np.int32, np.int64, np.bool_)) for t in ("BitwiseAnd", "BitwiseOr", "BitwiseXor")})
    found.update(Sum=nary(Case, "Sum", NUMBERS), Mean=nary(Case, "Mean", (np.float32,)),
                 Max=nary(Case, "Max", (np.float32,)), Min=nary(Case, "Min", (np.float32,)))
    return found
