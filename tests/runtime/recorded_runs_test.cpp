#include "runtime/recorded_runs.h"

#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

using Tensors = RecordedRuns::Tensors;

// Records as a GPU does, but for the work itself, which is done again when it is asked for.
class Recorder final : public CudaModule {
 public:
  class Repeat final : public Recording {
   public:
    Repeat(const Recorder& recorder, std::function<void()> work)
        : recorder_(recorder), work_(std::move(work)) {
      recorder_.alive++;
    }
    ~Repeat() override { recorder_.alive--; }
    void replay() override {
      recorder_.replays++;
      work_();
    }

   private:
    const Recorder& recorder_;
    const std::function<void()> work_;
  };

  int count(std::string&) const noexcept override { return 1; }
  void limit_memory(c10::Device, std::int64_t) const override {}
  void trim_memory() const override { trims++; }
  std::shared_ptr<const c10::Stream> lend_stream(c10::Device) const override { return nullptr; }
  std::unique_ptr<Recording> record(const std::function<void()>& work,
                                    const Recording* beside) const override {
    besides.push_back(beside);
    require(!fails, ErrorCode::kDevice, "operation not permitted when stream is capturing");
    require(takes <= room, ErrorCode::kMemory, "out of memory");
    work();
    return std::make_unique<Repeat>(*this, work);
  }

  bool fails = false;
  int takes = 0, room = 0;  // memory
  mutable int replays = 0, alive = 0, trims = 0;
  mutable std::vector<const Recording*> besides;
};

class RecordedRunsTest : public testing::Test {
 protected:
  // The sum of what is fed, and of a number in the host's memory.
  at::Tensor run(const Tensors& feeds, float more = 0) {
    more_ = tensor({1}, {more});
    return runs_.run(recorder_, feeds, {more_}, work_).at(0).clone();
  }
  // The same of a tensor of `size` elements.
  void run_of(int size) { run({random({size}), random({size})}); }

  Recorder recorder_;
  RecordedRuns runs_;
  int worked_ = 0;
  at::Tensor more_;
  const RecordedRuns::Work work_ = [this](const Tensors& in) {
    worked_++;
    return Tensors{in[0] + in[1] + more_.to(in[0].scalar_type())};
  };
};

TEST_F(RecordedRunsTest, RecordsWhatComesTwiceAndReplaysItFromThenOn) {
  const at::Tensor w = tensor({2}, {10, 20});
  EXPECT_TENSOR_EQ(run({tensor({2}, {1, 2}), w}), tensor({2}, {11, 22}));
  EXPECT_TRUE(recorder_.besides.empty());
  EXPECT_TENSOR_EQ(run({tensor({2}, {3, 4}), w}), tensor({2}, {13, 24}));
  EXPECT_EQ(recorder_.besides.size(), 1U);
  EXPECT_EQ(worked_, 3);  // the third for the recording
  EXPECT_EQ(recorder_.replays, 0);
  for (const float x : {5.0F, 6.0F})
    EXPECT_TENSOR_EQ(run({tensor({2}, {x, x}), w}), tensor({2}, {10 + x, 20 + x}));
  EXPECT_EQ(recorder_.replays, 2);
  EXPECT_EQ(recorder_.besides.size(), 1U);
}

TEST_F(RecordedRunsTest, OtherShapesAndTypesAreOtherRuns) {
  for (int i = 0; i < 3; i++) run_of(2);
  EXPECT_EQ(recorder_.replays, 1);
  for (int i = 0; i < 3; i++) run_of(3);
  EXPECT_EQ(recorder_.replays, 2);
  const at::Tensor doubles = tensor({2}, {1, 2}).to(at::kDouble);
  EXPECT_EQ(run({doubles, doubles}).scalar_type(), at::kDouble);
  EXPECT_EQ(recorder_.replays, 2);
}

