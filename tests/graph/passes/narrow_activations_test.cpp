#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "graph/passes/passes.h"
#include "graph/passes/rewrite.h"
#include "runtime/compiled_net.h"
#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

// A residual block behind a first layer, and a layer that reads it.
const char* const kBlock = R"(external_input: "x" external_output: "y"
    op { type: "Conv" input: "x" input: "w" input: "b" output: "first" arg { name: "kernel" i: 1 } }
    op { type: "Relu" input: "first" output: "trunk" }
    op { type: "Conv" input: "trunk" input: "w" input: "b" output: "inner" arg { name: "kernel" i: 1 } }
    op { type: "Relu" input: "inner" output: "branch" }
    op { type: "Conv" input: "branch" input: "w3" input: "b" output: "middle" arg { name: "kernel" i: 3 }
         arg { name: "pad" i: 1 } }
    op { type: "Conv" input: "middle" input: "w" input: "b" output: "out" arg { name: "kernel" i: 1 } }
    op { type: "Add" input: "out" input: "trunk" output: "sum" }
    op { type: "Conv" input: "sum" input: "w" input: "b" output: "y" arg { name: "kernel" i: 1 } })";

Blobs weights() {
  return {
      {"w", at::randn({64, 64, 1, 1}) / 8}, {"w3", at::randn({64, 64, 3, 3}) / 24}, {"b", at::rand({64})}};
}

Calibration calibration() {
  Calibration ranges;
  for (const char* blob : {"x", "trunk", "branch", "middle", "sum"}) ranges.ranges[blob] = {-4, 6};
  return ranges;
}

CompiledNet compile(const std::string& text, Precision precision, std::set<std::string> without = {}) {
  CompileOptions options;
  options.precision = precision;
  if (precision == Precision::kInt8) options.calibration = calibration();
  options.without_passes = std::move(without);
  at::manual_seed(1);
  return CompiledNet::compile(parse_net_text(text), weights(), options);
}

// By blob: the format in which its layer writes it.
std::map<std::string, std::int64_t> formats(const CompiledNet& net) {
  std::map<std::string, std::int64_t> all;
  for (const Node& node : net.graph().nodes)
    all[node.def.outputs.front()] = integer_argument(node.def, "caffe2rt.y_format", 0);
  return all;
}

using Formats = std::map<std::string, std::int64_t>;

TEST(NarrowActivations, LayersHandEachOtherWhatTheyMultiply) {
  EXPECT_EQ(formats(compile(kBlock, Precision::kFloat32)),
            (Formats{{"trunk", 0}, {"branch", 0}, {"middle", 0}, {"sum", 0}, {"y", 0}}));
  EXPECT_EQ(formats(compile(kBlock, Precision::kBfloat16)),
            (Formats{{"trunk", 1}, {"branch", 1}, {"middle", 1}, {"sum", 1}, {"y", 0}}));
}

TEST(NarrowActivations, EightBitsWhereTheyAreOnlyMultiplied) {
  // Whether Winograd's way transforms `branch` depends on the processor.
  for (const std::set<std::string>& without : {std::set<std::string>(), {"use_winograd"}}) {
    const Formats found = formats(compile(kBlock, Precision::kInt8, without));
    EXPECT_EQ(found.at("trunk"), 1);  // it is added, too
    EXPECT_EQ(found.at("branch"), 2);
    EXPECT_EQ(found.at("middle"), 2);
    EXPECT_EQ(found.at("y"), 0);
  }
}

TEST(NarrowActivations, WinogradsFiltersHaveEightBitsToo) {
  const CompiledNet net = compile(kBlock, Precision::kInt8);
  for (const Node& node : net.graph().nodes)
    if (node.def.type == "caffe2rt.WinogradConv") {
      EXPECT_EQ(integer_argument(node.def, "caffe2rt.numbers", 0), 2);
    }
}

TEST(NarrowActivations, LeavesWhatOthersRead) {
  for (
      const char* more :
      {R"(external_output: "trunk")",
       R"(external_output: "z" op { type: "Sigmoid" input: "trunk" output: "z" })",
       R"(external_output: "z" op { type: "MaxPool" input: "trunk" output: "z" arg { name: "kernel" i: 2 } })"})
    EXPECT_EQ(formats(compile(std::string(kBlock) + more, Precision::kBfloat16)).at("trunk"), 0) << more;
}

TEST(NarrowActivations, OnlyWhatIsAddedIsRounded) {
  const char* const chain = R"(external_input: "x" external_output: "y"
    op { type: "Conv" input: "x" input: "w" input: "b" output: "trunk" arg { name: "kernel" i: 1 } }
    op { type: "Conv" input: "trunk" input: "w" input: "b" output: "middle" arg { name: "kernel" i: 1 } }
    op { type: "Conv" input: "middle" input: "w" input: "b" output: "y" arg { name: "kernel" i: 1 } })";
  const at::Tensor x = at::randn({2, 64, 9, 7});
  Workspace workspace;
  const auto run = [&](const char* net, Precision precision, const std::set<std::string>& without) {
    return compile(net, precision, without).run({{"x", x}}, workspace).at("y");
  };
  for (const Precision precision : {Precision::kBfloat16, Precision::kInt8}) {
    EXPECT_TENSOR_EQ(run(chain, precision, {}), run(chain, precision, {"narrow_activations"}));
    const at::Tensor wide = run(kBlock, precision, {"narrow_activations"});
    EXPECT_LT((run(kBlock, precision, {}) - wide).norm().item<float>(), 0.02F * wide.norm().item<float>());
  }
}

TEST(NarrowActivations, AResidualOfAnotherShapeIsAddedAllTheSame) {
  const char* const net = R"(external_input: "x" external_input: "r" external_output: "y"
    op { type: "Conv" input: "x" input: "w" input: "b" output: "trunk" arg { name: "kernel" i: 1 } }
    op { type: "Add" input: "trunk" input: "r" output: "sum" }
    op { type: "Conv" input: "sum" input: "w" input: "b" output: "y" arg { name: "kernel" i: 1 } })";
  Workspace workspace;
  const Blobs feeds = {{"x", at::randn({2, 64, 9, 7})}, {"r", at::randn({1, 64, 1, 1})}};
  EXPECT_TENSOR_EQ(compile(net, Precision::kBfloat16).run(feeds, workspace).at("y"),
                   compile(net, Precision::kBfloat16, {"narrow_activations"}).run(feeds, workspace).at("y"));
}

}  // namespace
}  // namespace caffe2rt
