#include <ATen/ops/rand.h>
#include <gtest/gtest.h>

#include "graph/passes/passes.h"
#include "runtime/compiled_net.h"

namespace caffe2rt {
namespace {

std::string top_down(const std::string& scales, const std::string& more = "") {
  return R"(
    external_input: "x" external_input: "r" external_input: "w" external_input: "b" external_output: "y"
    op { type: "ResizeNearest" input: "r" output: "up" )" +
         scales + R"( }
    op { type: "Conv" input: "x" input: "w" input: "b" output: "lateral" arg { name: "kernel" i: 1 } }
    op { type: "Add" input: "lateral" input: "up" output: "y" })" +
         more;
}

const char* const kTwice = R"(arg { name: "height_scale" f: 2 } arg { name: "width_scale" f: 2 })";

Blobs weights() { return {{"w", at::rand({40, 8, 1, 1})}, {"b", at::rand({40})}}; }

std::vector<std::string> types(const std::string& net) {
  const CompiledNet compiled = CompiledNet::compile(parse_net_text(net), weights());
  std::vector<std::string> all;
  for (const Node& node : compiled.graph().nodes) all.push_back(node.def.type);
  return all;
}

using Types = std::vector<std::string>;

TEST(FuseUpsample, LeavesOneOperator) { EXPECT_EQ(types(top_down(kTwice)), Types{"caffe2rt.MatMulConv"}); }

TEST(FuseUpsample, ResultsStayTheSame) {
  const NetDef net = parse_net_text(top_down(kTwice));
  const Blobs constants = weights();
  CompileOptions apart;
  apart.without_passes = {"fuse_upsample"};
  for (const std::int64_t height : {2, 6}) {
    const Blobs feeds = {{"x", at::rand({2, 8, height, 10})}, {"r", at::rand({2, 40, height / 2, 5})}};
    Workspace workspace;
    EXPECT_TRUE(CompiledNet::compile(net, constants)
                    .run(feeds, workspace)
                    .at("y")
                    .equal(CompiledNet::compile(net, constants, apart).run(feeds, workspace).at("y")));
  }
}

TEST(FuseUpsample, LeavesOtherScalesAndWhatIsReadElsewhereAlone) {
  const Types apart = {"ResizeNearest", "caffe2rt.MatMulConv"};
  EXPECT_EQ(types(top_down(R"(arg { name: "height_scale" f: 2 } arg { name: "width_scale" f: 4 })")), apart);
  EXPECT_EQ(types(top_down(kTwice, R"(external_output: "up")")), apart);
}

TEST(FuseUpsample, AResidualThatDoesNotFitIsRefused) {
  const CompiledNet net = CompiledNet::compile(parse_net_text(top_down(kTwice)), weights());
  Workspace workspace;
  try {
    net.run({{"x", at::rand({1, 8, 6, 10})}, {"r", at::rand({1, 40, 3, 4})}}, workspace);
    FAIL() << "expected an error";
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("expected (1,40,3,5), half of Y's (1,40,6,10), got (1,40,3,4)"),
              std::string::npos)
        << e.what();
  }
}

}  // namespace
}  // namespace caffe2rt
