#!/usr/bin/env python3
"""Draws where the time of a net goes, and how near each operator comes to what the machine can do.

    caffe2_bench ... --profile trace.json
    tests/bench/draw_profile.py trace.json --operators operators.svg --roofline roofline.svg

operators.svg has a bar an operator type. roofline.svg has a dot for every operator that multiplies: operations a byte that it reads and writes
against operations a second (Williams et al., Roofline, 2009). The roofs are measured here, on all cores, with PyTorch: a large product of matrices,
and a copy of a large array. Needs torch and matplotlib: /opt/gst-caffe2/tests/bin/python of tools/bootstrap.sh --tests, and python3-matplotlib.
"""
import argparse
import collections
import json
import statistics
import time

import matplotlib
import numpy as np

matplotlib.use("svg")
matplotlib.rcParams["svg.hashsalt"] = "caffe2rt"  # the same picture of the same numbers
from matplotlib import pyplot  # noqa: E402


def read(file):
    """{(type, output): median event} of a trace, in the order of the net."""
    runs = collections.OrderedDict()
    for event in json.load(open(file))["traceEvents"]:
        runs.setdefault((event["name"], event["args"]["output"]), []).append(event)
    return {key: dict(events[0]["args"], ms=statistics.median(e["dur"] for e in events) / 1e3) for key, events in runs.items()}


def draw_operators(nodes, file):
    by_type = collections.Counter()
    for (kind, _), node in nodes.items():
        by_type[kind.replace("caffe2rt.", "")] += node["ms"]
    shown = by_type.most_common(14)
    rest = sum(by_type.values()) - sum(ms for _, ms in shown)
    if rest > 0:
        shown.append(("all else", rest))
    names, times = zip(*reversed(shown))
    figure, axes = pyplot.subplots(figsize=(7, 0.5 + 0.28 * len(names)))
    bars = axes.barh(names, times, color="#4878a8")
    axes.bar_label(bars, ["%.1f" % t for t in times], padding=3, fontsize=8)
    axes.set_xlabel("ms a frame (%.0f in all)" % sum(by_type.values()))
    axes.margins(x=0.1)
    axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(file, metadata={"Date": None})


def measure_roofs():
    """(operations a second in float32, bytes a second), the best of several tries."""
    import torch
    a = torch.rand(3072, 3072)
    from_, to = torch.zeros(1 << 25), torch.empty(1 << 25)
    products, copies = [], []
    with torch.inference_mode():
        for _ in range(5):
            start = time.perf_counter()
            a @ a
            products.append(2 * a.shape[0] ** 3 / (time.perf_counter() - start))
            start = time.perf_counter()
            to.copy_(from_)
            copies.append(2 * from_.nbytes / (time.perf_counter() - start))
    return max(products), max(copies)


def draw_roofline(nodes, peak, bandwidth, file):
    figure, axes = pyplot.subplots(figsize=(7, 4.5))
    kinds = collections.OrderedDict()
    for (kind, _), node in nodes.items():
        if node["gflop"] > 0 and node["mbytes"] > 0:
            kinds.setdefault(kind.replace("caffe2rt.", ""), []).append(node)
    for kind, of_kind in kinds.items():
        axes.scatter([1e3 * n["gflop"] / n["mbytes"] for n in of_kind], [n["gflop"] / n["ms"] * 1e3 for n in of_kind],
                     s=[4 + 2 * n["ms"] for n in of_kind], alpha=0.7, label=kind)
    x = np.logspace(-1, 4, 100)
    axes.plot(x, np.minimum(peak, bandwidth * x) / 1e9, "k-", linewidth=1,
              label="float32 here: %.0f GFLOP/s, %.1f GB/s" % (peak / 1e9, bandwidth / 1e9))
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("floating point operations of the definition, a byte of inputs and outputs")
    axes.set_ylabel("GFLOP/s")
    axes.set_xlim(0.5, 3e3)
    axes.set_ylim(5, 3e3)
    axes.grid(alpha=0.3, which="both")
    legend = axes.legend(fontsize=8)
    for handle in legend.legend_handles if hasattr(legend, "legend_handles") else legend.legendHandles:
        if hasattr(handle, "set_sizes"):
            handle.set_sizes([30])
    figure.tight_layout()
    figure.savefig(file, metadata={"Date": None})


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("trace", help="what caffe2_bench --profile wrote")
    p.add_argument("--operators", metavar="SVG", help="picture of the time that each type of operator takes")
    p.add_argument("--roofline", metavar="SVG", help="picture of what each operator reaches of what is possible")
    p.add_argument("--peak", type=float, metavar="GFLOPS", help="roof, instead of measuring it")
    p.add_argument("--bandwidth", type=float, metavar="GBS", help="roof, instead of measuring it")
    args = p.parse_args()
    nodes = read(args.trace)
    if args.operators:
        draw_operators(nodes, args.operators)
    if args.roofline:
        peak, bandwidth = (args.peak * 1e9, args.bandwidth * 1e9) if args.peak and args.bandwidth else measure_roofs()
        draw_roofline(nodes, peak, bandwidth, args.roofline)


if __name__ == "__main__":
    main()
