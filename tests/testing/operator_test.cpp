#include "testing/operator_test.h"

#include <ATen/ops/empty.h>

#include <cmath>
#include <cstdlib>
#include <random>

#include "graph/passes/passes.h"

namespace caffe2rt {
namespace {

template <class T>
at::Tensor make(const Shape& shape, const std::vector<T>& values, at::ScalarType type) {
  at::Tensor t = at::empty(shape, type);
  if (t.numel() != static_cast<std::int64_t>(values.size()))
    throw std::logic_error("a test's tensor has another number of values than its shape");
  std::copy(values.begin(), values.end(), t.data_ptr<T>());
  return t;
}

std::string blob(const char* prefix, size_t i) { return prefix + std::to_string(i); }

NetDef net_of(OperatorDef def) {
  NetDef net;
  net.external_inputs = def.inputs;
  net.external_outputs = def.outputs;
  net.ops.push_back(std::move(def));
  return net;
}

// Any element type as double, for printing and comparing.
at::Tensor as_double(const at::Tensor& t) { return t.contiguous().to(at::kDouble); }

CompileOptions options_of_tests() {
  CompileOptions options;
  options.device = test_device();
  return options;
}

}  // namespace

c10::Device test_device() {
  const char* name = std::getenv("CAFFE2RT_TEST_DEVICE");
  return parse_device(name ? name : "cpu");
}

at::Tensor tensor(const Shape& shape, const std::vector<float>& values) {
  return make(shape, values, at::kFloat);
}
at::Tensor int32_tensor(const Shape& shape, const std::vector<std::int32_t>& values) {
  return make(shape, values, at::kInt);
}
at::Tensor int64_tensor(const Shape& shape, const std::vector<std::int64_t>& values) {
  return make(shape, values, at::kLong);
}

at::Tensor random(const Shape& shape) {
  static std::mt19937 generator(1);
  std::normal_distribution<float> normal;
  at::Tensor t = at::empty(shape, at::kFloat);
  std::generate_n(t.data_ptr<float>(), t.numel(), [&] { return normal(generator); });
  return t;
}

OperatorDef operator_def(const std::string& type, size_t inputs, size_t outputs, const Args& args) {
  OperatorDef def;
  def.type = type;
  for (size_t i = 0; i < inputs; i++) def.inputs.push_back(blob("in", i));
  for (size_t i = 0; i < outputs; i++) def.outputs.push_back(blob("out", i));
  for (const Arg& arg : args) {
    Argument to;
    to.name = arg.name;
    if (const auto* v = std::get_if<std::int64_t>(&arg.value)) to.i = *v;
    if (const auto* v = std::get_if<float>(&arg.value)) to.f = *v;
    if (const auto* v = std::get_if<std::string>(&arg.value)) to.s = *v;
    if (const auto* v = std::get_if<std::vector<std::int64_t>>(&arg.value)) to.ints = *v;
    if (const auto* v = std::get_if<std::vector<float>>(&arg.value)) to.floats = *v;
    def.args.push_back(std::move(to));
  }
  return def;
}

std::vector<at::Tensor> run_operator_outputs(const std::string& type, const std::vector<at::Tensor>& inputs,
                                             const Args& args, size_t outputs) {
  const auto net =
      CompiledNet::compile(net_of(operator_def(type, inputs.size(), outputs, args)), {}, options_of_tests());
  Blobs feeds;
  for (size_t i = 0; i < inputs.size(); i++) feeds[blob("in", i)] = inputs[i];
  Workspace workspace;
  const Blobs results = net.run(feeds, workspace);
  std::vector<at::Tensor> out;
  for (size_t i = 0; i < outputs; i++) out.push_back(results.at(blob("out", i)));
  return out;
}

at::Tensor run_operator(const std::string& type, const std::vector<at::Tensor>& inputs, const Args& args) {
  return run_operator_outputs(type, inputs, args, 1).front();
}

at::Tensor run_with_weights(const std::string& type, const std::vector<at::Tensor>& inputs, const Args& args,
                            const std::set<std::string>& without_passes, Precision precision) {
  Blobs weights;
  for (size_t i = 1; i < inputs.size(); i++) weights[blob("in", i)] = inputs[i];
  CompileOptions options = options_of_tests();
  options.precision = precision;
  options.without_passes = parse_passes({without_passes.begin(), without_passes.end()});
  const auto net = CompiledNet::compile(net_of(operator_def(type, inputs.size(), 1, args)), weights, options);
  Workspace workspace;
  return net.run({{blob("in", 0), inputs[0]}}, workspace).at(blob("out", 0));
}

void compile_operator(const std::string& type, const std::vector<at::Tensor>& inputs, const Args& args) {
  NetDef net = net_of(operator_def(type, inputs.size(), 1, args));
  Blobs weights;
  for (size_t i = 0; i < inputs.size(); i++) weights[blob("in", i)] = inputs[i];
  net.external_inputs = {"data"};
  CompiledNet::compile(net, weights, options_of_tests());
}

testing::AssertionResult tensors_near(const at::Tensor& actual, const at::Tensor& expected,
                                      double tolerance) {
  if (!actual.defined()) return testing::AssertionFailure() << "no tensor";
  if (actual.sizes() != expected.sizes())
    return testing::AssertionFailure() << "shape " << actual.sizes() << ", expected " << expected.sizes();
  if (actual.scalar_type() != expected.scalar_type())
    return testing::AssertionFailure()
           << "element type " << actual.scalar_type() << ", expected " << expected.scalar_type();
  const at::Tensor a = as_double(actual), e = as_double(expected);
  const auto *pa = a.data_ptr<double>(), *pe = e.data_ptr<double>();
  for (std::int64_t i = 0; i < a.numel(); i++) {
    const bool both_nan = std::isnan(pa[i]) && std::isnan(pe[i]);
    if (pa[i] == pe[i] || both_nan || std::abs(pa[i] - pe[i]) <= tolerance * std::max(1.0, std::abs(pe[i])))
      continue;
    return testing::AssertionFailure()
           << "element " << i << " of " << a.numel() << " is " << pa[i] << ", expected " << pe[i];
  }
  return testing::AssertionSuccess();
}

testing::AssertionResult throws_error(const std::function<void()>& f, ErrorCode code,
                                      const std::string& text) {
  try {
    f();
  } catch (const Error& e) {
    if (e.code() != code)
      return testing::AssertionFailure()
             << "error '" << to_string(e.code()) << "', expected '" << to_string(code) << "': " << e.what();
    if (std::string(e.what()).find(text) == std::string::npos)
      return testing::AssertionFailure() << "the error says: " << e.what();
    return testing::AssertionSuccess();
  }
  return testing::AssertionFailure() << "nothing was thrown";
}

}  // namespace caffe2rt
