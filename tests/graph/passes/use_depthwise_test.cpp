#include "graph/passes/passes.h"
#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

std::string type_of(const std::string& args, const at::Tensor& filter, const PassOptions& options = {}) {
  Graph graph = build_graph(parse_net_text(R"(external_input: "x" external_output: "y"
    op { type: "Conv" input: "x" input: "w" input: "b" output: "y" )" +
                                           args + " }"),
                            {{"w", filter}, {"b", random({filter.size(0)})}});
  use_depthwise(graph, options);
  EXPECT_EQ(graph.constants.size(), graph.nodes.front().def.type == "Conv" ? 2U : 1U);
  return graph.nodes.front().def.type;
}

const std::string kArgs = R"(arg { name: "kernel" i: 3 } arg { name: "group" i: 16 })";

TEST(UseDepthwise, ConvolutionsWithAFilterForEachChannel) {
  EXPECT_EQ(type_of(kArgs, random({16, 1, 3, 3})), "caffe2rt.DepthwiseConv");
}

TEST(UseDepthwise, LeavesOthersAlone) {
  EXPECT_EQ(type_of(kArgs, random({32, 1, 3, 3})), "Conv") << "two filters a channel";
  EXPECT_EQ(type_of(kArgs, random({16, 2, 3, 3})), "Conv") << "two channels a filter";
  EXPECT_EQ(type_of(R"(arg { name: "kernel" i: 3 } arg { name: "group" i: 8 })", random({8, 1, 3, 3})),
            "Conv")
      << "fewer channels than a vector has";
  EXPECT_EQ(type_of(kArgs + R"( arg { name: "dilation" i: 2 })", random({16, 1, 3, 3})), "Conv");
  PassOptions measured;
  measured.tuning.ways["y"] = ConvWay::kPacked;
  EXPECT_EQ(type_of(kArgs, random({16, 1, 3, 3}), measured), "Conv") << "oneDNN was measured to be faster";
}

}  // namespace
}  // namespace caffe2rt
