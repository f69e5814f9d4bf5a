"""Draws a converted net with graphviz: a box a stage, shapes on the arrows between them."""
import collections
import html
import shutil
import subprocess

from . import shapes
from .errors import ConvertError

# By the first part of the name of what an operator writes.
_STAGES = (
    (("centred_data", "normalized_data"), "input"), (("stem",), "stem"), (("res2",), "res2"), (("res3",), "res3"), (("res4",), "res4"),
    (("res5",), "res5"), (("fpn_", "p2", "p3", "p4", "p5", "p6", "p7", "feature_"), "feature pyramid"), (("rpn",), "region proposals"),
    (("mask",), "mask head"), (("kps", "keypoints"), "keypoint head"), (("sem_seg",), "semantic head"),
    (("box_cls_", "box_delta_", "cls0", "cls1", "cls2", "cls3", "cls4", "bbox0", "bbox1", "bbox2", "bbox3", "bbox4"), "dense heads"),
)


def _stage(op):
    blob = op[2][0]
    for prefixes, stage in _STAGES:
        if blob.startswith(prefixes):
            return stage
    return "box head"


def _quote(text):
    return '"%s"' % text.replace("\\", "\\\\").replace('"', '\\"')


def _label(stage, ops, weights):
    """An HTML label: the stage, what it is made of, how many weights it has."""
    counts = collections.Counter(op[0] for op in ops)
    parts = ["%d %s" % (n, html.escape(t)) if n > 1 else html.escape(t) for t, n in counts.most_common()]
    rows = [", ".join(parts[i:i + 3]) for i in range(0, len(parts), 3)]
    read = {b for op in ops for b in op[1] if b in weights}
    size = sum(weights[b].size for b in read)
    return '<<b>%s</b><br/><font point-size="10">%s<br/>%s weights</font>>' % (html.escape(stage), "<br/>".join(rows), format(size, ","))


def to_dot(model, title):
    """The drawing in graphviz's language."""
    known, stages, writer = shapes.infer(model), collections.OrderedDict(), {}
    for op in model.ops:
        stage = _stage(op)
        stages.setdefault(stage, []).append(op)
        writer.update(dict.fromkeys(op[2], stage))
    edges = collections.defaultdict(list)
    for stage, ops in stages.items():
        for blob in dict.fromkeys(b for op in ops for b in op[1] if b not in model.weights):
            source = writer.get(blob, blob)
            if source != stage and blob not in edges[source, stage]:
                edges[source, stage].append(blob)
    for blob in model.outputs:
        edges[writer.get(blob, blob), "output " + blob].append(blob)
    lines = ["digraph net {", "  label=%s; labelloc=t; fontname=\"DejaVu Sans\"; rankdir=TB;" % _quote(title),
             '  node [fontname="DejaVu Sans", fontsize=13]; edge [fontname="DejaVu Sans", fontsize=9];']
    for blob in ("data", "im_info"):
        lines.append("  %s [shape=ellipse, style=filled, fillcolor=\"#dce9f7\"];" % _quote(blob))
    for blob in model.outputs:
        lines.append("  %s [label=%s, shape=ellipse, style=filled, fillcolor=\"#dff2dc\"];" % (_quote("output " + blob), _quote(blob)))
    for stage, ops in stages.items():
        lines.append("  %s [shape=box, style=\"rounded,filled\", fillcolor=\"#f6f6f2\", label=%s];" % (_quote(stage), _label(stage, ops, model.weights)))
    for (source, target), blobs in edges.items():
        label = "".join("%s %s\n" % (b, shapes.text(known[b])) if b in known else b + "\n" for b in blobs)
        lines.append("  %s -> %s [label=%s];" % (_quote(source), _quote(target), _quote(label).replace("\n", "\\l")))
    return "\n".join(lines + ["}"]) + "\n"


def operators_to_dot(net):
    """A NetDef of any origin in graphviz's language: a node an operator, an arrow a blob."""
    lines = ["digraph net {", "  label=%s; labelloc=t; fontname=\"DejaVu Sans\";" % _quote(net.name),
             '  node [fontname="DejaVu Sans", fontsize=11, shape=box, style="rounded,filled", fillcolor="#f6f6f2"];',
             '  edge [fontname="DejaVu Sans", fontsize=8];']
    writer = {}
    for i, op in enumerate(net.op):
        lines.append("  op%d [label=%s];" % (i, _quote(op.type)))
        for blob in op.input:
            if blob in writer:
                lines.append("  op%d -> op%d [label=%s];" % (writer[blob], i, _quote(blob)))
            elif blob in ("data", "im_info"):
                lines.append("  %s -> op%d;" % (_quote(blob), i))
        writer.update(dict.fromkeys(op.output, i))
    for blob in net.external_output:
        if blob in writer:
            lines.append("  op%d -> %s;" % (writer[blob], _quote("output " + blob)))
    return "\n".join(lines + ["}"]) + "\n"


def to_svg(model, title):
    """Bytes of an SVG of a Model; None where graphviz is not installed. Raises ConvertError with what graphviz says."""
    return dot_to_svg(to_dot(model, title))


def dot_to_svg(dot):
    """The same of a drawing in graphviz's language."""
    if shutil.which("dot") is None:
        return None
    result = subprocess.run(["dot", "-Tsvg"], input=dot.encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if result.returncode != 0:
        raise ConvertError("graphviz: %s" % result.stderr.decode(errors="replace").strip())
    return result.stdout
