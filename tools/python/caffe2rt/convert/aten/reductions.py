"""Reductions of dimensions to one number, and the largest of them."""
from ..capture import Unmapped, shape_of
from .table import axis_of, maps

for _name, _type in {"mean": "ReduceMean", "sum": "ReduceSum", "amax": "ReduceMax", "amin": "ReduceMin"}.items():
    def _reduce(c, x, axes=None, keepdim=False, *, dtype=None, type=_type):
        axes = list(range(x.rank)) if not axes else [axis_of(a, x.rank) for a in axes]
        return c.op(type, [x], axes=axes, keepdims=int(keepdim))
    maps(_name)(_reduce)


@maps("linalg_vector_norm")
def _norm(c, x, order=2, axes=None, keepdim=False, *, dtype=None):
    kinds = {1: "ReduceL1", 2: "ReduceL2"}
    if order not in kinds:
        raise Unmapped("of order %s" % order)
    axes = list(range(x.rank)) if axes is None else [axis_of(a, x.rank) for a in axes]
    return c.op(kinds[order], [x], axes=axes, keepdims=int(keepdim))


@maps("argmax")
def _argmax(c, x, axis=None, keepdim=False):
    if axis is None:
        raise Unmapped("over all dimensions")
    return c.op("ArgMax", [x], axis=axis_of(axis, x.rank), keepdims=int(keepdim))


@maps("topk")
def _topk(c, x, k, axis=-1, largest=True, sorted=True):
    if not largest:
        raise Unmapped("of the smallest")
    names = [c.name(".values"), c.name(".indices")]
    return c.ops("TopK", [x], names, [shape_of(v) for v in c.node.meta["val"]], k=int(k), axis=axis_of(axis, x.rank))