TEST_F(RecordedRunsTest, HoldForTheValuesThatTheHostRead) {
  const at::Tensor x = tensor({1}, {1});
  for (int i = 0; i < 3; i++) EXPECT_TENSOR_EQ(run({x, x}, 10), tensor({1}, {12}));
  EXPECT_EQ(recorder_.replays, 1);
  EXPECT_TENSOR_EQ(run({x, x}, 20), tensor({1}, {22}));
  EXPECT_EQ(recorder_.replays, 1);
  EXPECT_TENSOR_EQ(run({x, x}, 10), tensor({1}, {12}));
  EXPECT_EQ(recorder_.replays, 2);
}

TEST_F(RecordedRunsTest, RecordingsShareTheirMemory) {
  for (const int size : {2, 2, 3, 3}) run_of(size);
  ASSERT_EQ(recorder_.besides.size(), 2U);
  EXPECT_EQ(recorder_.besides[0], nullptr);
  EXPECT_NE(recorder_.besides[1], nullptr);
}

TEST_F(RecordedRunsTest, ForgetsTheOneThatWasUsedTheLongestAgo) {
  constexpr int kMost = static_cast<int>(RecordedRuns::kMost);
  for (int size = 1; size <= kMost; size++)
    for (int i = 0; i < 2; i++) run_of(size);
  run_of(1);
  run_of(kMost + 1);
  EXPECT_EQ(recorder_.alive, kMost - 1);
  EXPECT_EQ(recorder_.replays, 1);
  run_of(1);
  EXPECT_EQ(recorder_.replays, 2);
  run_of(2);
  EXPECT_EQ(recorder_.replays, 2);
}

TEST_F(RecordedRunsTest, GoesOnWithoutWhereItFails) {
  recorder_.fails = true;
  for (int i = 0; i < 4; i++) EXPECT_TENSOR_EQ(run({tensor({1}, {1}), tensor({1}, {2})}), tensor({1}, {3}));
  EXPECT_EQ(recorder_.besides.size(), 1U);
  EXPECT_EQ(worked_, 4);
}

TEST_F(RecordedRunsTest, WhereMemoryDoesNotSufficeOneRunIsNotRecorded) {
  recorder_.takes = 1;
  for (int i = 0; i < 4; i++) run_of(2);
  EXPECT_EQ(recorder_.besides.size(), 2U) << "tried again after what was free had been given back";
  EXPECT_EQ(recorder_.trims, 1);
  EXPECT_EQ(worked_, 4);
  recorder_.takes = 0;
  for (int i = 0; i < 3; i++) run_of(3);
  EXPECT_EQ(recorder_.replays, 1) << "others are";
}

TEST_F(RecordedRunsTest, GivesItsMemoryWhereWorkHasNone) {
  for (int i = 0; i < 2; i++) run_of(2);
  EXPECT_EQ(recorder_.alive, 1);
  int tries = 0;
  const auto run_where_room_is = [&](int wanted) {
    return runs_.run(recorder_, {tensor({1}, {1})}, {}, [&](const Tensors& in) {
      tries++;
      require(recorder_.alive < wanted, ErrorCode::kMemory, "out of memory");
      return in;
    });
  };
  run_where_room_is(1);
  EXPECT_EQ(tries, 2);
  EXPECT_EQ(recorder_.alive, 0);
  EXPECT_EQ(recorder_.trims, 1);
  EXPECT_ERROR(run_where_room_is(0), ErrorCode::kMemory, "out of memory");
  EXPECT_EQ(tries, 3) << "nothing was left to forget";
}

TEST_F(RecordedRunsTest, WhatTheWorkThrowsIsThrown) {
  const auto run_badly = [&] {
    runs_.run(recorder_, {tensor({1}, {1})}, {},
              [](const Tensors&) -> Tensors { fail(ErrorCode::kShape, "expected another"); });
  };
  for (int i = 0; i < 3; i++) EXPECT_ERROR(run_badly(), ErrorCode::kShape, "expected another");
}

}  // namespace
}  // namespace caffe2rt
