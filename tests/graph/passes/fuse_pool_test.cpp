#include <ATen/ops/rand.h>
#include <gtest/gtest.h>

#include "graph/passes/passes.h"
#include "graph/passes/rewrite.h"
#include "runtime/compiled_net.h"
#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

// What a ResNet begins with.
const char *const kRelu = R"(op { type: "Relu" input: "conv" output: "relu" })",
                  *const kPool = R"(arg { name: "kernel" i: 3 } arg { name: "stride" i: 2 }
                                    arg { name: "pad" i: 1 })";

std::string net(const std::string& pool = kPool, const std::string& between = kRelu,
                const std::string& more = "") {
  return R"(
    external_input: "x" external_input: "w" external_input: "b" external_output: "y"
    op { type: "Conv" input: "x" input: "w" input: "b" output: "conv" arg { name: "kernel" i: 7 }
         arg { name: "pad" i: 3 } arg { name: "stride" i: 2 } )" +
         std::string("}") + between + R"(op { type: "MaxPool" input: ")" +
         (between.empty() ? "conv" : "relu") + R"(" output: "y" )" + pool + "}" + more;
}

Blobs weights(std::int64_t channels = 3) {
  return {{"w", at::rand({20, channels, 7, 7}).sub(0.5)}, {"b", at::rand({20})}};
}

using Types = std::vector<std::string>;

Types types(const std::string& text, const Blobs& constants = weights(),
            Precision precision = Precision::kFloat32) {
  CompileOptions options;
  options.precision = precision;
  const CompiledNet compiled = CompiledNet::compile(parse_net_text(text), constants, options);
  Types all;
  for (const Node& node : compiled.graph().nodes) all.push_back(node.def.type);
  return all;
}

TEST(FusePool, LeavesOneOperator) { EXPECT_EQ(types(net()), Types{"caffe2rt.MatMulConv"}); }

TEST(FusePool, ResultsStayTheSameToTheLastBit) {
  const NetDef text = parse_net_text(net());
  const Blobs constants = weights();
  CompileOptions apart;
  apart.without_passes = {"fuse_pool"};
  for (const Shape& shape :
       {Shape{2, 3, 64, 75}, Shape{1, 3, 7, 1}, Shape{1, 3, 130, 32}, Shape{0, 3, 9, 9}}) {
    const at::Tensor x = at::rand(shape).sub(0.5);
    Workspace workspace;
    EXPECT_TENSOR_EQ(CompiledNet::compile(text, constants).run({{"x", x}}, workspace).at("y"),
                     CompiledNet::compile(text, constants, apart).run({{"x", x}}, workspace).at("y"));
  }
}

TEST(FusePool, StaysApartWhereSomethingElseIsPooledOrRead) {
  const Types apart = {"caffe2rt.MatMulConv", "MaxPool"};
  EXPECT_EQ(types(net(R"(arg { name: "kernel" i: 2 } arg { name: "stride" i: 2 })")), apart);
  EXPECT_EQ(types(net(R"(arg { name: "kernel" i: 3 } arg { name: "stride" i: 2 })")), apart) << "no padding";
  EXPECT_EQ(types(net(kPool, "")), apart) << "no relu: padding is no zero";
  EXPECT_EQ(types(net(), weights(5)), apart) << "many channels";
  EXPECT_EQ(types(net(kPool, kRelu, R"(external_output: "relu")")), apart) << "an output";
  EXPECT_EQ(
      types(net(kPool, kRelu, R"(external_output: "z" op { type: "Sigmoid" input: "relu" output: "z" })"))
          .size(),
      3);
}

// Layers that read what is pooled may have it in the numbers that they multiply.
TEST(FusePool, WritesWhatIsReadInLowPrecision) {
  const std::string reader = R"(external_output: "z" external_input: "v"
    op { type: "Conv" input: "y" input: "v" output: "between" arg { name: "kernel" i: 1 } }
    op { type: "Conv" input: "between" input: "v" output: "z" arg { name: "kernel" i: 1 } })";
  std::string text = net(kPool, kRelu, reader);
  text.erase(text.find(R"(external_output: "y")"), std::string(R"(external_output: "y")").size());
  Blobs constants = weights();
  constants["v"] = at::rand({20, 20, 1, 1});
  CompileOptions options;
  options.precision = Precision::kInt8;
  options.calibration.emplace().ranges["y"] = {0, 3};
  const CompiledNet narrow = CompiledNet::compile(parse_net_text(text), constants, options);
  EXPECT_EQ(integer_argument(narrow.graph().nodes.front().def, "caffe2rt.y_format", 0), 2);
  options.without_passes = {"narrow_activations"};
  const CompiledNet wide = CompiledNet::compile(parse_net_text(text), constants, options);
  const Blobs feeds = {{"x", at::rand({1, 3, 50, 41})}};
  Workspace workspace;
  EXPECT_TENSOR_EQ(narrow.run(feeds, workspace).at("z"), wide.run(feeds, workspace).at("z"));
}

}  // namespace
}  // namespace caffe2rt
