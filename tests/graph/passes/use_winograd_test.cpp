#include <array>

#include "graph/passes/passes.h"
#include "graph/passes/rewrite.h"
#include "kernels/dot_conv.h"
#include "kernels/winograd.h"
#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

Graph transformed(const std::string& args, const Shape& filter = {32, 16, 3, 3},
                  const PassOptions& options = {}) {
  const std::string conv = R"(op { type: "Conv" input: "x" input: "w" arg { name: "kernel" i: 3 } )" + args;
  Graph graph = build_graph(parse_net_text(R"(external_input: "x")" + conv + R"( output: "y" })" + conv +
                                           R"( output: "z" } external_output: "y" external_output: "z")"),
                            {{"w", random(filter)}});
  use_winograd(graph, options);
  return graph;
}

TEST(UseWinograd, PacksTheFilterOnceForAllWhoReadIt) {
  for (const char* args : {R"(arg { name: "pad" i: 1 })", ""}) {
    const Graph graph = transformed(args);
    ASSERT_EQ(graph.nodes.size(), 2U);
    for (const Node& node : graph.nodes) {
      EXPECT_EQ(node.def.type, "caffe2rt.WinogradConv");
      EXPECT_EQ(node.inputs[1], graph.nodes[0].inputs[1]);
    }
    ASSERT_EQ(graph.constants.size(), 1U);
    EXPECT_EQ(graph.constants.begin()->second.nbytes(), 64 * 16 * 32 * sizeof(float));
  }
}

TEST(UseWinograd, LeavesOtherConvolutionsAlone) {
  for (const char* args : {R"(arg { name: "stride" i: 2 })", R"(arg { name: "dilation" i: 2 })",
                           R"(arg { name: "pad" i: 2 })", R"(arg { name: "order" s: "NHWC" })"})
    EXPECT_EQ(transformed(args).nodes[0].def.type, "Conv") << args;
  EXPECT_EQ(transformed(R"(arg { name: "group" i: 8 })", {16, 2, 3, 3}).nodes[0].def.type, "Conv");
  EXPECT_EQ(transformed(R"(arg { name: "group" i: 2 })", {36, 18, 3, 3}).nodes[0].def.type, "Conv");
  EXPECT_EQ(transformed("", {32, 3, 3, 3}).nodes[0].def.type, "Conv");   // too few channels to be worth it
  EXPECT_EQ(transformed("", {32, 16, 3, 5}).nodes[0].def.type, "Conv");  // refused later, with a message
}

TEST(UseWinograd, MultipliesIntegersBesideBfloat16UnlessTilesDo) {
  const auto first_node = [](std::int64_t channels) {
    return transformed("", {64, channels, 3, 3}, {.precision = Precision::kBfloat16}).nodes[0].def;
  };
  const auto way = dot_conv::fastest(dot_conv::Kind::kBfloat16);
  // Where the processor multiplies bfloat16, that is faster with few channels.
  EXPECT_EQ(first_node(32).type, way == dot_conv::Way::kWidened ? "caffe2rt.WinogradConv" : "Conv");
  if (way == dot_conv::Way::kTiles) {
    EXPECT_EQ(first_node(64).type, "Conv");
  } else {
    EXPECT_EQ(first_node(64).type, "caffe2rt.WinogradConv");
    EXPECT_EQ(integer_argument(first_node(64), "caffe2rt.numbers", 0),
              static_cast<int>(winograd::Numbers::kInt16));
    EXPECT_EQ(integer_argument(first_node(64), "caffe2rt.tile", 0), 4);  // 16 bits are too few for more
  }
}

TEST(UseWinograd, GoesByWhatWasMeasured) {
  for (const auto& [way, tile] : {std::pair{ConvWay::kWinograd6, 6}, {ConvWay::kWinograd, 4}}) {
    const Tuning tuning{{{"y", ConvWay::kMatMul}, {"z", way}}};
    for (const std::int64_t channels : {3, 16}) {  // too few to be worth it by the cost model, and enough
      const Graph graph = transformed("", {32, channels, 3, 3}, {.tuning = tuning});
      EXPECT_EQ(graph.nodes[0].def.type, "Conv");
      EXPECT_EQ(graph.nodes[1].def.type, "caffe2rt.WinogradConv");
      EXPECT_EQ(integer_argument(graph.nodes[1].def, "caffe2rt.tile", 0), tile);
    }
  }
}

TEST(UseWinograd, JoinsGroupsOfFewChannels) {
  for (const auto& [channels, groups, left] : {std::array{4, 32, 8}, {8, 32, 16}, {16, 4, 4}, {64, 2, 2}}) {
    const Graph graph = transformed(fmt::format(R"(arg {{ name: "group" i: {} }})", groups),
                                    {groups * channels, channels, 3, 3}, {.precision = Precision::kBfloat16});
    const OperatorDef& def = graph.nodes[0].def;
    EXPECT_EQ(def.type, "caffe2rt.WinogradConv") << channels;
    EXPECT_EQ(integer_argument(def, "caffe2rt.groups", 0), left);
    EXPECT_EQ(integer_argument(def, "caffe2rt.channels", 0), groups * channels);
    EXPECT_EQ(integer_argument(def, "caffe2rt.numbers", -1), static_cast<int>(winograd::Numbers::kFloat32));
  }
}

TEST(UseWinograd, JoinsRegionsButNotFrames) {
  Graph graph = build_graph(parse_net_text(R"(external_input: "x" external_input: "rois" external_output: "z"
    op { type: "Conv" input: "x" input: "w" output: "y" arg { name: "kernel" i: 3 } }
    op { type: "RoIAlign" input: "y" input: "rois" output: "p" }
    op { type: "Relu" input: "p" output: "q" }
    op { type: "Conv" input: "q" input: "w" output: "z" arg { name: "kernel" i: 3 } })"),
                            {{"w", random({16, 16, 3, 3})}});
  use_winograd(graph);
  EXPECT_EQ(integer_argument(graph.nodes[0].def, "caffe2rt.joined", -1), 0);
  EXPECT_EQ(integer_argument(graph.nodes[3].def, "caffe2rt.joined", -1), 1);
}

TEST(UseWinograd, LeavesAFilterThatIsFedAlone) {
  Graph graph = build_graph(parse_net_text(R"(external_input: "x" external_input: "w" external_output: "y"
    op { type: "Conv" input: "x" input: "w" output: "y" arg { name: "kernel" i: 3 } })"),
                            {});
  use_winograd(graph);
  EXPECT_EQ(graph.nodes[0].def.type, "Conv");
}

}  // namespace
}  // namespace caffe2rt
