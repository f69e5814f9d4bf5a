#include <cmath>

#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

using Ints = std::vector<std::int64_t>;

at::Tensor fill(const char* type, Args args, const Ints& shape = {200, 500}) {
  args.emplace_back("shape", shape);
  return run_operator(type, {}, args);
}

double mean(const at::Tensor& t) { return t.to(at::kDouble).mean().item<double>(); }
double deviation(const at::Tensor& t) { return t.to(at::kDouble).std().item<double>(); }

TEST(RandomFill, GaussianHasItsMeanAndDeviation) {
  const auto y = fill("GaussianFill", {{"mean", 2.0F}, {"std", 0.5F}});
  EXPECT_NEAR(mean(y), 2, 0.01);
  EXPECT_NEAR(deviation(y), 0.5, 0.01);
  EXPECT_TENSOR_EQ(fill("GaussianFill", {{"mean", 2.0F}, {"std", 0.0F}}, {3}), tensor({3}, {2, 2, 2}));
}

TEST(RandomFill, UniformStaysInItsRange) {
  const auto y = fill("UniformFill", {{"min", -3.0F}, {"max", 1.0F}});
  EXPECT_NEAR(mean(y), -1, 0.02);
  EXPECT_GE(y.min().item<float>(), -3);
  EXPECT_LE(y.max().item<float>(), 1);
  EXPECT_NEAR(deviation(y), 4 / std::sqrt(12.0), 0.02);
}

TEST(RandomFill, XavierGoesByTheInputsOfALayer) {
  const auto y = fill("XavierFill", {}, {64, 30, 3, 3});
  EXPECT_NEAR(deviation(y), 1 / std::sqrt(270.0), 0.001);
  EXPECT_LE(y.abs().max().item<double>(), std::sqrt(3.0 / 270) + 1e-6);
}

TEST(RandomFill, MsraGoesByTheOutputsOfALayer) {
  EXPECT_NEAR(deviation(fill("MSRAFill", {}, {64, 30, 3, 3})), std::sqrt(2.0 / 576), 0.001);
}

TEST(RandomFill, RepeatsItselfAndDiffersFromBlobToBlob) {
  NetDef net;
  for (const char* output : {"a", "b"}) {
    net.ops.push_back(operator_def("GaussianFill", 0, 1, {{"shape", Ints{100}}}));
    net.ops.back().outputs = {output};
  }
  const Blobs once = run_init_net(net), again = run_init_net(net);
  EXPECT_TENSOR_EQ(again.at("a"), once.at("a"));
  EXPECT_FALSE(once.at("a").equal(once.at("b")));
}

TEST(RandomFill, MayBeEmpty) {
  for (const char* type : {"GaussianFill", "UniformFill", "XavierFill", "MSRAFill"})
    EXPECT_SHAPE(fill(type, {}, {0, 3}), {0, 3});
}

TEST(RandomFill, RefusesWhatHasNoDistribution) {
  EXPECT_ERROR(fill("UniformFill", {{"min", 1.0F}, {"max", 1.0F}}), ErrorCode::kArgument,
               "expected 'min' less than 'max'");
  EXPECT_ERROR(fill("XavierFill", {}, {}), ErrorCode::kShape, "expected at least 1 dimensions");
  EXPECT_ERROR(fill("MSRAFill", {}, {7}), ErrorCode::kShape, "expected at least 2 dimensions");
}

}  // namespace
}  // namespace caffe2rt
