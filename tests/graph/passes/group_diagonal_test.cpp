#include <ATen/ops/zeros.h>

#include "graph/passes/passes.h"
#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

// Upsampling of 3 channels; the filter's elements off the diagonal are `elsewhere`.
struct Upsampling {
  explicit Upsampling(float elsewhere) {
    at::Tensor filter = at::zeros({3, 3, 4, 4}).fill_(elsewhere);
    for (int c = 0; c < 3; c++) filter[c][c].copy_(random({4, 4}));
    weights = {{"w", filter}, {"b", random({3})}};
  }
  NetDef net = parse_net_text(R"(external_input: "x" external_output: "y"
    op { type: "ConvTranspose" input: "x" input: "w" input: "b" output: "y" arg { name: "kernel" i: 4 }
         arg { name: "stride" i: 2 } arg { name: "pad" i: 1 } })");
  Blobs weights;
};

std::int64_t groups(const Upsampling& upsampling) {
  Graph graph = build_graph(upsampling.net, upsampling.weights);
  group_diagonal(graph);
  const Argument* group = graph.nodes[0].def.find("group");
  return group ? *group->i : 1;
}

TEST(GroupDiagonal, GivesEachChannelAGroupAndTheSameResult) {
  const Upsampling upsampling(0);
  EXPECT_EQ(groups(upsampling), 3);
  const at::Tensor x = random({2, 3, 5, 6});
  Workspace workspace;
  CompileOptions without;
  without.without_passes = {"group_diagonal"};
  const auto run = [&](const CompileOptions& options) {
    return CompiledNet::compile(upsampling.net, upsampling.weights, options)
        .run({{"x", x}}, workspace)
        .at("y");
  };
  EXPECT_TENSOR_NEAR(run({}), run(without), 1e-5);
}

TEST(GroupDiagonal, LeavesFiltersThatMixChannelsAlone) { EXPECT_EQ(groups(Upsampling(0.1F)), 1); }

}  // namespace
}  // namespace caffe2rt
