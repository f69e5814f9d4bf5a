#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include <set>

#include "graph/passes/passes.h"
#include "graph/passes/rewrite.h"
#include "runtime/compiled_net.h"
#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

// A residual block, whose trunk is a layer's result.
const char* const kBlock = R"(external_input: "x" external_output: "y"
    op { type: "Conv" input: "x" input: "w" input: "b" output: "trunk" arg { name: "kernel" i: 1 } }
    op { type: "Conv" input: "trunk" input: "w" input: "b" output: "branch" arg { name: "kernel" i: 1 } }
    op { type: "Conv" input: "branch" input: "w" input: "b" output: "out" arg { name: "kernel" i: 1 } }
    op { type: "Add" input: "out" input: "trunk" output: "sum" }
    op { type: "Relu" input: "sum" output: "relu" }
    op { type: "Conv" input: "relu" input: "w" input: "b" output: "y" arg { name: "kernel" i: 1 } })";

Blobs weights(std::int64_t channels = 64, std::int64_t kernel = 1) {
  return {{"w", at::randn({channels, channels, kernel, kernel}) / 8}, {"b", at::rand({channels})}};
}

CompiledNet compile(const std::string& text, const std::set<std::string>& without = {},
                    Precision precision = Precision::kFloat32, const Blobs& constants = weights()) {
  CompileOptions options;
  options.without_passes = without;
  options.precision = precision;
  return CompiledNet::compile(parse_net_text(text), constants, options);
}

// Outputs of the layers that may write in place.
std::set<std::string> in_place(const CompiledNet& net) {
  std::set<std::string> outputs;
  for (const Node& node : net.graph().nodes)
    if (integer_argument(node.def, "caffe2rt.in_place", 0) != 0) outputs.insert(node.def.outputs.front());
  return outputs;
}

using Blobnames = std::set<std::string>;

std::string with_windows(std::string text) {
  const std::string one = "i: 1 }", three = R"(i: 3 } arg { name: "pad" i: 1 })";
  for (size_t at = text.find(one); at != std::string::npos; at = text.find(one, at + three.size()))
    text.replace(at, one.size(), three);
  return text;
}

TEST(ReuseResiduals, TheSumOfABlockIsWrittenWhereItsTrunkLies) {
  EXPECT_EQ(in_place(compile(kBlock)), Blobnames{"relu"});
  EXPECT_EQ(in_place(compile(with_windows(kBlock), {}, Precision::kFloat32, weights(64, 3))),
            Blobnames{"relu"});
}

TEST(ReuseResiduals, ResultsStayTheSameToTheLastBit) {
  const Blobs pixels = weights(), windows = weights(64, 3), deep = weights(700);
  for (const Precision precision : {Precision::kFloat32, Precision::kBfloat16})
    for (const auto& [text, constants] :
         {std::pair(std::string(kBlock), &pixels), {with_windows(kBlock), &windows}, {kBlock, &deep}}) {
      const Blobs feeds = {{"x", at::randn({2, constants->at("b").size(0), 9, 7})}};
      Workspace workspace;
      const auto run = [&](const std::set<std::string>& without) {
        return compile(text, without, precision, *constants).run(feeds, workspace).at("y");
      };
      EXPECT_TENSOR_EQ(run({}), run({"reuse_residuals"}));
    }
}

TEST(ReuseResiduals, LeavesWhatIsStillRead) {
  const std::string block = kBlock;
  for (
      const char* more :
      {R"(external_output: "trunk")",
       R"(external_output: "z" op { type: "Sigmoid" input: "trunk" output: "z" })",
       R"(external_output: "z" op { type: "Conv" input: "trunk" input: "w" output: "z" arg { name: "kernel" i: 1 } })"})
    EXPECT_EQ(in_place(compile(block + more)), Blobnames{}) << more;
}

TEST(ReuseResiduals, LeavesWhatIsNoLayersResult) {
  const char* const fed = R"(external_input: "x" external_input: "r" external_output: "y"
    op { type: "Conv" input: "x" input: "w" input: "b" output: "out" arg { name: "kernel" i: 1 } }
    op { type: "Add" input: "out" input: "r" output: "y" })";
  EXPECT_EQ(in_place(compile(fed)), Blobnames{});
}

}  // namespace
}  // namespace caffe2rt
