#include "serving/stream.h"

#include <gtest/gtest.h>

#include <future>

#include "stub_model.h"

namespace caffe2rt {
namespace {

struct Marker final : Item {};

std::shared_ptr<StubFrame> frame(int id) { return std::make_shared<StubFrame>(id); }

std::shared_ptr<StubFrame> pop_frame(Stream& stream) {
  return std::dynamic_pointer_cast<StubFrame>(stream.pop());
}

// A stream whose model holds every batch at the gate.
struct Gated {
  explicit Gated(Overflow overflow, int queue_size = 1, ServerOptions options = {})
      : stream(make_server(std::make_shared<StubModel>([this](auto) { gate.pass(); }), options)) {
    stream.set_options({queue_size, overflow, 100});
  }
  Gate gate;
  Stream stream;
};

TEST(Stream, FramesComeOutInOrderWithWhatWasSeen) {
  Stream stream(make_server(std::make_shared<StubModel>(), {.workers = 4}));
  stream.set_options({.queue_size = 100});
  for (int i = 0; i < 50; i++) ASSERT_TRUE(stream.push(frame(i), true));
  for (int i = 0; i < 50; i++) {
    const auto out = pop_frame(stream);
    ASSERT_TRUE(out);
    EXPECT_EQ(out->id(), i);
    ASSERT_EQ(out->fate(), Fate::kInferred);
    EXPECT_EQ(out->results().at(0)->objects.at(0).class_id, i);
    EXPECT_EQ(out->mapped(), 0);
  }
}

TEST(Stream, MarkersKeepTheirPlaceBetweenFrames) {
  Stream stream(make_server(std::make_shared<StubModel>()));
  stream.set_options({.queue_size = 4});
  const auto marker = std::make_shared<Marker>();
  stream.push(frame(1), true);
  stream.push(marker);
  stream.push(frame(2), true);
  EXPECT_EQ(pop_frame(stream)->id(), 1);
  EXPECT_EQ(stream.pop(), marker);
  EXPECT_EQ(pop_frame(stream)->id(), 2);
}

TEST(Stream, UnwantedFramesGoOnUnseenAndInOrder) {
  Stream stream(make_server(std::make_shared<StubModel>()));
  stream.push(frame(1), true);
  stream.push(frame(2), false);
  EXPECT_EQ(pop_frame(stream)->fate(), Fate::kInferred);
  const auto second = pop_frame(stream);
  EXPECT_EQ(second->fate(), Fate::kSkipped);
  EXPECT_TRUE(second->results().empty());
}

TEST(Stream, BlockingStreamsLetNoMoreInThanTheyHaveRoomFor) {
  Gated g(Overflow::kBlock, 2);
  g.stream.push(frame(1), true);
  g.gate.await(1);
  g.stream.push(frame(2), true);
  g.stream.push(frame(3), true);
  auto fourth = std::async(std::launch::async, [&] { return g.stream.push(frame(4), true); });
  EXPECT_EQ(fourth.wait_for(std::chrono::milliseconds(20)), std::future_status::timeout);
  g.gate.open(4);
  EXPECT_EQ(pop_frame(g.stream)->id(), 1);
  EXPECT_TRUE(fourth.get());
  for (int i = 2; i <= 4; i++) EXPECT_EQ(pop_frame(g.stream)->fate(), Fate::kInferred);
}

TEST(Stream, DoneFramesThatNobodyTakesLeaveNoRoomEither) {
  Stream stream(make_server(std::make_shared<StubModel>()));
  for (int i = 0; i < 2; i++) stream.push(frame(i), true);  // one that waits and one that is looked at
  auto third = std::async(std::launch::async, [&] { return stream.push(frame(2), true); });
  EXPECT_EQ(third.wait_for(std::chrono::milliseconds(20)), std::future_status::timeout);
  pop_frame(stream);
  EXPECT_TRUE(third.get());
}

TEST(Stream, TheFrameThatWaitedLongestGoesOnUnseenWhereOthersCome) {
  Gated g(Overflow::kPass, 2);
  g.stream.push(frame(0), true);
  g.gate.await(1);
  for (int i = 1; i <= 4; i++) g.stream.push(frame(i), true);
  g.gate.open(3);
  const Fate fates[] = {Fate::kInferred, Fate::kOverrun, Fate::kOverrun, Fate::kInferred, Fate::kInferred};
  for (int i = 0; i <= 4; i++) {
    const auto out = pop_frame(g.stream);
    EXPECT_EQ(out->id(), i);
    EXPECT_EQ(out->fate(), fates[i]) << i;
  }
  const StreamStats stats = g.stream.stats();
  EXPECT_EQ(stats.frames_in, 5U);
  EXPECT_EQ(stats.frames_inferred, 3U);
  EXPECT_EQ(stats.frames_passed, 2U);
  EXPECT_EQ(stats.frames_dropped, 0U);
}

TEST(Stream, AFrameIsNotOverrunWhileAWorkerIsIdle) {
  Stream stream(make_server(std::make_shared<StubModel>(), {.workers = 2}));
  stream.set_options({1, Overflow::kPass, 100});
  for (int round = 0; round < 100; round++) {
    for (int i = 0; i < 3; i++) stream.push(frame(i), true);  // two that are looked at and one that waits
    for (int i = 0; i < 3; i++) EXPECT_EQ(pop_frame(stream)->fate(), Fate::kInferred);
  }
}

TEST(Stream, OrIsDroppedThere) {
  Gated g(Overflow::kDrop);
  g.stream.push(frame(0), true);
  g.gate.await(1);
  for (int i = 1; i <= 3; i++) g.stream.push(frame(i), true);
  g.gate.open(2);
  EXPECT_EQ(pop_frame(g.stream)->id(), 0);
  EXPECT_EQ(pop_frame(g.stream)->id(), 3);
  EXPECT_EQ(g.stream.stats().frames_dropped, 2U);
  EXPECT_EQ(g.stream.stats().frames_in, 4U);
}

TEST(Stream, OverrunFramesBehindAnOlderOneAreBoundedToo) {
  Gated g(Overflow::kPass);
  g.stream.set_options({1, Overflow::kPass, 5});
  g.stream.push(frame(0), true);
  g.gate.await(1);
  for (int i = 1; i < 5; i++) g.stream.push(frame(i), true);
  auto sixth = std::async(std::launch::async, [&] { return g.stream.push(frame(5), true); });
  EXPECT_EQ(sixth.wait_for(std::chrono::milliseconds(20)), std::future_status::timeout);
  g.gate.open(3);
  EXPECT_EQ(pop_frame(g.stream)->id(), 0);
  EXPECT_TRUE(sixth.get());
}

TEST(Stream, StoppingLetsEveryoneGoAndHandsOutWhatWasInside) {
  Gated g(Overflow::kBlock);
  const auto marker = std::make_shared<Marker>();
  g.stream.push(frame(0), true);
  g.gate.await(1);
  g.stream.push(marker);
  g.stream.push(frame(1), true);
  auto push = std::async(std::launch::async, [&] { return g.stream.push(frame(2), true); });
  auto pop = std::async(std::launch::async, [&] { return g.stream.pop(); });
  const auto inside = g.stream.stop();
  EXPECT_FALSE(push.get());
  EXPECT_FALSE(pop.get());
  ASSERT_EQ(inside.size(), 3U);
  EXPECT_EQ(inside[1], marker);
  EXPECT_FALSE(g.stream.push(marker));
  EXPECT_EQ(g.stream.stats().frames_dropped, 2U);
  g.gate.open(2);
  g.stream.start();
  g.stream.push(frame(3), true);
  EXPECT_EQ(pop_frame(g.stream)->id(), 3);
}

TEST(Stream, MayGoWhileAWorkerHasItsFrame) {
  Gate gate;
  const auto server = make_server(std::make_shared<StubModel>([&](auto) { gate.pass(); }));
  const auto held = frame(0);
  {
    Stream stream(server);
    stream.push(held, true);
    gate.await(1);
  }
  gate.open();
}

TEST(Stream, AFrameThatFailsSaysWhyAndTheNextIsSeen) {
  Stream stream(make_server(std::make_shared<StubModel>()));
  stream.set_options({.queue_size = 2});
  stream.push(frame(StubModel::kBad), true);
  stream.push(frame(1), true);
  const auto bad = pop_frame(stream);
  ASSERT_EQ(bad->fate(), Fate::kFailed);
  EXPECT_THROW(std::rethrow_exception(bad->error()), Error);
  EXPECT_EQ(bad->mapped(), 0);
  EXPECT_EQ(pop_frame(stream)->fate(), Fate::kInferred);
}

TEST(Stream, TellsHowLongFramesTook) {
  Gated g(Overflow::kPass);
  EXPECT_EQ(g.stream.latency().count(), 0);
  g.stream.push(frame(0), true);
  g.gate.await(1);
  const auto later = Clock::now() + std::chrono::milliseconds(5);
  while (Clock::now() < later) std::this_thread::yield();
  g.gate.open();
  pop_frame(g.stream);
  EXPECT_GE(g.stream.stats().latency_mean.count(), 5000);
  EXPECT_GE(g.stream.latency(), std::chrono::milliseconds(6));  // a fifth more
}

}  // namespace
}  // namespace caffe2rt
