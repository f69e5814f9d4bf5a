#include <ATen/ops/zeros.h>

#include "graph/passes/passes.h"
#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

Graph joined(const at::Tensor& f, const at::Tensor& g, const std::string& more = "") {
  Graph graph = build_graph(parse_net_text(R"(external_input: "x" external_output: "y" external_output: "z"
    op { type: "Conv" input: "x" input: "f" output: "y" }
    op { type: "Conv" input: "x" input: "g" output: "z" } )" +
                                           more),
                            {{"f", f}, {"g", g}});
  join_constants(graph);
  return graph;
}

TEST(JoinConstants, KeepsEqualOnesOnce) {
  const at::Tensor f = random({4, 3, 1, 1});
  const Graph graph = joined(f, f.clone());
  EXPECT_EQ(graph.constants.size(), 1U);
  EXPECT_EQ(graph.nodes[0].inputs, graph.nodes[1].inputs);
  EXPECT_EQ(graph.nodes[0].def.inputs, graph.nodes[1].def.inputs);
}

TEST(JoinConstants, KeepsThoseApartThatDiffer) {
  const at::Tensor f = random({4, 3, 1, 1});
  EXPECT_EQ(joined(f, f + 1).constants.size(), 2U);
  EXPECT_EQ(joined(f, f.reshape({3, 4, 1, 1})).constants.size(), 2U);
  EXPECT_EQ(joined(at::zeros({1}), at::zeros({1}, at::kInt)).constants.size(), 2U);
}

TEST(JoinConstants, KeepsWhatTheCallerWants) {
  const at::Tensor f = random({4, 3, 1, 1});
  const Graph graph = joined(f, f.clone(), R"(external_output: "g")");
  EXPECT_TRUE(graph.constants.contains(graph.last_value("g")));
}

}  // namespace
}  // namespace caffe2rt
