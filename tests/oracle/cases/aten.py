"""The ATen operator: one generator a function that it allows."""
import numpy as np

from cases.elementwise import values


def one_of(rng, *options):
    return options[rng.randint(len(options))]


def indices(rng, size, count):
    return rng.randint(0, size, count).astype(np.int64)


def permuted(rng, size, count):
    return rng.permutation(size)[:count].astype(np.int64)


def matrix(rng):
    return values(rng, (rng.randint(2, 6), rng.randint(2, 6)))


def picture(rng, channels=4):
    return values(rng, (rng.randint(1, 3), channels, rng.randint(2, 6), rng.randint(2, 6)))


# function: rng -> (inputs, arguments)
def group_norm(rng):
    extra = [values(rng, (4,)), values(rng, (4,))][:rng.randint(3)]
    args = one_of(rng, {}, {"eps": 0.001}, {"eps": 1e-5, "cudnn_enabled": 1}) if len(extra) == 2 else {}
    return [picture(rng)] + extra, {"num_groups": one_of(rng, 1, 2, 4), **args}


def layer_norm(rng):
    x = values(rng, (2, 3, rng.randint(3, 6), 5))
    shape = [int(d) for d in x.shape[rng.randint(1, 3):]]
    extra = [values(rng, shape), values(rng, shape)][:rng.randint(3)]
    args = one_of(rng, {}, {"eps": 0.001}, {"eps": 1e-5, "cudnn_enable": 1}) if len(extra) == 2 else {}
    return [x] + extra, {"normalized_shape": shape, **args}


def index(rng):
    x = matrix(rng)
    return one_of(rng, [x, indices(rng, x.shape[0], 3)], [x, indices(rng, x.shape[0], 3), indices(rng, x.shape[1], 3)],
                  [x, x > 0], [x, rng.rand(x.shape[0]) > 0.5]), {}


def index_put(rng):
    x = matrix(rng)
    return [x, permuted(rng, x.shape[0], 2), values(rng, (2, x.shape[1]))], one_of(rng, {}, {"accumulate": 0}, {"accumulate": 1})


def index_fill(rng):
    x, dim = matrix(rng), int(rng.randint(2))
    at = permuted(rng, x.shape[dim], 2)
    return one_of(rng, ([x, at], {"dim": dim, "value": 7.5}), ([x, at, np.array(3, np.float32)], {"dim": dim}))


def index_copy(rng):
    x = matrix(rng)
    return [x, permuted(rng, x.shape[0], 2), values(rng, (2, x.shape[1]))], {"dim": 0}


def index_select(rng):
    x, dim = matrix(rng), int(rng.randint(2))
    return [x, indices(rng, x.shape[dim], rng.randint(0, 5))], {"dim": dim}


def gather(rng):
    x, dim = matrix(rng), int(rng.randint(2))
    return [x, indices(rng, x.shape[dim], (2, 2))], one_of(rng, {"dim": dim}, {"dim": dim, "sparse_grad": 0})


def of_dim(rng):
    return [matrix(rng)], {"dim": int(rng.randint(-2, 2))}


def unfold(rng):
    x = matrix(rng)
    return [x], {"dimension": 1, "size": int(rng.randint(1, x.shape[1] + 1)), "step": int(rng.randint(1, 3))}


def type_as(rng):
    return [matrix(rng), np.zeros(1, one_of(rng, np.int64, np.float64, np.int32, np.bool_))], {}


def cosine_similarity(rng):
    x = matrix(rng)
    return [x, values(rng, x.shape)], one_of(rng, {}, {"dim": 0}, {"dim": 1, "eps": 1e-4})


def narrow(rng):
    x, dim = matrix(rng), int(rng.randint(2))
    start = int(rng.randint(x.shape[dim]))
    return [x], {"dim": dim, "start": start, "length": int(rng.randint(0, x.shape[dim] - start + 1))}


def slice_(rng):
    whole = {"dim": int(rng.randint(2)), "start": int(rng.randint(-3, 3)), "end": int(rng.randint(-3, 9)), "step": int(rng.randint(1, 3))}
    names = ["dim", "start", "end", "step"][:one_of(rng, 1, 2, 3, 4)]
    return [matrix(rng)], {n: whole[n] for n in names}


def expand(rng):
    x = values(rng, (1, 3))
    return [x], {"size": one_of(rng, [4, 3], [2, -1], [2, 5, 3])}


def upsample_nearest2d(rng):
    return [picture(rng)], {"output_size": [int(d) for d in rng.randint(1, 9, 2)]}


def upsample_bilinear2d(rng):
    return [picture(rng)], {"output_size": [int(d) for d in rng.randint(1, 9, 2)], "align_corners": int(rng.randint(2))}


def unary(rng):
    return [matrix(rng)], {}


def pair(rng):
    x = matrix(rng)
    return [x, values(rng, one_of(rng, x.shape, x.shape[1:])) + np.float32(0.01)], {}


def masked_select(rng):
    x = matrix(rng)
    return [x, values(rng, x.shape) > 0], {}


def with_other(rng):
    return one_of(rng, pair(rng), ([matrix(rng)], {"other": one_of(rng, 2, 0.5)}), ([values(rng, (3,), np.int64)], {"other": one_of(rng, 2, 2.5)}))


def scaled(rng):
    inputs, args = with_other(rng)
    return inputs, args if inputs[0].dtype == np.int64 else {**args, **one_of(rng, {}, {"alpha": 2}, {"alpha": 0.5})}


FUNCTIONS = dict(
    group_norm=group_norm, layer_norm=layer_norm, index=index, index_put=index_put, index_fill=index_fill,
    index_copy=index_copy, index_select=index_select, gather=gather, cumsum=of_dim, unfold=unfold, type_as=type_as,
    transpose=lambda rng: ([picture(rng)], {"dim0": int(rng.randint(4)), "dim1": int(rng.randint(-4, 4))}),
    cosine_similarity=cosine_similarity, masked_select=masked_select, narrow=narrow, slice=slice_, expand=expand,
    select=lambda rng: ([matrix(rng)], {"dim": int(rng.randint(2)), "index": int(rng.randint(-2, 2))}),
    upsample_nearest2d=upsample_nearest2d, upsample_bilinear2d=upsample_bilinear2d,
    add=scaled, sub=scaled, mul=with_other, div=with_other)
FUNCTIONS.update({f: unary for f in ("expm1", "frac", "hardsigmoid", "hardswish", "isfinite", "logical_not", "round", "silu", "square", "trunc")})
FUNCTIONS.update({f: pair for f in ("atan2", "fmod", "logical_and", "logical_or", "logical_xor", "maximum", "minimum")})


def cases(Case):
    def generator(function, make):
        def case(rng):
            inputs, args = make(rng)
            return Case("ATen", {"X%d" % i: x for i, x in enumerate(inputs)}, ["Y"], {"operator": function, **args})

        return case

    return {"ATen_" + f: generator(f, make) for f, make in FUNCTIONS.items()}
