#include "runtime/compiled_net.h"

#include <limits>
#include <thread>

#include "testing/nets.h"
#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

at::Tensor run(const CompiledNet& compiled, const at::Tensor& x, const std::string& output = "y") {
  Workspace workspace;
  return compiled.run({{"x", x}}, workspace).at(output);
}

const Blobs weights = {{"w", tensor({2}, {10, 20})}};
const auto add_net = [] {
  return net({op("Add", {"x", "w"}, {"t"}), op("Relu", {"t"}, {"y"})}, {"x", "w"}, {"y"});
};

TEST(CompiledNet, RunsItsOperators) {
  const auto compiled = CompiledNet::compile(add_net(), weights);
  EXPECT_EQ(compiled.input_names(), Names{"x"});
  EXPECT_EQ(compiled.output_names(), Names{"y"});
  EXPECT_TENSOR_EQ(run(compiled, tensor({2}, {1, -30})), tensor({2}, {11, 0}));
}

TEST(CompiledNet, RunsInPlaceOperatorsWithoutTouchingTheFeed) {
  const auto compiled =
      CompiledNet::compile(net({op("Relu", {"x"}, {"x"}), op("Negative", {"x"}, {"x"})}, {"x"}, {"x"}), {});
  const auto x = tensor({2}, {1, -2});
  EXPECT_TENSOR_EQ(run(compiled, x, "x"), tensor({2}, {-1, 0}));
  EXPECT_TENSOR_EQ(x, tensor({2}, {1, -2}));
}

TEST(CompiledNet, ReturnsWhatIsWanted) {
  const auto compiled = CompiledNet::compile(
      net({op("Relu", {"x"}, {"a"}), op("Negative", {"x"}, {"b"})}, {"x"}, {"a", "b"}), {});
  Workspace workspace;
  const Names wanted = {"b", "c"};
  const Blobs results = compiled.run({{"x", tensor({1}, {3})}}, workspace, &wanted);
  EXPECT_EQ(results.size(), 1U);
  EXPECT_TENSOR_EQ(results.at("b"), tensor({1}, {-3}));
}

TEST(CompiledNet, AWorkspaceServesOneRunAfterTheOther) {
  const auto compiled = CompiledNet::compile(add_net(), weights);
  Workspace workspace;
  for (const float v : {1.F, 2.F})
    EXPECT_TENSOR_EQ(compiled.run({{"x", tensor({2}, {v, v})}}, workspace).at("y"),
                     tensor({2}, {10 + v, 20 + v}));
}

TEST(CompiledNet, IsSharedByThreads) {
  const auto compiled = CompiledNet::compile(add_net(), weights);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; i++)
    threads.emplace_back([&compiled, v = static_cast<float>(i)] {
      for (int n = 0; n < 50; n++)
        EXPECT_TENSOR_EQ(run(compiled, tensor({2}, {v, v})), tensor({2}, {10 + v, 20 + v}));
    });
  for (auto& thread : threads) thread.join();
}

TEST(CompiledNet, ReturnsEveryBlobOnRequest) {
  CompileOptions options;
  options.graph.keep_all = true;
  EXPECT_TENSOR_EQ(run(CompiledNet::compile(add_net(), weights, options), tensor({2}, {1, -30}), "t"),
                   tensor({2}, {11, -10}));
}

TEST(CompiledNet, MeasuresEachOperatorWhereAsked) {
  const auto compiled = CompiledNet::compile(add_net(), weights);
  Profile profile;
  Workspace workspace;
  workspace.profile = &profile;
  compiled.run({{"x", tensor({2}, {1, 2})}}, workspace);
  ASSERT_EQ(profile.events.size(), 2);
  EXPECT_EQ(profile.events[0].type, "Add");
  EXPECT_EQ(profile.events[0].output, "t");
  EXPECT_EQ(profile.events[0].inputs, (std::vector<Shape>{{2}, {2}}));
  EXPECT_GE(profile.events[1].start_ms, profile.events[0].start_ms + profile.events[0].milliseconds);
}

