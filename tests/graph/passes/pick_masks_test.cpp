#include <ATen/ops/rand.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include "graph/passes/passes.h"
#include "runtime/compiled_net.h"

namespace caffe2rt {
namespace {

const char* const kHead = R"(
    external_input: "x" external_input: "w" external_input: "b" external_input: "classes"
    external_output: "class_nms" external_output: "mask_fcn_probs"
    op { type: "Relu" input: "classes" output: "class_nms" }
    op { type: "Conv" input: "x" input: "w" input: "b" output: "logits" arg { name: "kernel" i: 1 } }
    op { type: "Sigmoid" input: "logits" output: "mask_fcn_probs" })";

Blobs weights(std::int64_t classes = 5) {
  return {{"w", at::rand({classes, 8, 1, 1})}, {"b", at::rand({classes})}};
}

std::string type_of_head(const std::string& net, const Blobs& constants, bool only_predicted = true) {
  Graph graph = build_graph(parse_net_text(net), constants);
  pick_masks(graph, {.only_predicted_masks = only_predicted});
  return graph.nodes[graph.values[graph.last_value("logits")].producer].def.type;
}

TEST(PickMasks, ComputesTheMaskOfThePredictedClass) {
  const Blobs constants = weights();
  const NetDef net = parse_net_text(kHead);
  const Blobs feeds = {{"x", at::rand({3, 8, 4, 6})}, {"classes", at::tensor({4.F, 0.F, 2.F})}};
  Workspace workspace;
  CompileOptions options;
  const at::Tensor all =
      CompiledNet::compile(net, constants, options).run(feeds, workspace).at("mask_fcn_probs");
  options.only_predicted_masks = true;
  const at::Tensor one =
      CompiledNet::compile(net, constants, options).run(feeds, workspace).at("mask_fcn_probs");
  ASSERT_EQ(all.sizes(), (at::IntArrayRef{3, 5, 4, 6}));
  ASSERT_EQ(one.sizes(), (at::IntArrayRef{3, 1, 4, 6}));
  for (const auto& [region, k] : {std::pair{0, 4}, {1, 0}, {2, 2}})
    EXPECT_TRUE(one[region][0].allclose(all[region][k], 1e-6)) << "region " << region;
}

TEST(PickMasks, IsOnlyForThoseWhoWantNoOthers) {
  EXPECT_EQ(type_of_head(kHead, weights()), "caffe2rt.MaskOfClass");
  EXPECT_EQ(type_of_head(kHead, weights(), false), "Conv");
}

TEST(PickMasks, LeavesMasksWithoutClassesAndThoseThatAreReadElsewhereAlone) {
  EXPECT_EQ(type_of_head(kHead, weights(1)), "Conv");
  EXPECT_EQ(type_of_head(std::string(kHead) + R"(external_output: "logits")", weights()), "Conv");
  std::string renamed = kHead;
  for (size_t at; (at = renamed.find("class_nms")) != std::string::npos;) renamed.replace(at, 9, "other");
  EXPECT_EQ(type_of_head(renamed, weights()), "Conv");
}

TEST(PickMasks, LeavesClassesThatAreKnownOnlyLaterAlone) {
  EXPECT_EQ(type_of_head(R"(
    external_input: "x" external_input: "w" external_input: "b"
    external_output: "class_nms" external_output: "mask_fcn_probs"
    op { type: "Conv" input: "x" input: "w" input: "b" output: "logits" arg { name: "kernel" i: 1 } }
    op { type: "Sigmoid" input: "logits" output: "mask_fcn_probs" }
    op { type: "Relu" input: "mask_fcn_probs" output: "class_nms" })",
                         weights()),
            "Conv");
}

}  // namespace
}  // namespace caffe2rt
