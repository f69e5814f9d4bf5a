#include "overlay/overlay.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <vector>

namespace caffe2rt {
namespace {

constexpr int kWidth = 200, kHeight = 120;

OverlayStyle only(bool OverlayStyle::*part) {
  OverlayStyle style;
  for (auto other : {&OverlayStyle::boxes, &OverlayStyle::labels, &OverlayStyle::scores, &OverlayStyle::masks,
                     &OverlayStyle::keypoints, &OverlayStyle::panoptic, &OverlayStyle::ids,
                     &OverlayStyle::trails, &OverlayStyle::places})
    style.*other = other == part;
  style.line_width = 2;
  return style;
}

Detections one(const Object& object) {
  Detections d;
  d.width = kWidth;
  d.height = kHeight;
  d.objects = {object};
  return d;
}

Object car(const Box& box) { return {box, {}, 0.93F, 2, {}}; }

// What the pieces make of a black image.
struct Image {
  int width, height;
  std::vector<std::uint8_t> bgr;
  const std::uint8_t* at(int x, int y) const { return &bgr[(y * width + x) * 3]; }
  bool drawn(int x, int y) const { return at(x, y)[0] || at(x, y)[1] || at(x, y)[2]; }
  int count() const {
    int n = 0;
    for (int y = 0; y < height; y++)
      for (int x = 0; x < width; x++) n += drawn(x, y);
    return n;
  }
};

Image image(Overlay& overlay, int width = kWidth, int height = kHeight) {
  Image image{width, height, std::vector<std::uint8_t>(static_cast<size_t>(width) * height * 3)};
  blend(overlay.pieces(), image.bgr.data(), width * 3);
  return image;
}

Image drawing(const Detections& detections, const OverlayStyle& style, const Affine& map = {},
              int width = kWidth, int height = kHeight) {
  Overlay overlay;
  overlay.begin(width, height, style);
  overlay.draw(detections, map);
  return image(overlay, width, height);
}

TEST(Overlay, DrawsABoxAlongItsEdgesInItsClassesColour) {
  const Image p = drawing(one(car({20, 30, 80, 90})), only(&OverlayStyle::boxes));
  const Colour colour = class_colour(2);
  EXPECT_NEAR(p.at(50, 30)[0], colour.blue * 255, 1);
  EXPECT_NEAR(p.at(50, 30)[2], colour.red * 255, 1);
  for (const auto& [x, y] : {std::pair{50, 29}, {50, 90}, {20, 60}, {79, 60}}) EXPECT_TRUE(p.drawn(x, y));
  for (const auto& [x, y] : {std::pair{50, 32}, {50, 60}, {50, 27}, {17, 60}, {83, 60}})
    EXPECT_FALSE(p.drawn(x, y));
}

TEST(Overlay, FollowsTheMap) {
  const Image p = drawing(one(car({20, 30, 80, 90})), only(&OverlayStyle::boxes), Affine::scale(0.5, 2),
                          kWidth / 2, kHeight * 2);
  EXPECT_TRUE(p.drawn(25, 60));
  EXPECT_TRUE(p.drawn(10, 120));
  EXPECT_FALSE(p.drawn(20, 30));
}

TEST(Overlay, DrawsRotatedBoxesTurned) {
  Object object = car({80, 40, 120, 80});
  object.rotated = RotatedBox{100, 60, 40, 40, 45};
  const Image p = drawing(one(object), only(&OverlayStyle::boxes));
  EXPECT_TRUE(p.drawn(100, 60 - 28));  // a corner straight above
  EXPECT_FALSE(p.drawn(80, 40));
}

TEST(Overlay, KeepsLabelsInsideTheFrame) {
  const OverlayStyle style = only(&OverlayStyle::labels);
  const int whole = drawing(one(car({60, 60, 80, 80})), style).count();
  ASSERT_GT(whole, 0);
  for (const Box& box :
       {Box{-50, -50, 40, 40}, {190, 100, 250, 140}, {-5, 110, 20, 119}, {150, -10, 300, 300}})
    EXPECT_EQ(drawing(one(car(box)), style).count(), whole) << box.x1 << ' ' << box.y1;
}

TEST(Overlay, ShortensLabelsThatAreWiderThanTheFrame) {
  Detections d = one(car({10, 40, 50, 80}));
  d.labels =
      std::make_shared<const std::vector<std::string>>(std::vector<std::string>(3, std::string(500, 'W')));
  EXPECT_GT(drawing(d, only(&OverlayStyle::labels)).count(), 0);
}

TEST(Overlay, WritesWhatIsNoUtf8) {
  Detections d = one(car({10, 40, 50, 80}));
  d.labels = std::make_shared<const std::vector<std::string>>(std::vector<std::string>(3, "\xff\xfe\x80"));
  EXPECT_GT(drawing(d, only(&OverlayStyle::labels)).count(), 0);
}

TEST(Overlay, WritesNothingForWhatLiesOutside) {
  EXPECT_EQ(drawing(one(car({300, 10, 400, 50})), {}).count(), 0);
  EXPECT_EQ(drawing(one(car({-100, -100, -10, -10})), {}).count(), 0);
}

TEST(Overlay, FillsMasksTranslucentlyWithAFirmerOutline) {
  Detections d = one(car({40, 30, 140, 100}));
  d.masks = {4, std::vector<float>(16, 1.0F)};
  const Image p = drawing(d, only(&OverlayStyle::masks));
  const auto strength = [&](int x, int y) { return p.at(x, y)[0] + p.at(x, y)[1] + p.at(x, y)[2]; };
  ASSERT_TRUE(p.drawn(90, 65));
  int edge = 40;
  while (!p.drawn(edge, 65)) edge++;
  EXPECT_GT(strength(edge, 65), 2 * strength(90, 65) - 10);
  EXPECT_FALSE(p.drawn(20, 65));
}

TEST(Overlay, ConnectsThe17KeypointsOfAPerson) {
  Object person = car({0, 0, 100, 100});
  person.keypoints.assign(17, {-50, -50, 0});  // unseen
  person.keypoints[5] = {50, 50, 1};           // shoulders
  person.keypoints[6] = {150, 50, 1};
  EXPECT_TRUE(drawing(one(person), only(&OverlayStyle::keypoints)).drawn(100, 50));
  person.keypoints.resize(7);
  const Image points = drawing(one(person), only(&OverlayStyle::keypoints));
  EXPECT_FALSE(points.drawn(100, 50));
  EXPECT_TRUE(points.drawn(50, 50));
}

TEST(Overlay, ListsTheBestClassesInTheCorner) {
  Detections d;
  d.width = kWidth;
  d.height = kHeight;
  for (int i = 0; i < 9; i++) d.classes.push_back({i, 0.5F});
  const Image p = drawing(d, {});
  EXPECT_TRUE(p.drawn(1, 1));
  EXPECT_FALSE(p.drawn(kWidth - 1, 1));
  d.classes.resize(5);
  EXPECT_EQ(drawing(d, {}).bgr, p.bgr);
}

TEST(Overlay, StartsEveryFrameClean) {
  Overlay overlay;
  overlay.begin(kWidth, kHeight, {});
  Detections d = one(car({20, 30, 80, 90}));
  d.masks = {4, std::vector<float>(16, 1.0F)};
  overlay.draw(d);
  EXPECT_GT(image(overlay).count(), 0);
  overlay.begin(kWidth, kHeight, {});
  EXPECT_TRUE(overlay.pieces().empty());
  overlay.draw(one(car({100, 30, 120, 90})));
  EXPECT_EQ(image(overlay).bgr, drawing(one(car({100, 30, 120, 90})), {}).bgr);
}

TEST(Overlay, TouchesNoRowTwice) {
  Overlay overlay;
  overlay.begin(kWidth, kHeight, only(&OverlayStyle::boxes));
  overlay.draw(one(car({20, 10, 80, 40})));
  overlay.draw(one(car({60, 30, 180, 60})));
  overlay.draw(one(car({10, 80, 40, 100})));
  int below = 0;
  for (const OverlayPiece& piece : overlay.pieces()) {
    EXPECT_GE(piece.y, below);
    below = piece.y + piece.height;
  }
  EXPECT_LE(below, kHeight);
  EXPECT_EQ(overlay.pieces().size(), 2U);
  EXPECT_LE(overlay.pieces()[1].width, 40);
}

TEST(Overlay, OpacityMakesEverythingFainter) {
  OverlayStyle style = only(&OverlayStyle::boxes);
  const Image full = drawing(one(car({20, 30, 80, 90})), style);
  style.opacity = 0.5;
  const Image half = drawing(one(car({20, 30, 80, 90})), style);
  for (int c = 0; c < 3; c++) EXPECT_NEAR(half.at(50, 30)[c], full.at(50, 30)[c] / 2.0, 2);
}

TEST(Overlay, SurvivesCoordinatesThatAreNoNumbersOrFarAway) {
  const float nan = std::numeric_limits<float>::quiet_NaN(), far = 1e30F;
  Object object = car({nan, nan, nan, nan});
  object.keypoints.assign(17, {nan, far, 1});
  EXPECT_EQ(drawing(one(object), {}).count(), 0);
  drawing(one(car({-far, -far, far, far})), {});
  drawing(one(car({50, 50, 50, 50})), {});
}

TEST(Overlay, DrawsOnFramesOfOnePixel) {
  Detections d = one(car({0, 0, 1, 1}));
  d.masks = {4, std::vector<float>(16, 1.0F)};
  d.classes = {{1, 0.5F}};
  drawing(d, {}, {}, 1, 1);
}

TEST(ClassColour, TellsNeighboursApart) {
  for (int i = 0; i < 90; i++) {
    const Colour a = class_colour(i), b = class_colour(i + 1);
    EXPECT_GT(std::abs(a.red - b.red) + std::abs(a.green - b.green) + std::abs(a.blue - b.blue), 0.3) << i;
  }
}

TEST(Blend, LaysPremultipliedPixelsOver) {
  const std::uint8_t pixel[] = {10, 20, 30, 128};
  const OverlayPiece piece{1, 0, 1, 1, 4, pixel};
  std::uint8_t bgr[] = {1, 2, 3, 100, 200, 0};
  blend({&piece, 1}, bgr, 6);
  EXPECT_EQ(bgr[0], 1);
  EXPECT_EQ(bgr[3], 10 + 50);
  EXPECT_EQ(bgr[4], 20 + 100);
  EXPECT_EQ(bgr[5], 30);
}

Detections panoptic() {
  Detections d;
  d.width = kWidth;
  d.height = kHeight;
  d.panoptic = LabelMap{kWidth, kHeight, std::vector<std::int32_t>(static_cast<size_t>(kWidth) * kHeight)};
  for (int y = 0; y < kHeight; y++)
    for (int x = 0; x < kWidth; x++) d.panoptic->ids[y * kWidth + x] = x < 60 ? 0 : x < 120 ? 1 : 2;
  d.segments = {{.id = 1, .is_thing = true, .category_id = 4},
                {.id = 2, .is_thing = false, .category_id = 4}};
  return d;
}

TEST(Overlay, PanopticSegmentsAreColouredWithBordersBetweenThem) {
  const Image i = drawing(panoptic(), only(&OverlayStyle::panoptic));
  EXPECT_FALSE(i.drawn(30, 60));  // no segment
  EXPECT_TRUE(i.drawn(90, 60));
  EXPECT_TRUE(i.drawn(150, 60));
  const auto brightness = [&](int x) { return i.at(x, 60)[0] + i.at(x, 60)[1] + i.at(x, 60)[2]; };
  EXPECT_GT(brightness(119), brightness(90));  // the border
  EXPECT_NE(std::vector(i.at(90, 60), i.at(90, 60) + 3), std::vector(i.at(150, 60), i.at(150, 60) + 3));
}

TEST(Overlay, APanopticMapTakesThePlaceOfMasksAndFollowsTheFrame) {
  Detections d = panoptic();
  d.objects = {car({0, 0, 50, 50})};
  d.masks.size = 1;
  d.masks.probs = {1};
  OverlayStyle style = only(&OverlayStyle::panoptic);
  style.masks = true;
  EXPECT_FALSE(drawing(d, style).drawn(25, 25));
  const Image half = drawing(d, style, Affine::scale(0.5, 0.5), kWidth / 2, kHeight / 2);
  EXPECT_FALSE(half.drawn(15, 30));
  EXPECT_TRUE(half.drawn(45, 30));
  style.panoptic = false;
  EXPECT_TRUE(drawing(d, style).drawn(25, 25));
}

TEST(Overlay, SemanticMapsAreColoured) {
  Detections d = panoptic();
  d.semantic = std::move(d.panoptic);
  d.panoptic.reset();
  for (auto& id : d.semantic->ids) id -= 1;  // -1: no region lies there
  const Image i = drawing(d, only(&OverlayStyle::panoptic));
  EXPECT_FALSE(i.drawn(30, 60));
  EXPECT_TRUE(i.drawn(90, 60));
}

TEST(Overlay, TracksHaveNumbersAndColoursOfTheirOwn) {
  Object tracked = car({50, 50, 100, 100});
  OverlayStyle style = only(&OverlayStyle::ids);
  EXPECT_EQ(drawing(one(tracked), style).count(), 0);
  tracked.track_id = 7;
  EXPECT_GT(drawing(one(tracked), style).count(), 0);
  style = only(&OverlayStyle::boxes);
  const Image by_class = drawing(one(tracked), style);
  style.colour_by = ColourBy::kTrack;
  const Image by_track = drawing(one(tracked), style);
  EXPECT_NE(by_class.bgr, by_track.bgr);
  tracked.track_id = -1;
  EXPECT_EQ(drawing(one(tracked), style).bgr, by_class.bgr);
}

TEST(Overlay, TrailsLeadToWhereTracksAre) {
  Overlay overlay;
  const OverlayStyle style = only(&OverlayStyle::trails);
  for (int i = 0; i <= 10; i++) {
    Object tracked = car({20.0F + 10 * i, 20, 40.0F + 10 * i, 60});
    tracked.track_id = 1;
    overlay.begin(kWidth, kHeight, style);
    overlay.draw(one(tracked));
  }
  Image i = image(overlay);
  EXPECT_TRUE(i.drawn(100, 60));
  EXPECT_TRUE(i.drawn(129, 60));
  EXPECT_FALSE(i.drawn(150, 60));
  overlay.clear();
  overlay.begin(kWidth, kHeight, style);
  overlay.draw(one(car({20, 20, 40, 60})));
  EXPECT_EQ(image(overlay).count(), 0);
}

TEST(Overlay, LinesAndZonesShowTheirCounts) {
  Detections d = one(car({0, 0, 1, 1}));
  d.lines = {{"gate", {20, 60}, {180, 60}, 12, 3}};
  d.zones = {{"yard", {{10, 70}, {190, 70}, {190, 110}, {10, 110}}, 2, 5, 3}};
  const Image i = drawing(d, only(&OverlayStyle::places));
  EXPECT_TRUE(i.drawn(30, 60));
  EXPECT_TRUE(i.drawn(10, 100));
  EXPECT_TRUE(i.drawn(100, 64));   // the mark to the right of the line
  EXPECT_FALSE(i.drawn(30, 100));  // inside the zone
  d.lines[0].forward = 13;
  EXPECT_NE(drawing(d, only(&OverlayStyle::places)).bgr, i.bgr);
}

}  // namespace
}  // namespace caffe2rt
