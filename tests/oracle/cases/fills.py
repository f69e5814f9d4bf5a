"""Fills that are not random."""
import numpy as np


def cases(Case):
    def shaped(rng):
        """Inputs, arguments and number of elements: the shape is an argument, an input's, or what an input holds."""
        shape = [int(d) for d in rng.randint(1, 4, rng.randint(1, 4))]
        way, extra = rng.randint(4), []
        if way > 1 and rng.rand() < 0.4:
            extra = [int(d) for d in rng.randint(1, 4, rng.randint(1, 3))]
        inputs, args = {}, {"extra_shape": extra} if extra else {}
        if way < 2:
            args["shape"] = shape
        elif way == 2:
            inputs["input"] = np.zeros(shape, np.float32)
        else:
            inputs["input"], args["input_as_shape"] = np.array(shape, np.int64), 1
        return inputs, args, int(np.prod(shape + extra))

    def given(type, rng, values, dtype=None):
        inputs, args, count = shaped(rng)
        args["values"] = values(count)
        if dtype is not None:
            args["dtype"] = dtype
        return Case(type, inputs, ["Y"], args)

    def floats(rng):
        return lambda count: [float(v) for v in rng.randn(count).astype(np.float32)]

    def ints(rng, bits=31):
        return lambda count: [int(v) for v in rng.randint(-2 ** bits, 2 ** bits, count, dtype=np.int64)]

    def given_tensor(rng):
        dtype, values = [(None, floats), (1, floats), (2, ints), (10, ints), (13, floats)][rng.randint(5)]
        return given("GivenTensorFill", rng, values(rng), dtype)

    def byte_string(rng):
        return given("GivenTensorByteStringToUInt8Fill", rng, lambda count: [rng.bytes(count)])

    def constant(rng):
        inputs, args, _ = shaped(rng)
        kind = rng.randint(9)
        if kind == 0:
            args["value"] = float(np.float32(rng.randn()))
        elif kind == 1:
            args["value"] = int(rng.randint(-1000, 1000))
        elif kind == 2:
            args.update(value=float(np.float32(rng.randn())), dtype=1)
        elif kind in (3, 4, 5, 6, 7):
            dtype = [2, 5, 6, 9, 10][kind - 3]
            args.update(value=int(rng.randint(0, 2 if dtype == 5 else 100)), dtype=dtype)
        return Case("ConstantFill", inputs, ["Y"], args)

    return {
        "GivenTensorFill": given_tensor,
        "GivenTensorIntFill": lambda rng: given("GivenTensorIntFill", rng, ints(rng)),
        "GivenTensorInt64Fill": lambda rng: given("GivenTensorInt64Fill", rng, ints(rng, 62)),
        "GivenTensorBoolFill": lambda rng: given("GivenTensorBoolFill", rng, ints(rng, 1)),
        "GivenTensorDoubleFill": lambda rng: given("GivenTensorDoubleFill", rng, floats(rng)),
        "GivenTensorByteStringToUInt8Fill": byte_string,
        "ConstantFill": constant,
    }
