// Parts of a frame that the model is shown: a rectangle, tiles, and the objects of an earlier element.
#include "gst_test.h"

namespace caffe2rt::gst {
namespace {

// The fake model sees in whatever it is shown a car (0.9) from a quarter to half, and a person (0.4) in the
// first eighth; "classes" names class 1 for it besides.
std::string inference(const std::string& properties, const std::string& net = "fake") {
  return "caffe2inference drop-policy=block init-net=fake predict-net=" + net + " " + properties;
}

const std::string kCaps = video("BGR", 160, 80);

GstCaffe2Object object(const GstCaffe2Meta* meta, guint index) {
  GstCaffe2Object seen{};
  EXPECT_TRUE(gst_caffe2_meta_get_object(meta, index, &seen)) << index;
  return seen;
}

void expect_box(const GstCaffe2Object& o, double x1, double y1, double x2, double y2) {
  EXPECT_EQ(o.x1, x1);
  EXPECT_EQ(o.y1, y1);
  EXPECT_EQ(o.x2, x2);
  EXPECT_EQ(o.y2, y2);
}

TEST(Regions, ARectangleIsLookedAtAndTheRestIsNot) {
  const Harness h = harness(inference("roi=40,20,80,40"), kCaps);
  const Buffer out = push_and_pull(h.get(), flat_frame(kCaps, 7));
  const GstCaffe2Meta* meta = gst_buffer_get_caffe2_meta(out.get());
  ASSERT_EQ(gst_caffe2_meta_get_n_objects(meta), 2U);
  expect_box(object(meta, 0), 60, 30, 80, 40);
  EXPECT_EQ(object(meta, 0).region, 0);
  GstCaffe2Region region;
  ASSERT_TRUE(gst_caffe2_meta_get_region(meta, 0, &region));
  EXPECT_EQ(region.x2, 120);
  EXPECT_EQ(region.parent_id, -1);
  EXPECT_EQ(gst_caffe2_meta_get_n_regions(meta), 1U);
}

TEST(Regions, TilesAreLookedAtOneByOneTogetherWhereBatchesAllow) {
  const Harness h = harness(inference("tiles=2x2 tile-overlap=0 batch-size=4 output=raw"), kCaps);
  const Buffer out = push_and_pull(h.get(), flat_frame(kCaps, 7));
  const GstCaffe2Meta* meta = gst_buffer_get_caffe2_meta(out.get());
  EXPECT_EQ(gst_caffe2_meta_get_n_regions(meta), 4U);
  ASSERT_EQ(gst_caffe2_meta_get_n_objects(meta), 8U);
  expect_box(object(meta, 3), 100, 50, 120, 60);
  GstCaffe2Tensor tensor;
  ASSERT_TRUE(gst_caffe2_meta_get_tensor(meta, 1, &tensor));
  EXPECT_STREQ(tensor.name, "0:batch");
  EXPECT_EQ(*tensor.values, 4);
}

// Two tiles of which each sees nearly all of the other.
TEST(Regions, WhatTwoTilesSeeCountsOnce) {
  const Harness h = harness(inference("tiles=2x1 tile-overlap=0.9 threshold=0.5", "whole"), kCaps);
  const Buffer out = push_and_pull(h.get(), flat_frame(kCaps, 7));
  const GstCaffe2Meta* meta = gst_buffer_get_caffe2_meta(out.get());
  EXPECT_EQ(gst_caffe2_meta_get_n_regions(meta), 2U);
  EXPECT_EQ(gst_caffe2_meta_get_n_objects(meta), 1U);
}

// The car that the first element saw is looked at by the second.
TEST(Regions, ASecondStageLooksAtObjectsOfTheFirst) {
  for (const char* format : {"BGR", "I420", "NV12", "GRAY8"}) {
    SCOPED_TRACE(format);
    const std::string caps = video(format, 160, 80);
    const Harness h = harness(
        inference("") + " ! " + inference("inference-region=roi object-class=car threshold=0.5"), caps);
    const Buffer out = push_and_pull(h.get(), flat_frame(caps, 7));
    gpointer state = nullptr;
    std::vector<const GstVideoRegionOfInterestMeta*> regions;
    while (GstMeta* meta = gst_buffer_iterate_meta_filtered(out.get(), &state,
                                                            GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE))
      regions.push_back(reinterpret_cast<GstVideoRegionOfInterestMeta*>(meta));
    ASSERT_EQ(regions.size(), 3U);  // a car, a person, and the car in the car
    const auto& inner = *regions[2];
    EXPECT_EQ(inner.id, 2);
    EXPECT_EQ(inner.parent_id, 0);
    EXPECT_EQ(inner.x, 50U);  // the first lies at 40,20 and is 40x20
    EXPECT_EQ(inner.y, 25U);
    EXPECT_EQ(inner.w, 10U);
  }
}

TEST(Regions, AClassifierNamesWhatAnEarlierElementFound) {
  const Harness h = harness(inference("") + " ! " + inference("inference-region=roi", "classes"), kCaps);
  const Buffer out = push_and_pull(h.get(), flat_frame(kCaps, 7));
  auto* roi = gst_buffer_get_video_region_of_interest_meta_id(out.get(), 0);
  ASSERT_TRUE(roi);
  const GstStructure* params = gst_video_region_of_interest_meta_get_param(roi, "classification");
  ASSERT_TRUE(params);
  EXPECT_STREQ(gst_structure_get_string(params, "label"), "bicycle");
  double confidence = 0;
  EXPECT_TRUE(gst_structure_get_double(params, "confidence", &confidence));
  EXPECT_EQ(confidence, 0.75);
}

TEST(Regions, WithoutObjectsThereIsNothingToSee) {
  const Harness h = harness(inference("", "blind") + " ! " + inference("inference-region=roi"), kCaps);
  const Buffer out = push_and_pull(h.get(), flat_frame(kCaps, 7));
  gpointer state = nullptr;
  int metas = 0;
  while (GstMeta* meta = gst_buffer_iterate_meta_filtered(out.get(), &state, GST_CAFFE2_META_API_TYPE)) {
    const auto* seen = reinterpret_cast<GstCaffe2Meta*>(meta);
    EXPECT_TRUE(gst_caffe2_meta_get_inferred(seen));
    EXPECT_EQ(gst_caffe2_meta_get_n_objects(seen), 0U);
    metas++;
  }
  EXPECT_EQ(metas, 2);
}

TEST(Regions, RefusesWhatMakesNoSense) {
  for (const auto& [properties, says] :
       {std::pair{"roi=1,2,3", "roi: expected x,y,width,height in pixels, at least 2 a side, got '1,2,3'"},
        {"roi=1,2,3,x", "roi: expected"},
        {"roi=-1,2,3,4", "roi: expected"},
        {"roi=1,2,0,4", "roi: expected"},
        {"tiles=2", "tiles: expected columns x rows of 1 to 64, as in 2x2, got '2'"},
        {"tiles=0x1", "tiles: expected"},
        {"tiles=2x2x2", "tiles: expected"},
        {"tiles=2x2 inference-region=roi", "inference-region=roi looks at regions of objects"}}) {
    SCOPED_TRACE(properties);
    const Owned<GstElement> element(gst_parse_launch(inference(properties).c_str(), nullptr));
    const Errors errors(element.get());
    EXPECT_EQ(gst_element_set_state(element.get(), GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
    const auto error = errors.next();
    EXPECT_EQ(error.code, GST_RESOURCE_ERROR_SETTINGS);
    EXPECT_TRUE(error.text.starts_with(says)) << error.text;
  }
}

TEST(Regions, ARectangleOutsideThePictureIsAWarning) {
  const Harness h = harness(inference("roi=2000,2000,100,100"), kCaps);
  const Messages messages(h->element);
  for (int i = 0; i < 2; i++) {
    const Buffer out = push_and_pull(h.get(), flat_frame(kCaps, 7));
    EXPECT_EQ(gst_caffe2_meta_get_n_objects(gst_buffer_get_caffe2_meta(out.get())), 0U);
  }
  EXPECT_TRUE(messages.next_warning().starts_with("roi: 2000,2000,100,100 lies outside frames of"));
  EXPECT_FALSE(messages.next(GST_MESSAGE_WARNING));
}

TEST(Regions, MayChangeWhilePlayingAndKeepWhatMadeSense) {
  const Harness h = harness(inference(""), kCaps);
  const Messages messages(h->element);
  const Owned<GstElement> element(gst_harness_find_element(h.get(), "caffe2inference"));
  const auto regions = [&] {
    const Buffer out = push_and_pull(h.get(), flat_frame(kCaps, 7));
    return gst_caffe2_meta_get_n_regions(gst_buffer_get_caffe2_meta(out.get()));
  };
  EXPECT_EQ(regions(), 0U);
  g_object_set(element.get(), "tiles", "3x2", nullptr);
  EXPECT_EQ(regions(), 6U);
  g_object_set(element.get(), "tiles", "many", nullptr);
  EXPECT_EQ(regions(), 6U);
  EXPECT_TRUE(messages.next(GST_MESSAGE_WARNING));
  EXPECT_FALSE(messages.next(GST_MESSAGE_WARNING));
}

TEST(Metas, OnlyWhatWasAskedForIsAttached) {
  for (const char* metas : {"caffe2", "roi"}) {
    const Harness h = harness(inference(std::string("meta=") + metas), kCaps);
    const Buffer out = push_and_pull(h.get(), flat_frame(kCaps, 7));
    EXPECT_EQ(gst_buffer_get_caffe2_meta(out.get()) != nullptr, metas == std::string("caffe2"));
    EXPECT_EQ(gst_buffer_get_n_meta(out.get(), GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE),
              metas == std::string("roi") ? 2U : 0U);
  }
}

}  // namespace
}  // namespace caffe2rt::gst
