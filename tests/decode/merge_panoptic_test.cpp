#include "decode/merge_panoptic.h"

#include <gtest/gtest.h>

#include "decode/semantic.h"
#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

// A frame of 8x4 pixels: the left half is class 1, the right half class 2, the last column a thing's class.
Detections two_halves() {
  Detections d;
  d.width = 8;
  d.height = 4;
  d.semantic = LabelMap{8, 4, {}};
  for (int i = 0; i < 32; i++) d.semantic->ids.push_back(i % 8 == 7 ? 0 : i % 8 < 4 ? 1 : 2);
  return d;
}

// Adds an object whose mask fills its box.
void add(Detections& d, Box box, float score, int class_id) {
  d.objects.push_back({.box = box, .score = score, .class_id = class_id});
  d.masks.size = 8;
  d.masks.probs.resize(d.objects.size() * 64, 1);
}

TEST(MergePanoptic, PutsThingsOverStuff) {
  Detections d = two_halves();
  add(d, {0, 0, 2, 4}, 0.9F, 5);
  merge_panoptic({.stuff_area = 1}, d);
  ASSERT_EQ(d.segments.size(), 3);
  EXPECT_TRUE(d.segments[0].is_thing);
  EXPECT_EQ(d.segments[0].category_id, 5);
  EXPECT_EQ(d.segments[0].object, 0);
  EXPECT_EQ(d.segments[1].category_id, 1);
  EXPECT_EQ(d.segments[1].area, 8);
  EXPECT_EQ(d.segments[2].category_id, 2);
  EXPECT_EQ(d.segments[2].area, 12);
  EXPECT_EQ(std::vector<int>(d.panoptic->ids.begin(), d.panoptic->ids.begin() + 8),
            (std::vector<int>{1, 1, 2, 2, 3, 3, 3, 0}));
}

TEST(MergePanoptic, TheBetterObjectKeepsSharedPixels) {
  Detections d = two_halves();
  add(d, {0, 0, 4, 4}, 0.9F, 0);
  add(d, {2, 0, 6, 4}, 0.8F, 0);
  merge_panoptic({}, d);
  ASSERT_EQ(d.segments.size(), 2);
  EXPECT_EQ(std::vector<int>(d.panoptic->ids.begin(), d.panoptic->ids.begin() + 8),
            (std::vector<int>{1, 1, 1, 1, 2, 2, 0, 0}));
}

TEST(MergePanoptic, LeavesOutObjectsThatOthersCover) {
  Detections d = two_halves();
  add(d, {0, 0, 4, 4}, 0.9F, 0);
  add(d, {1, 0, 5, 4}, 0.8F, 0);  // three quarters taken
  merge_panoptic({.overlap_threshold = 0.5F}, d);
  EXPECT_EQ(d.segments.size(), 1);
}

TEST(MergePanoptic, LeavesOutUnsureObjectsAndSmallStuff) {
  Detections d = two_halves();
  add(d, {0, 0, 2, 4}, 0.4F, 0);
  merge_panoptic({.stuff_area = 14, .object_threshold = 0.5F}, d);
  ASSERT_EQ(d.segments.size(), 1);
  EXPECT_EQ(d.segments[0].category_id, 1);
}

TEST(SemanticMap, CutsThePaddingOffAndStretchesTheRest) {
  // Two classes; class 1 wins in the right column of the image. The third column is padding.
  const auto logits = tensor({2, 2, 3}, {1, 0, 9, 1, 0, 9, 0, 1, 0, 0, 1, 0});
  const LabelMap map = semantic_map(logits, {{2, 2}, {2, 4}});
  EXPECT_EQ(map.ids, (std::vector<std::int32_t>{0, 0, 1, 1, 0, 0, 1, 1}));
}

TEST(SemanticMap, TakesTheFirstOfEqualClasses) {
  EXPECT_EQ(semantic_map(tensor({2, 1, 1}, {3, 3}), {{1, 1}, {1, 1}}).ids, (std::vector<std::int32_t>{0}));
}

TEST(SemanticMap, RefusesLogitsSmallerThanTheImage) {
  EXPECT_ERROR(semantic_map(tensor({1, 1, 1}, {3}), {{2, 2}, {2, 2}}), ErrorCode::kShape,
               "expected at least 2x2, got 1x1");
}

}  // namespace
}  // namespace caffe2rt
