"""Shapes of a converted net's blobs, for the drawing: numbers where they are fixed, else what they depend on.

A shape is a list of ints and strings: N images, R regions, D detections; "H/16" is a sixteenth of the input's height.
"""
import fractions

_SAME = {"Relu", "Add", "Sub", "Div", "Sum", "Sigmoid", "Softmax", "GroupNorm", "BatchPermutation"}


def _scaled(size, factor):
    """A side of a feature map times a factor: "H/4" * 1/2 is "H/8"."""
    if isinstance(size, int):
        return int(size * factor)
    name, _, divisor = size.partition("/")
    stride = fractions.Fraction(int(divisor or 1)) / factor
    return name if stride == 1 else "%s/%s" % (name, stride)


def _windows(size, kernel, stride, pad, dilation):
    if isinstance(size, str):
        return _scaled(size, fractions.Fraction(1, stride))
    return (size + 2 * pad - dilation * (kernel - 1) - 1) // stride + 1


def _outputs(op, shapes, weights):
    """Shapes of an operator's outputs, as many as are known."""
    type, inputs, _, args = op
    x = shapes.get(inputs[0])
    if x is None:
        return []
    if type in ("Conv", "MaxPool", "caffe2rt.DeformConv"):
        channels = x[1] if type == "MaxPool" else weights[inputs[2 if "Deform" in type else 1]].shape[0]
        sides = [_windows(s, args["kernels"][0], args["strides"][0], args["pads"][0], args.get("dilations", [1])[0]) for s in x[2:]]
        return [[x[0], channels] + sides]
    if type == "ConvTranspose":
        return [[x[0], weights[inputs[1]].shape[1]] + [_scaled(s, fractions.Fraction(args["strides"][0])) for s in x[2:]]]
    if type == "ResizeNearest" or type == "caffe2rt.Interpolate" and "height_scale" in args:
        return [x[:2] + [_scaled(s, fractions.Fraction(2)) for s in x[2:]]]
    if type in _SAME:
        return [x]
    if type in ("GenerateProposals", "caffe2rt.GenerateProposals"):
        return [["R", weights[inputs[3]].shape[1] + 1], ["R"]]
    if "Collect" in type:
        return [x]
    if "Distribute" in type:
        return [["R" if x[0] == "R" else "D", x[1] + (x[1] == 4)]] * (len(op[2]) - 1) + [[x[0]]]
    if type.startswith(("RoIAlign", "RoIPool")):
        return [[shapes[inputs[1]][0], x[1], args["pooled_h"], args["pooled_w"]]]
    if type == "Concat":
        return [x] if args["axis"] == 0 else [x[:1] + [sum(shapes[b][1] for b in inputs)] + x[2:]]
    if type == "Slice":
        return [[n if (s, e) == (0, -1) else (n if e == -1 else e) - s for n, s, e in zip(x, args["starts"], args["ends"])]]
    if type == "Flatten":
        return [[x[0], x[1] * x[2] * x[3]]]
    if type == "ReduceMean":
        return [x[:2]]
    if type == "FC":
        return [[x[0], weights[inputs[1]].shape[0]]]
    if type == "BBoxTransform":
        return [shapes[inputs[1]], ["N"]]
    if type == "BoxWithNMSLimit":
        return [["D"], ["D", 5 if args["rotated"] else 4], ["D"], ["N"]]
    if type == "HeatmapMaxKeypoint":
        return [["D", 4, x[1]]]
    return []


def infer(model):
    """{blob: shape} of a model's inputs and of every blob whose shape is known."""
    shapes = {"data": ["N", 3, "H", "W"], "im_info": ["N", 3]}
    for op in model.ops:
        if op[2][0] in model.shapes:
            shapes.update((blob, model.shapes[blob]) for blob in op[2] if blob in model.shapes)
        else:
            shapes.update(zip(op[2], _outputs(op, shapes, model.weights)))
    return shapes


def text(shape):
    return "×".join(map(str, shape))
