#include "graph/passes/passes.h"
#include "testing/nets.h"
#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

const Blobs weights = {{"w", random({6, 4, 3, 3})},
                       {"b", random({6})},
                       {"scale", random({6})},
                       {"shift", random({6})},
                       {"mean", random({6})},
                       {"var", tensor({6}, {1, 2, 3, 0.5F, 0.1F, 4})},
                       {"std", tensor({4, 1, 1}, {50, 60, 1, 2})},
                       {"few", tensor({1, 1, 1}, {2})}};

OperatorDef conv(const Names& inputs, const Names& outputs) {
  OperatorDef def = op("Conv", inputs, outputs);
  Argument kernel, pad;
  kernel.name = "kernel";
  kernel.i = 3;
  pad.name = "pad";
  pad.i = 1;
  def.args = {kernel, pad};
  return def;
}

OperatorDef batch_norm(const Names& inputs, const Names& outputs) {
  OperatorDef def = op("SpatialBN", inputs, outputs);
  Argument test;
  test.name = "is_test";
  test.i = 1;
  def.args = {test};
  return def;
}

size_t nodes_after(const NetDef& def) {
  Graph graph = build_graph(def, weights);
  fold_affine(graph);
  return graph.nodes.size();
}

void expect_same(const NetDef& def) {
  const at::Tensor x = random({2, 4, 7, 6});
  Workspace workspace;
  CompileOptions without;
  without.without_passes = {"fold_affine"};
  EXPECT_TENSOR_NEAR(CompiledNet::compile(def, weights).run({{"x", x}}, workspace).at("y"),
                     CompiledNet::compile(def, weights, without).run({{"x", x}}, workspace).at("y"), 2e-5);
}

TEST(FoldAffine, ScalesTheFiltersOfTheConvolutionBeforeIt) {
  for (const Names& inputs : {Names{"x", "w", "b"}, Names{"x", "w"}}) {
    const NetDef affine =
        net({conv(inputs, {"t"}), op("AffineChannel", {"t", "scale", "shift"}, {"y"})}, {"x"}, {"y"});
    EXPECT_EQ(nodes_after(affine), 1U);
    expect_same(affine);
    const NetDef norm =
        net({conv(inputs, {"t"}), batch_norm({"t", "scale", "shift", "mean", "var"}, {"y"})}, {"x"}, {"y"});
    EXPECT_EQ(nodes_after(norm), 1U);
    expect_same(norm);
  }
}

TEST(FoldAffine, DividesTheFiltersOfTheConvolutionBehindIt) {
  const NetDef def = net({op("Div", {"x", "std"}, {"t"}), conv({"t", "w", "b"}, {"y"})}, {"x"}, {"y"});
  EXPECT_EQ(nodes_after(def), 1U);
  expect_same(def);
}

TEST(FoldAffine, LeavesWhatIsReadElsewhereAlone) {
  EXPECT_EQ(
      nodes_after(net({conv({"x", "w", "b"}, {"t"}), op("AffineChannel", {"t", "scale", "shift"}, {"y"})},
                      {"x"}, {"y", "t"})),
      2U);
  EXPECT_EQ(
      nodes_after(net({op("Div", {"x", "std"}, {"t"}), conv({"t", "w", "b"}, {"y"})}, {"x"}, {"y", "t"})),
      2U);
}

TEST(FoldAffine, LeavesOtherDivisionsAlone) {
  EXPECT_EQ(nodes_after(net({op("Div", {"x", "few"}, {"t"}), conv({"t", "w", "b"}, {"y"})}, {"x"}, {"y"})),
            2U);
  EXPECT_EQ(nodes_after(net({op("Div", {"std", "x"}, {"t"}), conv({"t", "w", "b"}, {"y"})}, {"x"}, {"y"})),
            2U);
}

}  // namespace
}  // namespace caffe2rt
