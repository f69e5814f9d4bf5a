// Operators that libtorch keeps for its own compiler: oneDNN's convolutions with packed filters, and what
// follows them, in one call. They are looked up when the program runs: a libtorch without one gives
// none, and callers take a plain way.
#pragma once

#include <ATen/core/List.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/dispatch/Dispatcher.h>

#include <optional>
#include <string_view>

namespace caffe2rt::fused {

using Scalars = c10::List<std::optional<at::Scalar>>;

// One operator of the dispatcher, looked up once.
template <class Signature>
class Kernel {
 public:
  explicit Kernel(const char* name, const char* overload = "") {
    if (const auto handle = c10::Dispatcher::singleton().findSchema({name, overload}))
      handle_.emplace(handle->typed<Signature>());
  }
  bool exists() const { return handle_.has_value(); }

  template <class... Args>
  auto operator()(Args&&... args) const {
    return handle_->call(std::forward<Args>(args)...);
  }

 private:
  std::optional<c10::TypedOperatorHandle<Signature>> handle_;
};

// (X, packed filter, bias, padding, stride, dilation, groups, "none" or "relu", scalars, algorithm) -> Y
using Convolution = at::Tensor(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&,
                               at::IntArrayRef, at::IntArrayRef, at::IntArrayRef, std::int64_t,
                               std::string_view, Scalars, std::optional<std::string_view>);
const Kernel<Convolution>& convolution();

// (X, other, packed filter, bias, padding, stride, dilation, groups, "add", alpha, "relu" or none, scalars,
// algorithm) -> Y
using ConvolutionAdd = at::Tensor(const at::Tensor&, const at::Tensor&, const at::Tensor&,
                                  const std::optional<at::Tensor>&, at::IntArrayRef, at::IntArrayRef,
                                  at::IntArrayRef, std::int64_t, std::string_view, std::optional<at::Scalar>,
                                  std::optional<std::string_view>, Scalars, std::optional<std::string_view>);
const Kernel<ConvolutionAdd>& convolution_add();

// (filter, padding, stride, dilation, groups, input size) -> packed filter
using PackConvolution = at::Tensor(const at::Tensor&, at::IntArrayRef, at::IntArrayRef, at::IntArrayRef,
                                   std::int64_t, at::OptionalIntArrayRef);
const Kernel<PackConvolution>& pack_convolution();

}  // namespace caffe2rt::fused
