#include "overlay/trails.h"

#include <gtest/gtest.h>

namespace caffe2rt {
namespace {

Detections track_at(float x, float y, std::int64_t id = 1) {
  Detections seen;
  Object object;
  object.box = {x - 10, y - 20, x + 10, y};
  object.class_id = 3;
  object.track_id = id;
  seen.objects = {object};
  return seen;
}

TEST(Trails, RememberWhereTracksStood) {
  Trails trails;
  for (int i = 0; i < 3; i++) {
    trails.begin(30);
    trails.add(track_at(50.0F + static_cast<float>(i), 60), {});
  }
  ASSERT_EQ(trails.all().size(), 1U);
  const Trails::Trail& trail = trails.all().at(1);
  ASSERT_EQ(trail.points.size(), 3U);
  EXPECT_EQ(trail.points[0].x, 50);
  EXPECT_EQ(trail.points[2].x, 52);
  EXPECT_EQ(trail.points[2].y, 60);
  EXPECT_EQ(trail.class_id, 3);
}

TEST(Trails, AreInPixelsOfTheFrameThatIsDrawnOn) {
  Trails trails;
  trails.begin(30);
  trails.add(track_at(50, 60), Affine::scale(2, 3));
  EXPECT_EQ(trails.all().at(1).points[0].x, 100);
  EXPECT_EQ(trails.all().at(1).points[0].y, 180);
}

TEST(Trails, AreNoLongerThanAskedFor) {
  Trails trails;
  for (int i = 0; i < 10; i++) {
    trails.begin(4);
    trails.add(track_at(static_cast<float>(i), 60), {});
  }
  EXPECT_LE(trails.all().at(1).points.size(), 5U);
  EXPECT_EQ(trails.all().at(1).points.back().x, 9);
}

TEST(Trails, OfWhatIsGoneEnd) {
  Trails trails;
  trails.begin(4);
  trails.add(track_at(50, 60), {});
  for (int i = 0; i < 4; i++) trails.begin(4);
  EXPECT_EQ(trails.all().size(), 1U);
  trails.begin(4);
  EXPECT_TRUE(trails.all().empty());
}

TEST(Trails, AreOfTracksAlone) {
  Trails trails;
  trails.begin(4);
  trails.add(track_at(50, 60, -1), {});
  EXPECT_TRUE(trails.all().empty());
}

}  // namespace
}  // namespace caffe2rt
