// Window: what Conv, ConvTranspose and the pools slide over their input, read from every form of arguments
// that Caffe2 knows, and the padding and the output size that come of it.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <span>
#include <vector>

#include "runtime/operator_args.h"
#include "runtime/partial_shape.h"
#include "runtime/schema.h"

namespace caffe2rt {

enum class LegacyPad {
  kNotSet = 0,
  kValid = 1,  // no padding
  kSame = 2,   // as many windows as strides, rounded up; what is missing is padded, half of it in front
  kCaffe = 3,  // the number of windows rounded up; the padding in front counts for both sides
};

// Where windows lie along one axis of an input: window i begins at element i * stride - before.
struct WindowAxis {
  std::int64_t before = 0;  // elements of padding in front; a negative number cuts off
  std::int64_t after = 0;   // and behind, so that the last window ends where the padding does
  std::int64_t windows = 0;
};

struct Window {
  std::vector<std::int64_t> kernel, stride, dilation;  // one number a spatial axis
  std::vector<std::int64_t> pads;                      // in front of each axis, then behind each
  LegacyPad legacy_pad = LegacyPad::kNotSet;
  StorageOrder order = StorageOrder::kNchw;
  bool global = false;  // one window over all there is; kernel may be empty

  size_t axes() const { return kernel.size(); }

  // Reads the arguments that documentation() lists. Throws Error(kArgument).
  static Window read(const OperatorArgs& args);
  static std::vector<Schema::Arg> documentation();

  // Lays windows along an axis of `size` elements. Throws Error(kShape) where the input is too small.
  WindowAxis along(size_t axis, std::int64_t size) const;
  // The same for every spatial axis of x, (N,C,...).
  std::vector<WindowAxis> along(const at::Tensor& x) const;
  // Shape of what the windows over x make, (N,channels,...) or (N,...,channels). Throws Error(kShape).
  PartialShape output_shape(const PartialShape& x, std::int64_t channels) const;

  // (n,c,spatial...) in this order.
  std::vector<std::int64_t> shape(std::int64_t n, std::int64_t c,
                                  std::span<const std::int64_t> spatial) const;
  // The channels of an input of `axes` spatial axes in this order; kUnknown where they are not known.
  std::int64_t channels(const PartialShape& x) const;
};

// NHWC <-> NCHW as a view. A view of an NHWC tensor as NCHW is one in channels_last memory, where the kernels
// are at their fastest, so that neither order costs a copy.
at::Tensor to_channels_first(const at::Tensor& x, StorageOrder order);
at::Tensor from_channels_first(const at::Tensor& x, StorageOrder order);

// x in channels_last memory, where its rank has such a layout.
at::Tensor in_channels_last_memory(const at::Tensor& x);

// x, (N,C,...), padded with `value` as `axes` say.
at::Tensor pad(const at::Tensor& x, std::span<const WindowAxis> axes, float value);

// The padding on both sides of x that gives just these windows, for kernels that know no other; none where
// there is none.
std::optional<std::vector<std::int64_t>> symmetric_padding(const Window& window, const at::Tensor& x,
                                                           std::span<const WindowAxis> axes);

}  // namespace caffe2rt
