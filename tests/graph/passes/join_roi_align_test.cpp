#include "graph/passes/passes.h"
#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

using Names = std::vector<std::string>;

std::string level(const char* x, const char* rois, const char* y, const char* more = "") {
  return fmt::format(R"(op {{ type: "RoIAlign" input: "{}" input: "{}" output: "{}"
    arg {{ name: "pooled_h" i: 2 }} arg {{ name: "pooled_w" i: 3 }} arg {{ name: "aligned" i: 1 }} {} }} )",
                     x, rois, y, more);
}

Graph joined(const std::string& levels, const std::string& axis = "0", const std::string& more = "") {
  Graph graph = build_graph(
      parse_net_text(R"(external_input: "x2" external_input: "x3" external_input: "r2" external_input: "r3"
                        external_input: "order" external_output: "y")" +
                     levels + R"(op { type: "Concat" input: "a" input: "b" output: "c" output: "dims"
                                      arg { name: "axis" i: )" +
                     axis + R"( } } op { type: "BatchPermutation" input: "c" input: "order" output: "y" })" +
                     more),
      {});
  join_roi_align(graph);
  return graph;
}

const std::string two = level("x2", "r2", "a", R"(arg { name: "spatial_scale" f: 0.5 })") +
                        level("x3", "r3", "b", R"(arg { name: "spatial_scale" f: 0.25 })");

TEST(JoinRoIAlign, MakesOneOperatorOfAPyramid) {
  const Graph graph = joined(two);
  ASSERT_EQ(graph.nodes.size(), 1U);
  EXPECT_EQ(graph.nodes[0].def.type, "caffe2rt.PyramidRoIAlign");
  EXPECT_EQ(graph.nodes[0].def.inputs, (Names{"x2", "x3", "r2", "r3", "order"}));
  EXPECT_EQ(graph.nodes[0].def.outputs, Names{"y"});
  EXPECT_EQ(graph.nodes[0].def.find("caffe2rt.spatial_scales")->floats.values(),
            (std::vector<float>{0.5F, 0.25F}));
  EXPECT_EQ(graph.values[graph.outputs[0]].producer, 0);
}

TEST(JoinRoIAlign, LeavesOtherPatternsAlone) {
  EXPECT_EQ(joined(two, "1").nodes.size(), 4U);
  EXPECT_EQ(
      joined(two, "0", R"(op { type: "Relu" input: "a" output: "t" } external_output: "t")").nodes.size(),
      5U);
  EXPECT_EQ(joined(two, "0", R"(external_output: "c")").nodes.size(), 4U);
  EXPECT_EQ(joined(level("x2", "r2", "a") + level("x3", "r3", "b", R"(arg { name: "sampling_ratio" i: 2 })"))
                .nodes.size(),
            4U);
  EXPECT_EQ(joined(level("x2", "r2", "a") + R"(op { type: "Relu" input: "x3" output: "b" })").nodes.size(),
            4U);
}

}  // namespace
}  // namespace caffe2rt
