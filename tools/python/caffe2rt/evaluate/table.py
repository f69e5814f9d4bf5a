"""The numbers of several models side by side, and how far they are from those of a reference."""
from __future__ import annotations

import math
from typing import Dict, Iterator, List, Mapping, Optional, Tuple

Results = Mapping[str, Optional[Mapping[str, Mapping[str, float]]]]  # {column: {kind: {metric: percent}}, None where it could not run}

# What must agree; the other metrics are parts of these.
JUDGED = ("AP", "mIoU", "PQ", "PQ_th", "PQ_st")


def _rows(results: Results) -> List[Tuple[str, str]]:
    """(kind, metric) of everything that any column has, in the order of the first that has it."""
    return list(dict.fromkeys((kind, metric) for r in results.values() if r for kind, numbers in r.items() for metric in numbers))


def _value(result, kind: str, metric: str) -> Optional[float]:
    return (result or {}).get(kind, {}).get(metric)


def difference(value: Optional[float], reference: Optional[float]) -> Optional[float]:
    """None where one of the two has no number; 0 where neither has one."""
    missing = [v is None or math.isnan(v) for v in (value, reference)]
    return 0.0 if all(missing) else None if any(missing) else value - reference


def render(results: Results, reference: Optional[str] = None) -> str:
    """A line a metric: the columns, then each one's difference from the reference column. `-` where there is no number."""
    others = [name for name in results if name != reference and results[name] is not None] if reference else []
    headers = [*results, *("difference" if len(others) == 1 else "%s - %s" % (name, reference) for name in others)]
    widths = [max(8, len(header)) for header in headers]
    lines = [" " * 17 + "  ".join("%*s" % (w, header) for w, header in zip(widths, headers))]
    for kind, metric in _rows(results):
        values: List[Optional[float]] = [_value(r, kind, metric) for r in results.values()]
        values += [difference(_value(results[name], kind, metric), _value(results[reference], kind, metric)) for name in others]
        cells = ("%*s" % (w, "-" if v is None else "%.3f" % v) for w, v in zip(widths, values))
        lines.append("%-9s %-6s " % (kind, metric) + "  ".join(cells))
    return "\n".join(lines)


def too_far(results: Results, reference: str, tolerance: float) -> Iterator[str]:
    """Says what differs by more than the tolerance from the reference column, and what only one of the two has."""
    for name, result in results.items():
        if name == reference or result is None:
            continue
        for kind, metric in _rows({name: result, reference: results[reference]}):
            if metric not in JUDGED:
                continue
            gap = difference(_value(result, kind, metric), _value(results[reference], kind, metric))
            if gap is None:
                yield "%s: only one of it and %s has a %s %s" % (name, reference, kind, metric)
            elif abs(gap) > tolerance:
                yield "%s: %s %s differs by %.3f from that of %s, expected at most %s" % (name, kind, metric, gap, reference, tolerance)


def first_column(results: Dict[str, Optional[dict]]) -> Optional[str]:
    """What the others are compared with where there is no reference; None where there are no others."""
    able = [name for name, result in results.items() if result is not None]
    return able[0] if len(able) > 1 else None
