#include <ATen/ops/rand.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include "graph/passes/passes.h"
#include "runtime/compiled_net.h"

namespace caffe2rt {
namespace {

// What a detector begins with: the mean taken off the pixels, and a convolution.
std::string net(const std::string& sub = "", const std::string& conv = "", const std::string& more = "") {
  return R"(
    external_input: "x" external_input: "mean" external_input: "w" external_input: "b" external_output: "y"
    op { type: "Sub" input: "x" input: "mean" output: "difference" )" +
         sub + R"( }
    op { type: "Conv" input: "difference" input: "w" input: "b" output: "y" arg { name: "kernel" i: 3 }
         arg { name: "pad" i: 1 } arg { name: "stride" i: 2 } )" +
         conv + " }" + more;
}

Blobs weights(std::int64_t channels = 3) {
  return {{"w", at::rand({8, channels, 3, 3}).sub(0.5)},
          {"b", at::rand({8})},
          {"mean", at::rand({1, channels, 1, 1})}};
}

std::vector<std::string> types(const std::string& text, const Blobs& constants,
                               const CompileOptions& options = {}) {
  const CompiledNet compiled = CompiledNet::compile(parse_net_text(text), constants, options);
  std::vector<std::string> all;
  for (const Node& node : compiled.graph().nodes) all.push_back(node.def.type);
  return all;
}

using Types = std::vector<std::string>;

TEST(FuseMean, LeavesOneOperator) {
  EXPECT_EQ(types(net(), weights()), Types{"caffe2rt.MatMulConv"});
  EXPECT_EQ(types(net(R"(arg { name: "broadcast" i: 1 })"), weights()), Types{"caffe2rt.MatMulConv"});
}

// In either order in memory; what is outside the image is zero after the mean was taken off, not before.
TEST(FuseMean, ResultsStayTheSameToTheLastBit) {
  const NetDef text = parse_net_text(net());
  const Blobs constants = weights();
  CompileOptions apart;
  apart.without_passes = {"fuse_mean"};
  const at::Tensor x = at::rand({2, 3, 9, 11});
  for (const at::Tensor& data : {x, x.contiguous(at::MemoryFormat::ChannelsLast)}) {
    Workspace workspace;
    EXPECT_TRUE(
        CompiledNet::compile(text, constants)
            .run({{"x", data}}, workspace)
            .at("y")
            .equal(CompiledNet::compile(text, constants, apart).run({{"x", data}}, workspace).at("y")));
  }
}

TEST(FuseMean, StaysApartWhereItCannotBeTakenOffTheSameWay) {
  const Types apart = {"Sub", "caffe2rt.MatMulConv"};
  const std::string read_again =
      R"(external_output: "z" op { type: "Relu" input: "difference" output: "z" })";
  EXPECT_EQ(types(net("", "", read_again), weights()).size(), 3);
  EXPECT_EQ(types(net(), weights(5)), apart) << "many channels";
  Blobs map = weights();
  map["mean"] = at::rand({1, 3, 9, 11});
  EXPECT_EQ(types(net(), map), apart) << "a number for each pixel";
  Blobs one = weights();
  one["mean"] = at::rand({1});
  EXPECT_EQ(types(net(), one), apart) << "one number for all";
}

// What sees pixels multiplies float32 in any precision.
TEST(FuseMean, IsTakenOffInLowPrecisionToo) {
  CompileOptions options;
  options.precision = Precision::kBfloat16;
  EXPECT_EQ(types(net(), weights(), options), Types{"caffe2rt.MatMulConv"});
}

}  // namespace
}  // namespace caffe2rt
