#include <algorithm>

#include "graph/passes/passes.h"
#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

// A Faster R-CNN on two levels, from the maps of its proposal network to its detections, with what `more`
// adds.
std::string net(const std::string& more = "", const std::string& limit = "") {
  return R"(external_input: "data" external_input: "s2" external_input: "d2" external_input: "s3" external_input: "d3"
    external_input: "im_info" external_output: "score_nms" external_output: "bbox_nms"
    op { type: "GenerateProposals" input: "s2" input: "d2" input: "im_info" input: "anchors" output: "r2" output: "p2" }
    op { type: "GenerateProposals" input: "s3" input: "d3" input: "im_info" input: "anchors" output: "r3" output: "p3" }
    op { type: "CollectRpnProposals" input: "r2" input: "r3" input: "p2" input: "p3" output: "rois"
         arg { name: "rpn_min_level" i: 2 } arg { name: "rpn_max_level" i: 3 } arg { name: "rpn_post_nms_topN" i: 50 } }
    op { type: "DistributeFpnProposals" input: "rois" output: "f2" output: "f3" output: "restore"
         arg { name: "roi_min_level" i: 2 } arg { name: "roi_max_level" i: 3 } arg { name: "legacy_plus_one" i: 0 } }
    op { type: "caffe2rt.PyramidRoIAlign" input: "x2" input: "x3" input: "f2" input: "f3" input: "restore" output: "x"
         arg { name: "caffe2rt.spatial_scales" floats: 0.25 floats: 0.125 } arg { name: "pooled_w" i: 7 } }
    op { type: "FC" input: "x" input: "w" input: "b" output: "scores" }
    op { type: "FC" input: "x" input: "v" input: "a" output: "deltas" }
    op { type: "BBoxTransform" input: "rois" input: "deltas" input: "im_info" output: "boxes" output: "splits" }
    op { type: "BoxWithNMSLimit" input: "scores" input: "boxes" input: "splits" output: "score_nms" output: "bbox_nms"
         output: "class_nms" output: "batch_splits" )" +
         limit + " }" + more;
}

Graph with_slots(const std::string& text) {
  const Blobs weights = {{"anchors", random({3, 4})},  {"x2", random({1, 4, 8, 8})},
                         {"x3", random({1, 4, 4, 4})}, {"w", random({5, 196})},
                         {"b", random({5})},           {"v", random({20, 196})},
                         {"a", random({20})}};
  Graph graph = build_graph(parse_net_text(text), weights);
  use_slots(graph);
  return graph;
}

std::string blob_of_filled(const Graph& graph, const std::string& output) {
  const auto found = graph.slots.find(graph.last_value(output));
  return found == graph.slots.end() ? "none" : graph.values[found->second].blob;
}

TEST(UseSlots, RegionsAndDetectionsHaveThem) {
  const Graph graph = with_slots(net());
  std::vector<std::string> types;
  for (const Node& node : graph.nodes) types.push_back(node.def.type);
  EXPECT_EQ(types, (std::vector<std::string>{"GenerateProposals", "GenerateProposals", "CollectRpnProposals",
                                             "caffe2rt.LeveledRoIAlign", "FC", "FC", "BBoxTransform",
                                             "BoxWithNMSLimit"}));
  for (const size_t i : {0, 1, 2, 7}) EXPECT_NE(graph.nodes[i].def.find("caffe2rt.slots"), nullptr) << i;
  EXPECT_EQ(graph.nodes[2].def.inputs.back(), "im_info") << "which says how many images there are";
  const OperatorDef& pooled = graph.nodes[3].def;
  EXPECT_EQ(pooled.inputs, (std::vector<std::string>{"x2", "x3", "rois"}));
  EXPECT_EQ(pooled.find("roi_max_level")->i, 3);
  EXPECT_NE(pooled.find("legacy_plus_one"), nullptr);
  EXPECT_EQ(blob_of_filled(graph, "score_nms"), "batch_splits");
  EXPECT_EQ(blob_of_filled(graph, "bbox_nms"), "batch_splits");
}

TEST(UseSlots, OperatorsThatGoByRowMayFollow) {
  const Graph graph = with_slots(net(
      R"(external_output: "rois" external_output: "z" op { type: "Relu" input: "class_nms" output: "z" })"));
  EXPECT_EQ(blob_of_filled(graph, "z"), "batch_splits");
  EXPECT_EQ(blob_of_filled(graph, "rois"), "splits");
}

TEST(UseSlots, PanopticMapsAreMergedOfThem) {
  const std::string merge =
      R"(external_input: "labels" external_input: "logits" external_input: "sizes" external_input: "limits"
         external_output: "map" external_output: "things" op { type: "caffe2rt.PanopticMap" input: "labels"
         input: "logits" input: "bbox_nms" input: "score_nms" input: "class_nms" input: "masks" input: "sizes"
         input: "limits" input: "batch_splits" output: "map" output: "things" output: "areas" })";
  const Graph graph = with_slots(net(R"(op { type: "Relu" input: "bbox_nms" output: "masks" })" + merge));
  EXPECT_NE(graph.nodes.back().def.find("caffe2rt.slots"), nullptr);
  EXPECT_EQ(blob_of_filled(graph, "things"), "batch_splits");
  EXPECT_EQ(blob_of_filled(graph, "map"), "none");
  EXPECT_EQ(blob_of_filled(with_slots(net(R"(external_input: "masks" )" + merge)), "things"), "none")
      << "masks of other rows";
}

TEST(UseSlots, NothingChangesWhereAnOperatorDoesNotKnowOfThem) {
  for (const std::string& text :
       {net(R"(external_output: "z" op { type: "Transpose" input: "bbox_nms" output: "z" })"),
        net(R"(external_output: "z" op { type: "Relu" input: "f2" output: "z" })"),
        net(R"(external_output: "r2")"), net("", R"(arg { name: "detections_per_im" i: 0 })")}) {
    const Graph graph = with_slots(text);
    EXPECT_TRUE(graph.slots.empty());
    EXPECT_TRUE(
        std::ranges::none_of(graph.nodes, [](const Node& node) { return node.def.find("caffe2rt.slots"); }));
    EXPECT_TRUE(std::ranges::any_of(
        graph.nodes, [](const Node& node) { return node.def.type == "DistributeFpnProposals"; }));
  }
}

}  // namespace
}  // namespace caffe2rt
