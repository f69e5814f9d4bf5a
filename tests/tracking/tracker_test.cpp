#include "tracking/tracker.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <random>
#include <set>

#include "scene.h"

namespace caffe2rt {
namespace {

using testing::ElementsAre;
using Ids = std::vector<std::int64_t>;

// A tracker and its clock: one look a frame unless frames are skipped.
class TrackerTest : public testing::Test {
 protected:
  Detections look(std::vector<Object> objects) {
    Detections tracked = tracker.update(frame_with(std::move(objects)), frame * kFrame);
    frame++;
    return tracked;
  }
  Detections skip() {
    Detections expected = tracker.predict(frame * kFrame);
    frame++;
    return expected;
  }
  void options(const TrackerOptions& options) { tracker.set_options(options); }

  Tracker tracker;
  int frame = 0;
};

TEST_F(TrackerTest, AnObjectGetsItsIdWhenItIsSeenOftenEnough) {
  options({.min_hits = 3});
  EXPECT_THAT(ids_of(look({object_at(100, 100)})), ElementsAre(-1));
  EXPECT_THAT(ids_of(look({object_at(102, 100)})), ElementsAre(-1));
  EXPECT_THAT(ids_of(look({object_at(104, 100)})), ElementsAre(1));
  EXPECT_THAT(ids_of(look({object_at(106, 100)})), ElementsAre(1));
  EXPECT_EQ(tracker.ids(), 1);
}

TEST_F(TrackerTest, OneHitIsEnoughWhereMinHitsSaysSo) {
  options({.min_hits = 1});
  EXPECT_THAT(ids_of(look({object_at(100, 100), object_at(300, 100)})), ElementsAre(1, 2));
}

TEST_F(TrackerTest, WhatIsSeenOnceGetsNoId) {
  look({object_at(100, 100)});
  look({});
  EXPECT_THAT(ids_of(look({object_at(100, 100)})), ElementsAre(-1));
  EXPECT_EQ(tracker.ids(), 0);
}

TEST_F(TrackerTest, EmptyFramesGiveNothing) {
  for (int i = 0; i < 3; i++) EXPECT_TRUE(look({}).objects.empty());
  EXPECT_TRUE(skip().objects.empty());
}

TEST_F(TrackerTest, IdsFollowObjectsThatCross) {
  for (int i = 0; i <= 60; i++) {
    const double x = 100 + 4.0 * i;
    const Detections seen = look({object_at(x, 200 + i), object_at(440 - x, 260 - i)});
    EXPECT_EQ(ids_of(seen), i > 0 ? (Ids{1, 2}) : (Ids{-1, -1})) << "frame " << i;
  }
}

TEST_F(TrackerTest, AnIdSurvivesAnOcclusion) {
  for (int i = 0; i < 20; i++) look({object_at(100 + 3.0 * i, 200)});
  for (int i = 20; i < 35; i++) EXPECT_TRUE(look({}).objects.empty());
  EXPECT_THAT(ids_of(look({object_at(100 + 3.0 * 35, 200)})), ElementsAre(1));
}

TEST_F(TrackerTest, ATrackEndsPastMaxAge) {
  options({.max_age = 5.5 * kFrame});
  for (int i = 0; i < 3; i++) look({object_at(100, 200)});
  for (int i = 0; i < 5; i++) look({});
  EXPECT_TRUE(tracker.ended().empty());
  look({});
  EXPECT_THAT(tracker.ended(), ElementsAre(1));
  look({object_at(100, 200)});
  EXPECT_THAT(ids_of(look({object_at(100, 200)})), ElementsAre(2));
}

TEST_F(TrackerTest, ObjectsThatEnterAndLeaveGetIdsOfTheirOwn) {
  for (int i = 0; i < 10; i++) look({object_at(600 + 4.0 * i, 100)});
  for (int i = 0; i < 40; i++) look({});
  look({object_at(30, 100)});
  EXPECT_THAT(ids_of(look({object_at(34, 100)})), ElementsAre(2));
}

TEST_F(TrackerTest, ALowScoreContinuesATrackButBeginsNone) {
  look({object_at(100, 100)});
  look({object_at(100, 100)});
  EXPECT_THAT(ids_of(look({object_at(101, 100, 40, 0.2F), object_at(300, 300, 40, 0.2F)})),
              ElementsAre(1, -1));
  EXPECT_THAT(ids_of(look({object_at(101, 100, 40, 0.2F), object_at(300, 300, 40, 0.2F)})),
              ElementsAre(1, -1));
  EXPECT_THAT(ids_of(look({object_at(101, 100, 40, 0.05F)})), ElementsAre(-1));
}

TEST_F(TrackerTest, ATrackStaysWithinItsClassUnlessToldOtherwise) {
  const auto third = [&](bool match_classes) {
    tracker = Tracker({.match_classes = match_classes});
    frame = 0;
    look({object_at(100, 100)});
    look({object_at(100, 100)});
    return ids_of(look({object_at(100, 100, 40, 0.9F, 5)}));
  };
  EXPECT_THAT(third(true), ElementsAre(-1));
  EXPECT_THAT(third(false), ElementsAre(1));
}

TEST_F(TrackerTest, FramesThatNobodyLookedAtShowWhereObjectsAre) {
  for (int i = 0; i < 30; i++) i % 5 == 0 ? look({object_at(100 + 3.0 * i, 200)}) : skip();
  for (int i = 30; i < 50; i++) {
    const double x = 100 + 3.0 * i;
    const Detections seen = i % 5 == 0 ? look({object_at(x, 200)}) : skip();
    ASSERT_THAT(ids_of(seen), ElementsAre(1)) << "frame " << i;
    EXPECT_NEAR(seen.objects[0].box.x1, x - 20, 2) << "frame " << i;
    EXPECT_FLOAT_EQ(seen.objects[0].score, 0.9F);
  }
}

TEST_F(TrackerTest, AnObjectMissedAtTheLastLookIsNotPredicted) {
  for (int i = 0; i < 3; i++) look({object_at(100, 200)});
  EXPECT_EQ(skip().objects.size(), 1U);
  look({});
  EXPECT_TRUE(skip().objects.empty());
}

TEST_F(TrackerTest, PredictionsStopAfterASecondAndAtTheFramesEdge) {
  for (int i = 0; i < 10; i++) look({object_at(100 + 2.0 * i, 200), object_at(580 + 6.0 * i, 100)});
  frame += 300;
  const Detections seen = skip();
  ASSERT_THAT(ids_of(seen), ElementsAre(1));  // the other is past the edge
  EXPECT_NEAR(seen.objects[0].box.x1, 98 + 2 * 30, 6);
}

TEST_F(TrackerTest, MasksAndKeypointsGoAlong) {
  for (int i = 0; i < 10; i++) {
    Detections seen = frame_with({object_at(300, 300), object_at(100 + 5.0 * i, 200)});
    seen.masks.size = 2;
    seen.masks.probs = {0, 0, 0, 0, 0.1F, 0.9F, 0.2F, 0.8F};
    seen.objects[1].keypoints = {{static_cast<float>(110 + 5.0 * i), 205, 1}};
    tracker.update(seen, i * kFrame);
  }
  const Detections now = tracker.predict(11 * kFrame);
  ASSERT_THAT(ids_of(now), ElementsAre(1, 2));
  EXPECT_THAT(now.masks.probs, ElementsAre(0, 0, 0, 0, 0.1F, 0.9F, 0.2F, 0.8F));
  EXPECT_NEAR(now.objects[1].keypoints[0].x, 110 + 5 * 11, 1.5);
}

TEST_F(TrackerTest, MasksTellObjectsApartWhoseBoxesOverlap) {
  // Two of the same box, one its upper left half and one its lower right: only the masks differ.
  const std::vector<float> upper = {1, 1, 1, 0}, lower = {0, 0, 0, 1};
  const auto scene = [&](bool swapped) {
    Detections seen = frame_with({object_at(100, 100), object_at(101, 100)});
    seen.masks.size = 2;
    for (const auto* mask : {swapped ? &lower : &upper, swapped ? &upper : &lower})
      seen.masks.probs.insert(seen.masks.probs.end(), mask->begin(), mask->end());
    return seen;
  };
  for (const bool mask_iou : {false, true}) {
    tracker = Tracker({.mask_iou = mask_iou});
    for (int i = 0; i < 3; i++) tracker.update(scene(false), i * kFrame);
    const Ids ids = ids_of(tracker.update(scene(true), 3 * kFrame));
    EXPECT_EQ(ids, mask_iou ? (Ids{2, 1}) : (Ids{1, 2}));
  }
}

TEST_F(TrackerTest, AnObjectMayMoveItsOwnWidthFromLookToLook) {
  for (int i = 0; i < 10; i++) {
    const Ids ids = ids_of(look({object_at(100 + 41.0 * i, 200)}));
    EXPECT_EQ(ids, i > 0 ? (Ids{1}) : (Ids{-1})) << "frame " << i;
  }
}

TEST_F(TrackerTest, RotatedBoxesAreMatchedByTheirOwnShape) {
  // Two long thin ones that cross at their centres: their upright boxes are the same.
  const auto scene = [](float first, float second) {
    std::vector<Object> objects = {object_at(200, 200, 100), object_at(200, 200, 100)};
    objects[0].rotated = RotatedBox{200, 200, 130, 10, first};
    objects[1].rotated = RotatedBox{200, 200, 130, 10, second};
    return objects;
  };
  for (int i = 0; i < 3; i++) look(scene(45, -45));
  EXPECT_THAT(ids_of(look(scene(-45, 45))), ElementsAre(2, 1));
  const Detections now = skip();
  ASSERT_TRUE(now.objects[0].rotated);
  EXPECT_NEAR(now.objects[0].rotated->width, 130, 1);
}

TEST_F(TrackerTest, UntrackedObjectsAreDroppedOnRequestWithTheirMasks) {
  options({.drop_untracked = true});
  Detections seen = frame_with({object_at(300, 300, 40, 0.3F), object_at(100, 100)});
  seen.masks.size = 1;
  seen.masks.probs = {0.25F, 0.75F};
  seen.segments = {{.id = 1, .is_thing = true, .object = 0}, {.id = 2, .is_thing = true, .object = 1}};
  tracker.update(seen, 0);
  const Detections tracked = tracker.update(seen, kFrame);
  EXPECT_THAT(ids_of(tracked), ElementsAre(1));
  EXPECT_THAT(tracked.masks.probs, ElementsAre(0.75F));
  EXPECT_EQ(tracked.segments[0].object, -1);
  EXPECT_EQ(tracked.segments[1].object, 0);
}

TEST_F(TrackerTest, IdsOfAnotherTrackerAreReplaced) {
  Object object = object_at(100, 100);
  object.track_id = 77;
  EXPECT_THAT(ids_of(look({object})), ElementsAre(-1));
  EXPECT_THAT(ids_of(look({object})), ElementsAre(1));
}

TEST_F(TrackerTest, BoxesThatAreNoNumbersGetNoIdAndDisturbNobody) {
  const auto broken = [] {
    Object object = object_at(100, 100);
    object.box.x1 = std::numeric_limits<float>::quiet_NaN();
    return object;
  };
  look({broken(), object_at(100, 100)});
  EXPECT_THAT(ids_of(look({broken(), object_at(100, 100)})), ElementsAre(-1, 1));
}

TEST_F(TrackerTest, AFrameOfAnotherSizeBeginsAnew) {
  for (int i = 0; i < 3; i++) look({object_at(100, 100)});
  Detections other = frame_with({object_at(100, 100)});
  other.width = 320;
  EXPECT_THAT(ids_of(tracker.update(other, 4 * kFrame)), ElementsAre(-1));
  EXPECT_THAT(tracker.ended(), ElementsAre(1));
  EXPECT_THAT(ids_of(tracker.update(other, 5 * kFrame)), ElementsAre(2));
}

TEST_F(TrackerTest, TimesThatGoBackAreHarmless) {
  for (int i = 0; i < 3; i++) look({object_at(100, 100)});
  EXPECT_THAT(ids_of(tracker.update(frame_with({object_at(100, 100)}), 0)), ElementsAre(1));
}

TEST_F(TrackerTest, HundredsOfObjectsKeepTheirIds) {
  std::mt19937 random(1);
  std::uniform_real_distribution<double> speed(-1, 1);
  struct Way {
    double x, y, vx, vy;
  };
  std::vector<Way> ways;
  ways.reserve(400);
  for (int row = 0; row < 20; row++)
    for (int column = 0; column < 20; column++)
      ways.push_back({12.0 + 31 * column, 12.0 + 23 * row, speed(random), speed(random)});
  Ids first;
  for (int i = 0; i < 20; i++) {
    std::vector<Object> objects;
    objects.reserve(ways.size());
    for (const Way& way : ways) objects.push_back(object_at(way.x + way.vx * i, way.y + way.vy * i, 18));
    const Ids ids = ids_of(look(std::move(objects)));
    if (i == 0) continue;
    if (i == 1) first = ids;
    EXPECT_EQ(ids, first) << "frame " << i;
  }
  EXPECT_EQ(std::set<std::int64_t>(first.begin(), first.end()).size(), 400U);
  EXPECT_EQ(tracker.ids(), 400);
}

}  // namespace
}  // namespace caffe2rt
