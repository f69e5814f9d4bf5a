#include "serving/server.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <numeric>

#include "serving/stream.h"
#include "stub_model.h"

namespace caffe2rt {
namespace {

// Remembers the batches that a model was given, by the frames' first bytes.
class Batches {
 public:
  std::shared_ptr<StubModel> model() {
    return std::make_shared<StubModel>([this](std::span<const FrameView> frames) {
      gate_.pass();
      std::vector<int> ids;
      for (const FrameView& frame : frames) ids.push_back(*frame.data);
      const std::lock_guard lock(lock_);
      batches_.push_back(ids);
    });
  }
  Gate& gate() { return gate_; }
  std::vector<std::vector<int>> get() const {
    const std::lock_guard lock(lock_);
    return batches_;
  }

 private:
  mutable std::mutex lock_;
  Gate gate_;
  std::vector<std::vector<int>> batches_;
};

std::shared_ptr<StubFrame> frame(int id, FrameSize size = {1, 1}, DetectOptions options = {}, int views = 1) {
  return std::make_shared<StubFrame>(id, size, std::move(options), views);
}

// Streams of one server, whose queues hold plenty.
struct Streams {
  Streams(const std::shared_ptr<Server>& server, size_t count) {
    for (size_t i = 0; i < count; i++) {
      all.push_back(std::make_unique<Stream>(server));
      all.back()->set_options({.queue_size = 100});
    }
  }
  Stream& operator[](size_t i) { return *all[i]; }
  std::vector<std::unique_ptr<Stream>> all;
};

using Ids = std::vector<std::vector<int>>;

TEST(Server, FramesThatWaitAreRunTogetherAStreamsAfterAnothers) {
  Batches batches;
  Streams streams(make_server(batches.model(), {.batch_size = 4, .batch_timeout = std::chrono::hours(1)}), 2);
  for (int i = 0; i < 3; i++) streams[0].push(frame(10 + i), true);
  streams[1].push(frame(20), true);
  batches.gate().open(9);
  for (int i = 0; i < 3; i++) streams[0].pop();
  streams[1].pop();
  EXPECT_EQ(batches.get(), (Ids{{10, 20, 11, 12}}));
}

TEST(Server, ABatchIsNotWaitedForLongerThanItsTimeout) {
  Batches batches;
  Streams streams(
      make_server(batches.model(), {.batch_size = 4, .batch_timeout = std::chrono::milliseconds(1)}), 1);
  batches.gate().open(9);
  streams[0].push(frame(1), true);
  streams[0].pop();
  EXPECT_EQ(batches.get(), (Ids{{1}}));
}

TEST(Server, FramesOfOtherSizesAndOptionsAreRunApart) {
  Batches batches;
  Streams streams(make_server(batches.model(), {.batch_size = 2}), 4);
  streams[0].push(frame(0), true);
  batches.gate().await(1);
  streams[0].push(frame(1), true);
  streams[1].push(frame(2, {2, 2}), true);
  streams[2].push(frame(3, {1, 1}, {.threshold = 0.7F}), true);
  streams[3].push(frame(4), true);
  batches.gate().open(9);
  for (int i = 0; i < 2; i++) streams[0].pop();
  for (int i = 1; i < 4; i++) streams[i].pop();
  const Ids seen = batches.get();
  EXPECT_EQ(seen.size(), 4U);
  EXPECT_EQ(std::accumulate(seen.begin(), seen.end(), 0,
                            [](int n, auto& b) { return n + static_cast<int>(b.size()); }),
            5);
  for (const auto& batch : seen) EXPECT_TRUE(batch.size() == 1 || batch == std::vector({4, 1}));
}

// Two streams that are never short of frames starve no third one, alike or not.
TEST(Server, StreamsTakeTurns) {
  for (const FrameSize size : {FrameSize{1, 1}, FrameSize{2, 2}}) {
    Batches batches;
    Streams streams(make_server(batches.model(), {.batch_size = 2}), 3);
    streams[0].push(frame(0), true);
    batches.gate().await(1);
    for (int i = 0; i < 10; i++) {
      streams[0].push(frame(10), true);
      streams[1].push(frame(11), true);
    }
    streams[2].push(frame(12, size), true);
    batches.gate().open(99);
    streams[2].pop();
    size_t before = 0;
    for (const auto& batch : batches.get()) {
      if (std::ranges::count(batch, 12) > 0) break;
      before++;
    }
    EXPECT_LE(before, 3U);
  }
}

TEST(Server, AStreamThatTakesNothingStarvesNoOther) {
  Streams streams(make_server(std::make_shared<StubModel>()), 2);
  streams[0].set_options({.queue_size = 1});
  for (int i = 0; i < 2; i++) streams[0].push(frame(i), true);
  for (int i = 0; i < 20; i++) {
    streams[1].push(frame(i), true);
    EXPECT_TRUE(streams[1].pop());
  }
}

TEST(Server, AFrameThatFailsTakesNoOtherOfItsBatchWithIt) {
  Batches batches;
  Streams streams(make_server(batches.model(), {.batch_size = 3, .batch_timeout = std::chrono::hours(1)}), 3);
  const std::vector<std::shared_ptr<StubFrame>> frames = {frame(1), frame(StubModel::kBad),
                                                          frame(2, {1, 1}, {}, -1)};
  batches.gate().open(9);
  for (size_t i = 0; i < 3; i++) streams[i].push(frames[i], true);
  for (size_t i = 0; i < 3; i++) streams[i].pop();
  EXPECT_EQ(frames[0]->fate(), Fate::kInferred);
  EXPECT_EQ(frames[1]->fate(), Fate::kFailed);
  EXPECT_EQ(frames[2]->fate(), Fate::kFailed);
}

TEST(Server, BatchesThatMemoryDoesNotTakeAreMadeSmaller) {
  std::vector<size_t> sizes;
  const auto model = std::make_shared<StubModel>([&](std::span<const FrameView> frames) {
    sizes.push_back(frames.size());
    require(frames.size() <= 3, ErrorCode::kMemory, "out of memory");
  });
  const auto server = make_server(model, {.batch_size = 8, .batch_timeout = std::chrono::hours(1)});
  Streams streams(server, 1);
  const auto look_at = [&](int frames) {
    for (int i = 0; i < frames; i++) streams[0].push(frame(i), true);
    for (int i = 0; i < frames; i++)
      EXPECT_EQ(std::dynamic_pointer_cast<StubFrame>(streams[0].pop())->fate(), Fate::kInferred);
  };
  look_at(8);
  EXPECT_EQ(sizes, (std::vector<size_t>{8, 4, 2, 2, 2, 2}));
  EXPECT_EQ(server->batch_size(), 2);
  sizes.clear();
  look_at(4);
  EXPECT_EQ(sizes, (std::vector<size_t>{2, 2}));
  server->set_model(model);  // another may need less
  EXPECT_EQ(server->batch_size(), 8);
}

TEST(Server, AFrameThatMemoryDoesNotTakeFailsAndBatchesOfOthersStay) {
  const auto server = make_server(std::make_shared<StubModel>([](std::span<const FrameView>) {
                                    fail(ErrorCode::kMemory, "out of memory");
                                  }),
                                  {.batch_size = 4});
  Streams streams(server, 1);
  streams[0].push(frame(1), true);
  EXPECT_EQ(std::dynamic_pointer_cast<StubFrame>(streams[0].pop())->fate(), Fate::kFailed);
  EXPECT_EQ(server->batch_size(), 4);
}

TEST(Server, PartsOfAFrameAreRunInBatchesOfTheirOwnSize) {
  Batches batches;
  Streams streams(make_server(batches.model(), {.batch_size = 2}), 1);
  const auto tiled = frame(7, {1, 1}, {}, 5);
  batches.gate().open(9);
  streams[0].push(tiled, true);
  streams[0].pop();
  EXPECT_EQ(tiled->results().size(), 5U);
  EXPECT_EQ(batches.get(), (Ids{{7, 7}, {7, 7}, {7}}));
}

TEST(Server, AnotherModelSeesTheFramesAfterIt) {
  const auto server = make_server(std::make_shared<StubModel>(nullptr, 0.25F));
  Stream stream(server);
  const auto score = [&] {
    const auto one = frame(1);
    stream.push(one, true);
    stream.pop();
    return one->results().at(0)->objects.at(0).score;
  };
  EXPECT_EQ(score(), 0.25F);
  server->set_model(std::make_shared<StubModel>(nullptr, 0.75F));
  EXPECT_EQ(score(), 0.75F);
}

TEST(Server, SixteenStreamsComeAndGo) {
  const auto server =
      make_server(std::make_shared<StubModel>(),
                  {.workers = 3, .batch_size = 4, .batch_timeout = std::chrono::microseconds(100)});
  std::vector<std::thread> threads;
  std::atomic<int> seen = 0;
  for (int s = 0; s < 16; s++)
    threads.emplace_back([&, s] {
      for (int lives = 0; lives < 5; lives++) {
        Stream stream(server);
        stream.set_options(
            {.queue_size = 3, .overflow = s % 2 ? Overflow::kPass : Overflow::kBlock, .most_held = 50});
        std::thread pusher([&] {
          for (int i = 0; i < 40; i++) stream.push(frame(i), i % 5 != 0);
        });
        for (int i = 0; i < (lives % 2 ? 40 : 20); i++) {
          const auto out = std::dynamic_pointer_cast<StubFrame>(stream.pop());
          EXPECT_EQ(out->id(), i);
          seen++;
        }
        stream.stop();
        pusher.join();
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(seen, 16 * (3 * 20 + 2 * 40));
}

}  // namespace
}  // namespace caffe2rt
