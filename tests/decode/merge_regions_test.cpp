#include "decode/merge_regions.h"

#include <gtest/gtest.h>

namespace caffe2rt {
namespace {

constexpr FrameSize kFrame{.height = 100, .width = 200};

Object object(Box box, float score, int class_id = 0) {
  Object o;
  o.box = box;
  o.score = score;
  o.class_id = class_id;
  return o;
}

std::shared_ptr<Detections> part(std::vector<Object> objects) {
  auto seen = std::make_shared<Detections>();
  seen->objects = std::move(objects);
  return seen;
}

Detections merge(const std::vector<std::shared_ptr<const Detections>>& seen,
                 const std::vector<Region>& regions) {
  return merge_regions(seen, regions, kFrame);
}

TEST(MergeRegions, MovesEverythingIntoTheFrameBestFirst) {
  auto left = part({object({1, 2, 3, 4}, 0.5F)}), right = part({object({5, 6, 7, 8}, 0.9F, 3)});
  right->objects[0].rotated = RotatedBox{6, 7, 2, 2, 30};
  right->objects[0].keypoints = {{5, 6, 1}};
  const Detections all = merge({left, right}, {{{0, 0, 50, 50}}, {{100, 40, 50, 50}, 7}});
  EXPECT_EQ(all.width, 200);
  EXPECT_EQ(all.height, 100);
  ASSERT_EQ(all.objects.size(), 2U);
  const Object& first = all.objects[0];
  EXPECT_EQ(first.class_id, 3);
  EXPECT_EQ(first.region, 1);
  EXPECT_EQ(first.box.x1, 105);
  EXPECT_EQ(first.box.y2, 48);
  EXPECT_EQ(first.rotated->cx, 106);
  EXPECT_EQ(first.keypoints[0].y, 46);
  EXPECT_EQ(all.objects[1].region, 0);
  EXPECT_EQ(all.objects[1].box.x1, 1);
  EXPECT_EQ(all.regions[1].parent, 7);
}

TEST(MergeRegions, MasksStayWithTheirObjects) {
  auto left = part({object({0, 0, 9, 9}, 0.5F)}), right = part({object({0, 0, 9, 9}, 0.9F)}), none = part({});
  left->masks = {1, {0.25F}};
  right->masks = {1, {0.75F}};
  const Detections all = merge({none, left, right}, {{{0, 0, 9, 9}}, {{0, 0, 9, 9}}, {{50, 0, 9, 9}}});
  EXPECT_EQ(all.masks.size, 1);
  EXPECT_EQ(all.masks.probs, (std::vector{0.75F, 0.25F}));
}

TEST(MergeRegions, MapsAreWrittenWhereTheirRegionLies) {
  auto seen = part({});
  seen->semantic = LabelMap{2, 1, {4, 0}};
  const Detections all = merge({seen, seen}, {{{0, 0, 2, 1}}, {{198, 99, 2, 1}}});
  ASSERT_EQ(all.semantic->ids.size(), 20000U);
  EXPECT_EQ(all.semantic->ids[0], 4);
  EXPECT_EQ(all.semantic->ids[1], 0);
  EXPECT_EQ(all.semantic->ids[2], -1);
  EXPECT_EQ(all.semantic->ids[19998], 4);
  EXPECT_FALSE(all.panoptic);
}

TEST(MergeRegions, PanopticSegmentsGetIdsOfTheirOwn) {
  auto seen = part({object({0, 0, 1, 1}, 0.5F)});
  seen->panoptic = LabelMap{2, 1, {2, 0}};
  seen->segments = {{.id = 1}, {.id = 2, .is_thing = true, .object = 0}};
  auto better = std::make_shared<Detections>(*seen);
  better->objects[0].score = 0.9F;
  const Detections all = merge({seen, better}, {{{0, 0, 2, 1}}, {{2, 0, 2, 1}}});
  EXPECT_EQ(std::vector(all.panoptic->ids.begin(), all.panoptic->ids.begin() + 5),
            (std::vector{2, 0, 4, 0, 0}));
  ASSERT_EQ(all.segments.size(), 4U);
  EXPECT_EQ(all.segments[3].id, 4);
  EXPECT_EQ(all.segments[3].object, 0);  // the better one comes first
  EXPECT_EQ(all.segments[1].object, 1);
}

TEST(MergeRegions, ClassesAreTheRegions) {
  auto seen = part({});
  seen->classes = {{5, 0.5F}};
  seen->raw = {{"prob", {1}, {0.5F}}};
  const Detections all = merge({seen}, {{{2, 2, 4, 4}, 3}});
  EXPECT_TRUE(all.classes.empty());
  EXPECT_EQ(all.regions.at(0).classes.at(0).class_id, 5);
  EXPECT_EQ(all.raw.at(0).name, "0:prob");
}

TEST(MergeRegions, NoRegionsAreAnEmptyFrame) {
  const Detections all = merge({}, {});
  EXPECT_EQ(all.width, 200);
  EXPECT_TRUE(all.objects.empty());
}

// Two tiles that share columns 90 to 110.
Detections tiles(std::vector<Object> left, std::vector<Object> right) {
  for (Object& o : right) {
    o.box.x1 -= 90;
    o.box.x2 -= 90;
  }
  Detections all =
      merge({part(std::move(left)), part(std::move(right))}, {{{0, 0, 110, 100}}, {{90, 0, 110, 100}}});
  suppress_across_regions(all);
  return all;
}

TEST(SuppressAcrossRegions, AnObjectSeenTwiceCountsOnce) {
  const Detections all = tiles({object({95, 10, 104, 30}, 0.8F)}, {object({95, 11, 105, 30}, 0.9F)});
  ASSERT_EQ(all.objects.size(), 1U);
  EXPECT_EQ(all.objects[0].score, 0.9F);
}

TEST(SuppressAcrossRegions, OtherClassesAndTheSameRegionAreLeftAlone) {
  EXPECT_EQ(tiles({object({95, 10, 104, 30}, 0.8F, 1)}, {object({95, 10, 104, 30}, 0.9F, 2)}).objects.size(),
            2U);
  EXPECT_EQ(tiles({object({10, 10, 40, 30}, 0.8F), object({10, 10, 40, 29}, 0.9F)}, {}).objects.size(), 2U);
}

// The left tile sees the left half of what the right one, or rather its neighbour, sees whole.
TEST(SuppressAcrossRegions, WhatATilesBorderCutsGivesWayToTheWhole) {
  const Detections all = tiles({object({95, 10, 110, 30}, 0.95F)}, {object({95, 10, 150, 30}, 0.7F)});
  ASSERT_EQ(all.objects.size(), 1U);
  EXPECT_EQ(all.objects[0].box.x2, 150);
}

// A child in front of an adult is no part of the adult.
TEST(SuppressAcrossRegions, AWholeObjectInsideAnotherStays) {
  EXPECT_EQ(tiles({object({95, 60, 105, 90}, 0.9F)}, {object({95, 10, 130, 95}, 0.8F)}).objects.size(), 2U);
}

TEST(SuppressAcrossRegions, SegmentsAndMasksFollow) {
  auto left = part({object({95, 10, 104, 30}, 0.8F), object({10, 10, 20, 20}, 0.7F)});
  auto right = part({object({5, 10, 14, 30}, 0.9F)});
  left->masks = {1, {0.1F, 0.2F}};
  right->masks = {1, {0.3F}};
  left->panoptic = right->panoptic = LabelMap{1, 1, {1}};
  left->segments = {{.id = 1, .is_thing = true, .object = 0}, {.id = 2, .is_thing = true, .object = 1}};
  right->segments = {{.id = 1, .is_thing = true, .object = 0}};
  Detections all = merge({left, right}, {{{0, 0, 110, 100}}, {{90, 0, 110, 100}}});
  suppress_across_regions(all);
  ASSERT_EQ(all.objects.size(), 2U);
  EXPECT_EQ(all.masks.probs, (std::vector{0.3F, 0.2F}));
  EXPECT_EQ(all.segments[0].object, 0);  // the object that stands for the one that was dropped
  EXPECT_EQ(all.segments[1].object, 1);
  EXPECT_EQ(all.segments[2].object, 0);
}

}  // namespace
}  // namespace caffe2rt
