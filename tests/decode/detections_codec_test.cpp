#include "decode/detections_codec.h"

#include <gtest/gtest.h>

#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

Detections everything() {
  Detections seen;
  seen.width = 3;
  seen.height = 2;
  Object object;
  object.box = {0.5F, 1, 2, 1.5F};
  object.rotated = RotatedBox{1, 2, 3, 4, 5};
  object.score = 0.1F;
  object.class_id = 1;
  object.keypoints = {{1, 2, 0.5F}, {3, 4, 0.25F}};
  object.region = 0;
  object.track_id = 1LL << 40;
  seen.objects = {object, {}};
  seen.masks = {1, {0.25F, 0.75F}, MaskPasting::kIntegerBoxes};
  seen.semantic = LabelMap{3, 2, {0, 1, 2, -1, 4, 70000}};
  seen.panoptic = LabelMap{3, 2, {1, 1, 1, 0, 0, 0}};
  seen.segments = {{.id = 1, .is_thing = true, .category_id = 2, .object = 1, .score = 0.5F, .area = 3}};
  seen.classes = {{7, 0.125F}};
  seen.lines = {{"gate", {0, 1}, {2, 3.5}, 4, 5}};
  seen.zones = {{"yard", {{0, 0}, {1, 0}, {1, 1}}, 1, 2, 3}};
  seen.crossings = {{Crossing::Kind::kLeft, 0, 7, 2, {1.5, 2.5}, 0.25}};
  seen.regions = {{{0, 0, 2, 2}, 4, {{3, 0.5F}}}};
  seen.raw = {{"blob", {1, 2}, {1.5F, -2}}};
  seen.labels = std::make_shared<const std::vector<std::string>>(std::vector<std::string>{"a", "b"});
  return seen;
}

TEST(DetectionsCodec, WhatIsWrittenIsRead) {
  const auto bytes = encode(everything());
  const Detections seen = decode_bytes(bytes);
  EXPECT_EQ(encode(seen), bytes);
  ASSERT_EQ(seen.objects.size(), 2U);
  EXPECT_EQ(seen.objects[0].box.x1, 0.5F);
  EXPECT_EQ(seen.objects[0].rotated->angle, 5);
  EXPECT_EQ(seen.objects[0].keypoints[1].score, 0.25F);
  EXPECT_FALSE(seen.objects[1].rotated);
  EXPECT_EQ(seen.objects[1].region, -1);
  EXPECT_EQ(seen.masks.probs[1], 0.75F);
  EXPECT_EQ(seen.masks.pasting, MaskPasting::kIntegerBoxes);
  EXPECT_EQ(seen.semantic->ids[5], 70000);
  EXPECT_EQ(seen.segments[0].area, 3);
  EXPECT_EQ(seen.objects[0].track_id, 1LL << 40);
  EXPECT_EQ(seen.lines[0].to.y, 3.5);
  EXPECT_EQ(seen.lines[0].backward, 5);
  EXPECT_EQ(seen.zones[0].corners[2].y, 1);
  EXPECT_EQ(seen.zones[0].left, 3);
  EXPECT_EQ(seen.crossings[0].kind, Crossing::Kind::kLeft);
  EXPECT_EQ(seen.crossings[0].at.x, 1.5);
  EXPECT_EQ(seen.crossings[0].dwell, 0.25);
  EXPECT_EQ(seen.regions[0].classes[0].class_id, 3);
  EXPECT_EQ(seen.raw[0].shape, (std::vector<std::int64_t>{1, 2}));
  EXPECT_EQ(seen.label(1), "b");
}

TEST(DetectionsCodec, AnEmptyFrameToo) {
  const Detections seen = decode_bytes(encode({}));
  EXPECT_TRUE(seen.objects.empty());
  EXPECT_FALSE(seen.semantic);
  EXPECT_FALSE(seen.labels);
}

TEST(DetectionsCodec, BytesCutShortOrChangedAreRefusedOrHarmless) {
  const auto bytes = encode(everything());
  for (size_t length = 0; length < bytes.size(); length++)
    EXPECT_ERROR(decode_bytes(std::span(bytes).first(length)), ErrorCode::kFormat, "no detections");
  for (size_t i = 0; i < bytes.size(); i++)
    for (const int change : {1, 0x20, 0x80, 0xff}) {
      auto changed = bytes;
      changed[i] ^= static_cast<std::uint8_t>(change);
      try {
        decode_bytes(changed);
      } catch (const Error& e) {
        EXPECT_EQ(e.code(), ErrorCode::kFormat);
      }
    }
}

TEST(DetectionsCodec, WhatContradictsItselfIsRefused) {
  const auto refused = [](auto&& spoil, const char* says) {
    Detections seen = everything();
    spoil(seen);
    EXPECT_ERROR(decode_bytes(encode(seen)), ErrorCode::kFormat, says);
  };
  refused([](auto& s) { s.width = 4; }, "a map of 3x2 with 6 labels in a frame of 4x2");
  refused([](auto& s) { s.panoptic->ids.pop_back(); }, "a map of 3x2 with 5 labels");
  refused([](auto& s) { s.masks.probs.pop_back(); }, "1 probabilities in 2 masks of 1 a side");
  refused([](auto& s) { s.objects[1].region = 1; }, "an object of region 1 of 1");
  refused([](auto& s) { s.segments[0].object = 2; }, "a segment of object 2 of 2");
  refused([](auto& s) { s.crossings[0].where = 1; }, "a crossing of zone 1 of 1");
  refused([](auto& s) { s.crossings[0].kind = static_cast<Crossing::Kind>(9); }, "a crossing of kind 9");
  refused([](auto& s) { s.height = -2; }, "a frame of 3x-2");
}

}  // namespace
}  // namespace caffe2rt
