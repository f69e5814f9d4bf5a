"""NetBuilder: collects the operators and weights of a net, with the shapes that a configuration promises checked on the way."""
import dataclasses

import numpy as np

from .errors import ConvertError

# detectron2's exporter traced a wrapper around the model; programs that look weights up know this prefix.
PREFIX = "_wrapped_model."
_FOLDED_NORMS = ("FrozenBN", "BN", "SyncBN", "NaiveSyncBN", "naiveSyncBN", "nnSyncBN", "naiveSyncBN_N")
_GROUPS = 32       # of detectron2's GN
_NORM_EPS = 1e-5  # of detectron2's FrozenBatchNorm2d and torch's BatchNorm2d and GroupNorm


@dataclasses.dataclass(frozen=True)
class Feature:
    """A blob (N,channels,H,W) whose pixels are `stride` pixels of the image apart."""
    blob: str
    channels: int
    stride: float = 1


class NetBuilder:
    """Operators in order, weights by blob, and every complaint about the weights.

    `parameters` is {detectron2's name: array}. What is missing or of another shape is noted and stands for zeros until
    check() raises it all at once.
    """

    def __init__(self, parameters, model=None):
        self._parameters = parameters
        self.model = model  # a built torch.nn.Module whose parts stand for those that are not known by name; or None
        self.shapes = {}    # of blobs, as shapes.py has them, where the operators do not say them
        self.size_divisibility = None  # where the backbone itself says it
        self.norm_eps = _NORM_EPS  # of batch norms
        self.im_info = "im_info"   # what operators on boxes read: (N,3) height, width, scale
        self.required = {}  # name: shape of every parameter the net asked for
        self._complaints = []
        self.ops = []      # (type, inputs, outputs, args)
        self.weights = {}  # blob: array
        self._blobs = {"data", "im_info"}

    def op(self, type, inputs, outputs, **args):
        """Adds an operator; outputs is a name or a list of them. Returns the first output."""
        outputs = [outputs] if isinstance(outputs, str) else list(outputs)
        for blob in outputs:
            if blob in self._blobs:
                raise AssertionError("blob '%s' is written twice" % blob)
            self._blobs.add(blob)
        self.ops.append((type, [inputs] if isinstance(inputs, str) else list(inputs), outputs, args))
        return outputs[0]

    def rename(self, blob, name):
        """Gives a blob another name, in every operator."""
        self._blobs.add(name)
        for _, inputs, outputs, _ in self.ops:
            inputs[:] = [name if b == blob else b for b in inputs]
            outputs[:] = [name if b == blob else b for b in outputs]

    def constant(self, blob, value):
        """A weight that is no parameter of the checkpoint; the same blob may be asked for again."""
        self.weights.setdefault(blob, np.ascontiguousarray(value))
        return blob

    def parameter(self, name, shape):
        """The checkpoint's array of that name and shape."""
        if min(shape) < 1:
            raise ConvertError("%s: the configuration makes its shape %s" % (name, tuple(shape)))
        self.required[name] = tuple(shape)
        value = self._parameters.get(name)
        if value is None:
            self._complain("%s is missing, expected %s" % (name, tuple(shape)))
        elif value.dtype.kind not in "fiub":
            self._complain("%s: expected numbers, got %s" % (name, value.dtype))
        elif not np.isfinite(value).all():
            self._complain("%s: holds numbers that are not finite" % name)
        elif value.shape != tuple(shape):
            self._complain("%s: expected %s, got %s" % (name, tuple(shape), value.shape))
        else:
            return value
        return np.zeros(shape, np.float32)

    def _complain(self, text):
        if text not in self._complaints:
            self._complaints.append(text)

    def weight(self, name, shape):
        """A parameter as a blob, named as detectron2's exporter named it."""
        return self.constant(PREFIX + name, self.parameter(name, shape).astype(np.float32))

    def relu(self, blob):
        return self.op("Relu", blob, blob + ".relu")

    def conv(self, x, module, channels, kernel, blob=None, *, stride=1, padding=None, dilation=1, group=1, norm="", relu=False,
             bias=None):
        """detectron2's Conv2d `module`, with its norm folded into it where that is a batch norm.

        x: Feature. bias: whether there is one; default: where there is no norm. Returns the Feature, named `blob` or as the module.
        """
        blob = blob or module
        if padding is None:
            padding = dilation * (kernel - 1) // 2
        bias = norm == "" if bias is None else bias
        weights = self._conv_weights(module, (channels, x.channels // group, kernel, kernel), norm, bias)
        y = self.op("Conv", [x.blob] + weights, blob, strides=[stride] * 2, pads=[padding] * 4, kernels=[kernel] * 2, group=group,
                    dilations=[dilation] * 2)
        return self._after_conv(Feature(y, channels, x.stride * stride), module, norm, relu)

    def deform_conv(self, x, module, channels, blob, *, stride=1, dilation=1, group=1, deformable_group=1, modulated=False, norm="",
                    relu=False):
        """detectron2's DeformConv `module` of 3x3 taps, or ModulatedDeformConv, with the convolution `module`_offset that moves them."""
        taps = 9 * deformable_group
        offset = self.conv(x, module + "_offset", taps * (3 if modulated else 2), 3, blob + "_offset", stride=stride, dilation=dilation).blob
        weights = self._conv_weights(module, (channels, x.channels // group, 3, 3), norm, False)
        if modulated:
            whole, offset = offset, self.op("Slice", offset, blob + "_moves", starts=[0, 0, 0, 0], ends=[-1, 2 * taps, -1, -1])
            mask = self.op("Slice", whole, blob + "_mask_logits", starts=[0, 2 * taps, 0, 0], ends=[-1, -1, -1, -1])
            if len(weights) == 1:
                weights.append(self.constant("zeros_%d" % channels, np.zeros(channels, np.float32)))
            weights.append(self.op("Sigmoid", mask, blob + "_mask"))
        y = self.op("caffe2rt.DeformConv", [x.blob, offset] + weights, blob, strides=[stride] * 2, pads=[dilation] * 4, kernels=[3, 3],
                    group=group, dilations=[dilation] * 2, deformable_group=deformable_group)
        return self._after_conv(Feature(y, channels, x.stride * stride), module, norm, relu)

    def _conv_weights(self, module, shape, norm, bias):
        """Blobs of a convolution's filter and, where it has one, bias."""
        if norm in _FOLDED_NORMS:
            return self._folded(module, shape, bias)
        weights = [self.weight(module + ".weight", shape)]
        return weights + [self.weight(module + ".bias", shape[:1])] if bias else weights

    def _after_conv(self, y, module, norm, relu):
        blob = y.blob
        if norm and norm not in _FOLDED_NORMS:
            blob = self.norm(blob, module + ".norm", y.channels, norm, blob + ".norm")
        return dataclasses.replace(y, blob=self.relu(blob) if relu else blob)

    def norm(self, x, module, channels, norm, blob):
        if norm == "GN":
            if channels % _GROUPS:
                raise ConvertError("%s: GN has %d groups, which do not divide %d channels" % (module, _GROUPS, channels))
            return self.op("GroupNorm", [x, self.weight(module + ".weight", (channels,)), self.weight(module + ".bias", (channels,))],
                           blob, group=_GROUPS, epsilon=_NORM_EPS)
        raise ConvertError("%s: no operator for the norm '%s'" % (module, norm))

    def _folded(self, module, shape, bias):
        """Blobs of a convolution's weight and bias with the batch norm after it folded in."""
        channels = (shape[0],)
        gamma, beta, mean, var = (self.parameter("%s.norm.%s" % (module, part), channels).astype(np.float64)
                                  for part in ("weight", "bias", "running_mean", "running_var"))
        if (var + self.norm_eps <= 0).any():
            self._complain("%s.norm.running_var: expected variances, got %g" % (module, var.min()))
            var = np.ones_like(var)
        scale = gamma / np.sqrt(var + self.norm_eps)
        weight = self.parameter(module + ".weight", shape) * scale[:, None, None, None]
        offset = self.parameter(module + ".bias", channels) if bias else 0
        return [self.constant(PREFIX + module + ".weight", weight.astype(np.float32)),
                self.constant(PREFIX + module + ".bias", (beta + (offset - mean) * scale).astype(np.float32))]

    def fc(self, x, module, columns, rows, blob=None):
        """A Linear layer of (R,columns) to (R,rows)."""
        return self.op("FC", [x, self.weight(module + ".weight", (rows, columns)), self.weight(module + ".bias", (rows,))],
                       blob or module)

    def deconv(self, x, module, channels, kernel, stride, padding, blob=None):
        inputs = [x.blob, self.weight(module + ".weight", (x.channels, channels, kernel, kernel)),
                  self.weight(module + ".bias", (channels,))]
        return Feature(self.op("ConvTranspose", inputs, blob or module, dilations=[1, 1], group=1, kernels=[kernel] * 2,
                               pads=[padding] * 4, strides=[stride] * 2), channels, x.stride / stride)

    def check(self):
        """Raises ConvertError with all that is wrong with the weights. What the net has no use for is returned, by name."""
        ignored = ("num_batches_tracked", "anchor_generator.cell_anchors", "pixel_mean", "pixel_std")
        unused = sorted(n for n in self._parameters if n not in self.required and not any(i in n for i in ignored))
        if self._complaints:
            shown = ["the checkpoint holds besides: %s%s" % (", ".join(unused[:8]), ", ..." if len(unused) > 8 else "")] if unused else []
            raise ConvertError("the weights do not fit the configuration:\n  " + "\n  ".join(self._complaints + shown))
        return unused
