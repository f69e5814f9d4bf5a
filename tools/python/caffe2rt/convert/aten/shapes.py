"""Other shapes, parts and orders of the same numbers."""
import numpy as np

from ..capture import Unmapped, Weight, shape_of
from .table import axis_of, fixed, maps


@maps("view", "reshape", "_unsafe_view")
def _view(c, x, _):
    """0 keeps a dimension of the input, -1 stands for the one that is open; the sizes of more are read from features."""
    shape, wanted = c.shape, []
    for i, s in enumerate(shape):
        kept = i < x.rank and not isinstance(x.shape[i], int) and s == x.shape[i]
        wanted.append(s if isinstance(s, int) else 0 if kept else -1)
    if wanted.count(-1) <= 1:
        return c.op("Reshape", [x], extra=1, shape=wanted)
    return c.op("Reshape", [x, _computed_shape(c, shape)], extra=1)


def _computed_shape(c, shape):
    """A Value with the numbers of a shape, put together from those of features that are there."""
    parts = []
    for k, s in enumerate(shape):
        if isinstance(s, int):
            parts.append(c.constant(np.int64([s]), ".dim%d" % k))
            continue
        feature = c.feature_where(lambda v: any(not isinstance(n, int) and n == s for n in v.shape))
        if feature is None:
            raise Unmapped("to a size that no feature has")
        axis = next(i for i, n in enumerate(feature.shape) if not isinstance(n, int) and n == s)
        parts.append(c.op("Shape", [feature], (1,), ".dim%d" % k, axes=[axis]))
    return c.op("Concat", parts, (len(shape),), ".shape", extra=1, axis=0)


@maps("permute")
def _permute(c, x, order):
    return c.op("Transpose", [x], axes=[axis_of(a, x.rank) for a in order])


@maps("transpose")
def _transpose(c, x, a, b):
    order = list(range(x.rank))
    a, b = axis_of(a, x.rank), axis_of(b, x.rank)
    order[a], order[b] = order[b], order[a]
    return c.op("Transpose", [x], axes=order)


@maps("t")
def _t(c, x):
    return c.op("Transpose", [x], axes=list(range(x.rank))[::-1])


@maps("unsqueeze")
def _unsqueeze(c, x, axis):
    return c.op("ExpandDims", [x], dims=[axis_of(axis, x.rank + 1)])


@maps("squeeze")
def _squeeze(c, x, axes=None):
    axes = [i for i, s in enumerate(x.shape) if isinstance(s, int) and s == 1] if axes is None else [axes] if isinstance(axes, int) else axes
    return c.op("Squeeze", [x], dims=[axis_of(a, x.rank) for a in axes])


@maps("expand")
def _expand(c, x, shape, **_):
    wanted = [1 if not isinstance(s, int) or s == -1 else s for s in c.shape]
    before = [1] * (len(wanted) - x.rank) + list(x.shape)
    if any(not isinstance(s, int) and isinstance(b, int) for s, b in zip(c.shape, before)):
        raise Unmapped("to a size that is open")
    blob = c.constant(np.int64(wanted), ".shape")
    return c.op("Expand", [x, blob])


@maps("repeat")
def _repeat(c, x, times):
    if not all(fixed(t) for t in times) or len(times) != x.rank:
        raise Unmapped("to other dimensions")
    return c.op("NumpyTile", [x, c.constant(np.int32(times), ".times")])


@maps("cat")
def _cat(c, values, axis=0):
    return c.op("Concat", values, extra=1, axis=axis_of(axis, values[0].rank))


@maps("stack")
def _stack(c, values, axis=0):
    return c.op("Concat", values, extra=1, axis=axis_of(axis, values[0].rank + 1), add_axis=1)


def _sliced(c, x, axis, start, end, suffix="", result=None):
    starts, ends = [0] * x.rank, [-1] * x.rank
    starts[axis], ends[axis] = start, end
    return c.op("Slice", [x], result, suffix, starts=starts, ends=ends)


@maps("slice")
def _slice(c, x, axis=0, start=None, end=None, step=1):
    axis = axis_of(axis, x.rank)
    start, size = start or 0, x.shape[axis]
    whole = end is None or (fixed(end) and end >= 2 ** 62) or (not fixed(end) and not fixed(size) and end == size)
    if start == 0 and whole and step == 1:
        return x
    if step != 1 or not fixed(start) or not (whole or fixed(end)) or (not isinstance(size, int) and (start < 0 or (not whole and end < 0))):
        raise Unmapped("with a step, or by a size that is open")
    if isinstance(size, int):
        start, end = range(size)[slice(start, size if whole else end)].start, range(size)[slice(start, size if whole else end)].stop
        return _sliced(c, x, axis, start, end)
    return _sliced(c, x, axis, start, -1 if whole else end)


@maps("select")
def _select(c, x, axis, index):
    axis = axis_of(axis, x.rank)
    if index < 0 and isinstance(x.shape[axis], int):
        index += x.shape[axis]
    if index < 0:
        raise Unmapped("from the end of a dimension that is open")
    shape = x.shape[:axis] + (1,) + x.shape[axis + 1:]
    return c.op("Squeeze", [_sliced(c, x, axis, index, index + 1, ".slice", shape)], dims=[axis])


@maps("split", "split_with_sizes")
def _split(c, x, _, axis=0):
    shapes, axis = [shape_of(v) for v in c.node.meta["val"]], axis_of(axis, x.rank)
    if not all(isinstance(s[axis], int) for s in shapes):
        raise Unmapped("of a dimension that is open")
    names = [c.name(".%d" % i) for i in range(len(shapes))]
    return c.ops("Split", [x], names, shapes, axis=axis, split=[s[axis] for s in shapes])


@maps("index_select")
def _index_select(c, x, axis, index):
    if not isinstance(index, Weight):
        raise Unmapped("by an index that is computed")
    return c.op("Gather", [x, c.constant(index.array.astype(np.int32), ".index")], axis=axis_of(axis, x.rank))
