#include "tracking/place_counter.h"

#include <gmock/gmock.h>

#include "scene.h"

namespace caffe2rt {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Kind = Crossing::Kind;

class PlaceCounterTest : public testing::Test {
 protected:
  void places(const std::string& lines, const std::string& zones, Anchor anchor = Anchor::kCentre) {
    counter.set_places(read_lines(lines), read_zones(zones), anchor);
  }
  // One track's next place, a second later.
  std::vector<Kind> go(double x, double y, std::int64_t id = 1) {
    Object object = object_at(x, y);
    object.track_id = id;
    return update({object});
  }
  std::vector<Kind> update(std::vector<Object> objects, std::vector<std::int64_t> ended = {}) {
    seen = frame_with(std::move(objects));
    counter.update(seen, ended, seconds++);
    std::vector<Kind> kinds;
    for (const Crossing& crossing : seen.crossings) kinds.push_back(crossing.kind);
    return kinds;
  }

  PlaceCounter counter;
  Detections seen;
  double seconds = 0;
};

// The line goes to the right: its right-hand side is below.
TEST_F(PlaceCounterTest, ForwardIsFromTheLinesLeftToItsRight) {
  places("gate:100,200,300,200", "");
  EXPECT_THAT(go(200, 150), IsEmpty());
  EXPECT_THAT(go(200, 190), IsEmpty());
  EXPECT_THAT(go(200, 210), ElementsAre(Kind::kForward));
  EXPECT_EQ(seen.crossings[0].where, 0);
  EXPECT_EQ(seen.crossings[0].track_id, 1);
  EXPECT_EQ(seen.crossings[0].at.y, 210);
  EXPECT_THAT(go(200, 150), ElementsAre(Kind::kBackward));
  EXPECT_EQ(seen.lines[0].forward, 1);
  EXPECT_EQ(seen.lines[0].backward, 1);
}

TEST_F(PlaceCounterTest, PastTheEndsOfALineNothingCrosses) {
  places("gate:100,200,300,200", "");
  go(50, 150);
  EXPECT_THAT(go(50, 250), IsEmpty());
  EXPECT_THAT(go(350, 250), IsEmpty());
  EXPECT_THAT(go(350, 150), IsEmpty());
  EXPECT_THAT(go(200, 150), IsEmpty());
  EXPECT_THAT(go(200, 250), ElementsAre(Kind::kForward));
}

TEST_F(PlaceCounterTest, WhatTremblesOnALineCountsOnce) {
  places("gate:100,200,300,200", "");
  go(200, 150);
  for (int i = 0; i < 10; i++) EXPECT_THAT(go(200, 200 + (i % 2 ? 1.5 : -1.5)), IsEmpty());
  EXPECT_THAT(go(200, 205), ElementsAre(Kind::kForward));
  for (int i = 0; i < 10; i++) EXPECT_THAT(go(200, 200 + (i % 2 ? 1.5 : -1.5)), IsEmpty());
}

TEST_F(PlaceCounterTest, AFastTrackMayJumpAcross) {
  places("gate:100,200,300,200", "");
  go(150, 20);
  EXPECT_THAT(go(250, 400), ElementsAre(Kind::kForward));
}

TEST_F(PlaceCounterTest, ZonesAreEnteredAndLeft) {
  places("", "yard:100,100,300,100,300,300,100,300");
  EXPECT_THAT(go(50, 200), IsEmpty());
  EXPECT_EQ(seen.zones[0].inside, 0);
  EXPECT_THAT(go(99, 200), IsEmpty());
  EXPECT_THAT(go(110, 200), ElementsAre(Kind::kEntered));
  EXPECT_EQ(seen.zones[0].inside, 1);
  EXPECT_THAT(go(99, 200), IsEmpty());  // not surely outside
  EXPECT_THAT(go(60, 200), ElementsAre(Kind::kLeft));
  EXPECT_EQ(seen.crossings[0].dwell, 2);
  EXPECT_EQ(seen.zones[0].inside, 0);
  EXPECT_EQ(seen.zones[0].entered, 1);
  EXPECT_EQ(seen.zones[0].left, 1);
}

TEST_F(PlaceCounterTest, AZoneNeedNotBeConvex) {
  places("", "u:0,0,300,0,300,300,200,300,200,100,100,100,100,300,0,300");
  EXPECT_THAT(go(50, 200), ElementsAre(Kind::kEntered));
  EXPECT_THAT(go(150, 200), ElementsAre(Kind::kLeft));
  EXPECT_THAT(go(250, 200), ElementsAre(Kind::kEntered));
}

TEST_F(PlaceCounterTest, ATrackThatEndsInAZoneHasLeftIt) {
  places("", "yard:100,100,300,100,300,300,100,300");
  for (int i = 0; i < 3; i++) go(200, 200);
  for (int i = 0; i < 5; i++) update({});
  EXPECT_THAT(update({}, {1}), ElementsAre(Kind::kLeft));
  EXPECT_EQ(seen.crossings[0].dwell, 2);  // until it was seen for the last time
  EXPECT_EQ(seen.crossings[0].track_id, 1);
  EXPECT_EQ(seen.crossings[0].at.x, 200);
  EXPECT_EQ(seen.zones[0].inside, 0);
}

TEST_F(PlaceCounterTest, ATrackThatIsMissedStaysInside) {
  places("", "yard:100,100,300,100,300,300,100,300");
  go(200, 200);
  EXPECT_THAT(update({}), IsEmpty());
  EXPECT_EQ(seen.zones[0].inside, 1);
  EXPECT_THAT(go(200, 200), IsEmpty());
}

TEST_F(PlaceCounterTest, ObjectsWithoutIdsDoNotCount) {
  places("gate:100,200,300,200", "yard:100,100,300,100,300,300,100,300");
  go(200, 150, -1);
  EXPECT_THAT(go(200, 250, -1), IsEmpty());
}

TEST_F(PlaceCounterTest, TheAnchorIsTheBottomOrTheCentre) {
  for (const Anchor anchor : {Anchor::kBottom, Anchor::kCentre}) {
    counter = {};
    places("gate:100,200,300,200", "", anchor);
    go(200, 160);
    EXPECT_EQ(go(200, 190).size(), anchor == Anchor::kBottom ? 1U : 0U);  // its bottom is at 210
  }
}

TEST_F(PlaceCounterTest, PlacesThatStayGoOnCounting) {
  places("a:100,200,300,200;b:100,220,300,220", "");
  go(200, 150);
  go(200, 250);
  places("b:100,220,300,220;c:0,0,1,1", "");
  go(200, 150);
  ASSERT_EQ(seen.lines.size(), 2U);
  EXPECT_EQ(seen.lines[0].name, "b");
  EXPECT_EQ(seen.lines[0].forward, 1);
  EXPECT_EQ(seen.lines[0].backward, 1);
}

}  // namespace
}  // namespace caffe2rt
