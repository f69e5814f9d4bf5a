#include "overlay/privacy.h"

#include <gmock/gmock.h>

#include <set>

namespace caffe2rt {
namespace {

constexpr int kWidth = 160, kHeight = 120;

// A picture of fine checks: whatever is averaged is no longer black and white.
class PrivacyTest : public testing::Test {
 protected:
  void SetUp() override { fresh(); }
  void fresh() {
    grey.resize(static_cast<size_t>(kWidth) * kHeight);
    for (int y = 0; y < kHeight; y++)
      for (int x = 0; x < kWidth; x++) grey[y * kWidth + x] = (x + y) % 2 ? 255 : 0;
  }
  static Detections seen(const std::vector<Box>& boxes, int class_id = 0) {
    Detections seen;
    seen.width = kWidth;
    seen.height = kHeight;
    seen.labels = std::make_shared<const std::vector<std::string>>(std::vector<std::string>{"face", "car"});
    for (const Box& box : boxes) {
      Object object;
      object.box = box;
      object.class_id = class_id;
      seen.objects.push_back(object);
    }
    return seen;
  }
  void conceal(const Detections& seen, bool looked = true, const PrivacyStyle& style = {{"face"}, {}}) {
    fresh();
    const FramePlane plane{grey.data(), kWidth, kWidth, kHeight, 1};
    privacy.conceal({&plane, 1}, kWidth, kHeight, seen, {}, looked, style);
  }
  bool concealed(int x, int y) const {
    const int value = grey[y * kWidth + x];
    return value > 60 && value < 195;
  }

  std::vector<std::uint8_t> grey;
  Privacy privacy;
};

TEST_F(PrivacyTest, TheWholeBoxIsConcealedAndNothingElse) {
  conceal(seen({{40, 30, 80, 70}}));
  for (int y = 0; y < kHeight; y++)
    for (int x = 0; x < kWidth; x++)
      ASSERT_EQ(concealed(x, y), x >= 40 && x < 80 && y >= 30 && y < 70) << x << "," << y;
}

TEST_F(PrivacyTest, OnlyClassesThatAreNamed) {
  conceal(seen({{40, 30, 80, 70}}, 1));
  EXPECT_FALSE(concealed(60, 50));
  conceal(seen({{40, 30, 80, 70}}, 1), true, {{"*"}, {}});
  EXPECT_TRUE(concealed(60, 50));
}

TEST_F(PrivacyTest, PixelsAreSquaresOfOneShade) {
  for (int y = 0; y < kHeight; y++)
    for (int x = 0; x < kWidth; x++) grey[y * kWidth + x] = static_cast<std::uint8_t>(x + y / 4);
  const FramePlane plane{grey.data(), kWidth, kWidth, kHeight, 1};
  privacy.conceal({&plane, 1}, kWidth, kHeight, seen({{0, 0, 160, 120}}), {}, true, {{}, {"face"}});
  const std::set<std::uint8_t> shades(grey.begin(), grey.end());
  EXPECT_LE(shades.size(), 8U * 6);
  EXPECT_EQ(grey[0], grey[19]);
  EXPECT_NE(grey[0], grey[20]);
}

TEST_F(PrivacyTest, AMaskConcealsWhatItCoversWithAMargin) {
  Detections one = seen({{40, 30, 120, 110}});
  one.masks.size = 2;
  one.masks.probs = {1, 0, 1, 0};  // the left half
  conceal(one);
  EXPECT_TRUE(concealed(50, 60));
  EXPECT_TRUE(concealed(38, 60));  // the margin
  EXPECT_FALSE(concealed(110, 60));
  EXPECT_FALSE(concealed(20, 60));
}

TEST_F(PrivacyTest, PlanesOfChromaGoAlong) {
  std::vector<std::uint8_t> chroma(static_cast<size_t>(kWidth / 2) * kHeight / 2 * 2);
  for (size_t i = 0; i < chroma.size(); i++) chroma[i] = (i / 2) % 2 ? 255 : 0;
  const FramePlane planes[] = {{grey.data(), kWidth, kWidth, kHeight, 1},
                               {chroma.data(), kWidth, kWidth / 2, kHeight / 2, 2}};
  privacy.conceal(planes, kWidth, kHeight, seen({{41, 31, 79, 69}}), {}, true, {{"face"}, {}});
  const auto averaged = [&](int x, int y) { return chroma[y * kWidth + 2 * x] % 255 != 0; };
  EXPECT_TRUE(averaged(20, 15));
  EXPECT_TRUE(averaged(39, 34));
  EXPECT_FALSE(averaged(19, 15));
  EXPECT_FALSE(averaged(40, 34));
}

TEST_F(PrivacyTest, WhatADetectorMissesStaysConcealedForTenLooks) {
  conceal(seen({{40, 30, 80, 70}}));
  for (int look = 0; look < 10; look++) {
    conceal(seen({}));
    EXPECT_TRUE(concealed(60, 50)) << look;
  }
  conceal(seen({}));
  EXPECT_FALSE(concealed(60, 50));
}

TEST_F(PrivacyTest, AsLongAsNobodyLooksItStaysConcealed) {
  conceal(seen({{40, 30, 80, 70}}));
  for (int i = 0; i < 100; i++) conceal(seen({}), false);
  EXPECT_TRUE(concealed(60, 50));
}

TEST_F(PrivacyTest, WhatMovesLeavesNothingConcealedBehind) {
  for (int i = 0; i <= 20; i++) {
    const auto x = static_cast<float>(2 * i);
    conceal(seen({{x, 30, x + 40, 70}}));
  }
  EXPECT_TRUE(concealed(60, 50));
  EXPECT_FALSE(concealed(20, 50));
}

TEST_F(PrivacyTest, BoxesOutsideTheFrameAreCutOff) {
  conceal(seen({{-50, -50, 20, 20}, {150, 100, 500, 500}, {-90, 0, -10, 50}, {200, 200, 300, 300}}));
  EXPECT_TRUE(concealed(5, 5));
  EXPECT_TRUE(concealed(155, 110));
  EXPECT_FALSE(concealed(60, 50));
}

TEST(Privacy, NamesThatAreNoClassesAreTold) {
  EXPECT_THAT(unknown_classes({{"face", "*"}, {"fase", "car"}}, {"face", "car"}),
              testing::ElementsAre("fase"));
}

}  // namespace
}  // namespace caffe2rt
