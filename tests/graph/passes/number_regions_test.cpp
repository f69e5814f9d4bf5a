#include <gtest/gtest.h>

#include "graph/passes/passes.h"

namespace caffe2rt {
namespace {

// A detector's boxes go to a mask head; `middle` stands between them.
Graph mask_head(const std::string& middle, const std::string& boxes) {
  return build_graph(parse_net_text(R"(
    external_input: "scores" external_input: "deltas" external_input: "feature"
    op { type: "BoxWithNMSLimit" input: "scores" input: "deltas"
         output: "score_nms" output: "bbox_nms" output: "class_nms" output: "splits_nms" })" +
                                    middle + R"(
    op { type: "RoIAlign" input: "feature" input: ")" +
                                    boxes +
                                    R"(" output: "pooled" }
    external_output: "pooled" external_output: "bbox_nms")"),
                     {});
}

TEST(NumberRegions, StandsBetweenBoxesAndRoIAlign) {
  Graph graph = mask_head("", "bbox_nms");
  number_regions(graph);
  ASSERT_EQ(graph.nodes.size(), 3U);
  EXPECT_EQ(graph.nodes[1].def.type, "caffe2rt.NumberRegions");
  EXPECT_EQ(graph.nodes[1].def.inputs, (std::vector<std::string>{"bbox_nms", "splits_nms"}));
  EXPECT_EQ(graph.nodes[2].inputs[1], graph.nodes[1].outputs[0]);
  EXPECT_EQ(graph.values[graph.outputs[1]].blob, "bbox_nms");
}

TEST(NumberRegions, LooksThroughCopies) {
  Graph graph = mask_head(R"(op { type: "CopyCPUToGPU" input: "bbox_nms" output: "on_gpu" })", "on_gpu");
  number_regions(graph);
  ASSERT_EQ(graph.nodes.size(), 4U);
  EXPECT_EQ(graph.nodes[2].def.inputs, (std::vector<std::string>{"on_gpu", "splits_nms"}));
}

TEST(NumberRegions, LeavesOtherRegionsAlone) {
  Graph graph = mask_head("", "deltas");
  number_regions(graph);
  EXPECT_EQ(graph.nodes.size(), 2U);
}

}  // namespace
}  // namespace caffe2rt