TEST(CompiledNet, RefusesAMissingFeed) {
  const auto compiled = CompiledNet::compile(add_net(), weights);
  Workspace workspace;
  EXPECT_ERROR(compiled.run({}, workspace), ErrorCode::kNotFound, "net.pb: input blob 'x' is not fed");
}

TEST(CompiledNet, SaysWhereARunFailed) {
  const auto compiled = CompiledNet::compile(add_net(), weights);
  EXPECT_ERROR(run(compiled, tensor({3}, {1, 2, 3})), ErrorCode::kShape,
               "net.pb: operator 0 'Add' (output 't'): (3) and (2) cannot be broadcast together");
  EXPECT_ERROR(run(compiled, int32_tensor({2}, {1, 2})), ErrorCode::kType,
               "net.pb: operator 0 'Add' (output 't'): ");
}

TEST(CompiledNet, RunsAgainAfterAFailure) {
  const auto compiled = CompiledNet::compile(add_net(), weights);
  Workspace workspace;
  EXPECT_THROW(compiled.run({{"x", tensor({3}, {1, 2, 3})}}, workspace), Error);
  EXPECT_TENSOR_EQ(compiled.run({{"x", tensor({2}, {1, 2})}}, workspace).at("y"), tensor({2}, {11, 22}));
}

TEST(CompiledNet, RefusesWrongArgumentsWithTheirPlace) {
  auto def = net({op("Squeeze", {"x"}, {"y"})}, {"x"}, {"y"});
  EXPECT_ERROR(CompiledNet::compile(def, {}), ErrorCode::kArgument,
               "net.pb: operator 0 'Squeeze' (output 'y'): argument 'dims'");
}

TEST(CompiledNet, RefusesWeightsThatAreNoNumbers) {
  const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  EXPECT_ERROR(CompiledNet::compile(add_net(), {{"w", tensor({2}, {1, nan})}}), ErrorCode::kFormat,
               "net.pb: weight 'w': expected finite numbers, got 1 of 2 that are NaN or infinite");
  EXPECT_ERROR(CompiledNet::compile(add_net(), {{"w", tensor({2}, {-inf, inf})}}), ErrorCode::kFormat,
               "got 2 of 2");
}

TEST(CompiledNet, TakesLargeWeightsWhoseSumIsInfinite) {
  const float most = std::numeric_limits<float>::max();
  EXPECT_NO_THROW(CompiledNet::compile(add_net(), {{"w", tensor({2}, {most, most})}}));
}

TEST(CompiledNet, PassesOverWeightsThatNothingReads) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_NO_THROW(
      CompiledNet::compile(add_net(), {{"w", tensor({2}, {1, 2})}, {"unused", tensor({1}, {nan})}}));
}

NetDef fill_net() {
  auto def = parse_net_text(R"(
    op { type: "GivenTensorFill" output: "w" arg { name: "shape" ints: 2 } arg { name: "values" floats: 1 floats: 2 } }
    op { type: "Copy" input: "w" output: "v" })");
  def.source = "init.pb";
  return def;
}

TEST(RunInitNet, ReturnsEveryBlob) {
  const Blobs blobs = run_init_net(fill_net());
  EXPECT_TENSOR_EQ(blobs.at("w"), tensor({2}, {1, 2}));
  EXPECT_TENSOR_EQ(blobs.at("v"), tensor({2}, {1, 2}));
}

TEST(RunInitNet, RefusesAPredictNetInItsPlace) {
  EXPECT_ERROR(
      run_init_net(add_net()), ErrorCode::kGraph,
      "net.pb: expected an init net, got one that begins with operator 'Add' reading blob 'x': are the "
      "predict net and the init net swapped?");
}

TEST(ParsePrecision, KnowsItsNames) {
  EXPECT_EQ(parse_precision("float32"), Precision::kFloat32);
  EXPECT_ERROR(parse_precision("int4"), ErrorCode::kArgument, "got 'int4'");
}

}  // namespace
}  // namespace caffe2rt
