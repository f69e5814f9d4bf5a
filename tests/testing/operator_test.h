// What operator tests are written with: tensors in one line, one operator run as a net of its own, and
// expectations that print both sides.
#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <gtest/gtest.h>

#include <concepts>
#include <initializer_list>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "base/error.h"
#include "runtime/compiled_net.h"

namespace caffe2rt {

using Shape = std::vector<std::int64_t>;

// What tests run operators on: the CPU, or what CAFFE2RT_TEST_DEVICE names. Throws Error where it is not
// there.
c10::Device test_device();

// A float32 tensor of these values in row-major order.
at::Tensor tensor(const Shape& shape, const std::vector<float>& values);
at::Tensor int32_tensor(const Shape& shape, const std::vector<std::int32_t>& values);
at::Tensor int64_tensor(const Shape& shape, const std::vector<std::int64_t>& values);

// Normally distributed values, the same in every run of the program.
at::Tensor random(const Shape& shape);

// An operator argument: 3, 0.5f, "NHWC", {1, 2} or {0.5f, 2.0f}.
struct Arg {
  using Value = std::variant<std::int64_t, float, std::string, std::vector<std::int64_t>, std::vector<float>>;
  Arg(std::string name, std::integral auto v) : name(std::move(name)), value(static_cast<std::int64_t>(v)) {}
  Arg(std::string name, float v) : name(std::move(name)), value(v) {}
  Arg(std::string name, const char* v) : name(std::move(name)), value(std::string(v)) {}
  Arg(std::string name, std::initializer_list<int> v)
      : name(std::move(name)), value(std::vector<std::int64_t>(v.begin(), v.end())) {}
  Arg(std::string name, std::initializer_list<float> v)
      : name(std::move(name)), value(std::vector<float>(v)) {}
  Arg(std::string name, std::vector<std::int64_t> v) : name(std::move(name)), value(std::move(v)) {}
  Arg(std::string name, std::vector<float> v) : name(std::move(name)), value(std::move(v)) {}
  std::string name;
  Value value;
};
using Args = std::vector<Arg>;

// An operator definition with inputs named in0, in1, ... and outputs named out0, out1, ...
OperatorDef operator_def(const std::string& type, size_t inputs, size_t outputs, const Args& args);

// Compiles and runs one operator; returns its outputs.
std::vector<at::Tensor> run_operator_outputs(const std::string& type, const std::vector<at::Tensor>& inputs,
                                             const Args& args, size_t outputs);
// Its only, or first, output.
at::Tensor run_operator(const std::string& type, const std::vector<at::Tensor>& inputs,
                        const Args& args = {});

// Its first output where all inputs but the first are weights, compiled without these passes.
at::Tensor run_with_weights(const std::string& type, const std::vector<at::Tensor>& inputs, const Args& args,
                            const std::set<std::string>& without_passes = {},
                            Precision precision = Precision::kFloat32);

// Compiles one operator with `inputs` as weights, so that what can be refused before a run is refused.
void compile_operator(const std::string& type, const std::vector<at::Tensor>& inputs, const Args& args = {});

// Element of a float32 tensor.
template <class... Index>
float at(const at::Tensor& t, Index... index) {
  const std::int64_t indices[] = {static_cast<std::int64_t>(index)...};
  std::int64_t offset = 0;
  for (size_t d = 0; d < sizeof...(index); d++) offset += indices[d] * t.stride(static_cast<std::int64_t>(d));
  return t.data_ptr<float>()[offset];
}

// Calls f(n, c, h, w) for every element of a tensor of rank 4.
template <class F>
void for_each_index(const at::Tensor& t, F&& f) {
  for (std::int64_t n = 0; n < t.size(0); n++)
    for (std::int64_t c = 0; c < t.size(1); c++)
      for (std::int64_t h = 0; h < t.size(2); h++)
        for (std::int64_t w = 0; w < t.size(3); w++) f(n, c, h, w);
}

testing::AssertionResult tensors_near(const at::Tensor& actual, const at::Tensor& expected, double tolerance);
testing::AssertionResult throws_error(const std::function<void()>& f, ErrorCode code,
                                      const std::string& text);

}  // namespace caffe2rt

// Same shape, element type and values.
#define EXPECT_TENSOR_EQ(actual, expected) EXPECT_TRUE(::caffe2rt::tensors_near(actual, expected, 0))
// Same shape and type; |actual - expected| <= tolerance * max(1, |expected|) everywhere.
#define EXPECT_TENSOR_NEAR(actual, expected, tolerance) \
  EXPECT_TRUE(::caffe2rt::tensors_near(actual, expected, tolerance))
#define EXPECT_SHAPE(actual, ...) EXPECT_EQ((actual).sizes().vec(), (::caffe2rt::Shape __VA_ARGS__))
// `statement` throws caffe2rt::Error of that code, whose text contains `text`.
#define EXPECT_ERROR(statement, code, text) \
  EXPECT_TRUE(::caffe2rt::throws_error([&] { (void)(statement); }, code, text))
