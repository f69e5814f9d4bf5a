// Whole nets on a GPU against the CPU.
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>

#include <atomic>
#include <limits>
#include <thread>
#include <vector>

#include "runtime/compiled_net.h"
#include "testing/nets.h"
#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

class GpuNet : public testing::Test {
 protected:
  void SetUp() override {
    try {
      options_.device = parse_device("cuda");
    } catch (const Error& e) {
      GTEST_SKIP() << e.what();
    }
  }

  CompileOptions options_;
};

const auto small_net = [] {
  return net({op("Add", {"x", "w"}, {"t"}), op("Relu", {"t"}, {"y"})}, {"x", "w"}, {"y"});
};
const Blobs weights = {{"w", tensor({2}, {10, 20})}};

TEST_F(GpuNet, TakesAndReturnsTensorsOfTheHost) {
  const auto compiled = CompiledNet::compile(small_net(), weights, options_);
  EXPECT_TRUE(compiled.on_host().empty());
  Workspace workspace;
  const at::Tensor y = compiled.run({{"x", tensor({2}, {1, -30})}}, workspace).at("y");
  EXPECT_TRUE(y.is_cpu());
  EXPECT_TENSOR_EQ(y, tensor({2}, {11, 0}));
}

TEST_F(GpuNet, LeavesOperatorsToTheHostWhereAsked) {
  options_.on_host = {"Relu"};
  const auto compiled = CompiledNet::compile(small_net(), weights, options_);
  ASSERT_EQ(compiled.on_host().size(), 1);
  EXPECT_EQ(compiled.on_host()[0]->def.type, "Relu");
  Workspace workspace;
  EXPECT_TENSOR_EQ(compiled.run({{"x", tensor({2}, {1, -30})}}, workspace).at("y"), tensor({2}, {11, 0}));
}

TEST_F(GpuNet, RecordsRunsOfInputsOfTheSameShape) {
  const auto compiled = CompiledNet::compile(small_net(), weights, options_);
  EXPECT_TRUE(compiled.records_runs());
  Workspace workspace;
  for (int i = 0; i < 4; i++) {
    const auto x = static_cast<float>(i);
    EXPECT_TENSOR_EQ(compiled.run({{"x", tensor({2}, {x, -15 - x})}}, workspace).at("y"),
                     tensor({2}, {10 + x, 5 - x}));
    EXPECT_TENSOR_EQ(compiled.run({{"x", tensor({2, 2}, {x, x, 0, 0})}}, workspace).at("y"),
                     tensor({2, 2}, {10 + x, 20 + x, 10, 20}));
  }
}

// As many as would share streams, were these taken from the tensor library's own.
TEST_F(GpuNet, WorkspacesRunAndRecordBesideEachOther) {
  const auto compiled = CompiledNet::compile(small_net(), weights, options_);
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int t = 0; t < 40; t++)
    threads.emplace_back([&, t] {
      Workspace workspace;
      for (int i = 0; i < 12; i++) {
        const auto x = static_cast<float>(t + i);
        const std::int64_t rows = 1 + i % 3;
        const at::Tensor y = compiled.run({{"x", at::full({rows, 2}, x)}}, workspace).at("y");
        wrong +=
            !y.select(1, 0).eq(x + 10).all().item<bool>() || !y.select(1, 1).eq(x + 20).all().item<bool>();
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST_F(GpuNet, RecordsNothingThatTheHostTakesPartIn) {
  options_.on_host = {"Relu"};
  EXPECT_FALSE(CompiledNet::compile(small_net(), weights, options_).records_runs());
  options_.on_host.clear();
  options_.record_runs = false;
  EXPECT_FALSE(CompiledNet::compile(small_net(), weights, options_).records_runs());
}

TEST_F(GpuNet, SaysWhereMemoryDoesNotSuffice) {
  limit_memory(options_.device, 64 << 20);
  const auto compiled = CompiledNet::compile(small_net(), weights, options_);
  Workspace workspace;
  const auto run = [&](std::int64_t rows) { return compiled.run({{"x", at::zeros({rows, 2})}}, workspace); };
  EXPECT_ERROR(run(20 << 20), ErrorCode::kMemory, "out of memory");
  EXPECT_TENSOR_EQ(run(1).at("y"), tensor({1, 2}, {10, 20}));
  limit_memory(options_.device, std::numeric_limits<std::int64_t>::max());
}

TEST_F(GpuNet, WidensWhatItReturns) {
  options_.precision = Precision::kFloat16;
  OperatorDef conv = op("Conv", {"x", "w", "b"}, {"c"});
  conv.args.push_back(Argument{.name = "kernel", .i = 1});
  const auto compiled =
      CompiledNet::compile(net({conv, op("Relu", {"c"}, {"y"})}, {"x", "w", "b"}, {"c", "y"}),
                           {{"w", tensor({1, 1, 1, 1}, {2})}, {"b", tensor({1}, {1})}}, options_);
  compiled.check_shapes({{"x", {{1, 1, 1, 2}}}});
  Workspace workspace;
  const Blobs results = compiled.run({{"x", tensor({1, 1, 1, 2}, {3, -4})}}, workspace);
  EXPECT_TENSOR_EQ(results.at("c"), tensor({1, 1, 1, 2}, {7, -7}));
  EXPECT_TENSOR_EQ(results.at("y"), tensor({1, 1, 1, 2}, {7, 0}));
}

TEST_F(GpuNet, RefusesInt8) {
  options_.precision = Precision::kInt8;
  options_.calibration.emplace();
  EXPECT_ERROR(CompiledNet::compile(small_net(), weights, options_), ErrorCode::kUnsupported,
               "only on the CPU");
}

TEST(CpuNet, RefusesFloat16) {
  CompileOptions options;
  options.precision = Precision::kFloat16;
  EXPECT_ERROR(CompiledNet::compile(small_net(), weights, options), ErrorCode::kUnsupported,
               "fp16: only on a GPU");
}

}  // namespace
}  // namespace caffe2rt
