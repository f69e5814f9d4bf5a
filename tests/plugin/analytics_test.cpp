// GStreamer's own metadata of what is seen, where GStreamer has it (1.24), read back as its elements do.
#include "gst_test.h"

#ifdef CAFFE2RT_ANALYTICS
#include <gst/analytics/analytics.h>

#include <algorithm>

namespace caffe2rt::gst {
namespace {

const std::string kCaps = video("BGR", 160, 80);

std::string inference(const std::string& properties, const std::string& net = "fake") {
  return "caffe2inference drop-policy=block init-net=fake predict-net=" + net + " " + properties;
}

GstAnalyticsRelationMeta* relations(const Buffer& frame) {
  return gst_buffer_get_analytics_relation_meta(frame.get());
}

template <class Mtd>
std::vector<Mtd> all(GstAnalyticsRelationMeta* meta, GstAnalyticsMtdType type) {
  std::vector<Mtd> found;
  gpointer state = nullptr;
  Mtd mtd;
  while (gst_analytics_relation_meta_iterate(meta, &state, type, &mtd)) found.push_back(mtd);
  return found;
}

std::vector<GstAnalyticsODMtd> boxes(GstAnalyticsRelationMeta* meta) {
  return all<GstAnalyticsODMtd>(meta, gst_analytics_od_mtd_get_mtd_type());
}

// The only one of that type that `id` has that relation to.
template <class Mtd>
Mtd related(GstAnalyticsRelationMeta* meta, guint id, GstAnalyticsRelTypes relation,
            GstAnalyticsMtdType type) {
  Mtd mtd{};
  gpointer state = nullptr;
  EXPECT_TRUE(gst_analytics_relation_meta_get_direct_related(meta, id, relation, type, &state, &mtd));
  return mtd;
}

void expect_location(const GstAnalyticsODMtd& od, int x, int y, int w, int h) {
  int at[4];
  gfloat confidence = 0;
  ASSERT_TRUE(gst_analytics_od_mtd_get_location(&od, &at[0], &at[1], &at[2], &at[3], &confidence));
  EXPECT_EQ(at[0], x);
  EXPECT_EQ(at[1], y);
  EXPECT_EQ(at[2], w);
  EXPECT_EQ(at[3], h);
}

TEST(Analytics, ObjectsAreBoxesWithTheirClasses) {
  const Harness h = harness(inference(""), kCaps);
  const Buffer out = push_and_pull(h.get(), flat_frame(kCaps, 7));
  GstAnalyticsRelationMeta* meta = relations(out);
  ASSERT_TRUE(meta);
  const auto seen = boxes(meta);
  ASSERT_EQ(seen.size(), 2U);
  expect_location(seen[0], 40, 20, 40, 20);
  EXPECT_STREQ(g_quark_to_string(gst_analytics_od_mtd_get_obj_type(&seen[0])), "car");
  gfloat confidence = 0;
  EXPECT_TRUE(gst_analytics_od_mtd_get_confidence_lvl(&seen[0], &confidence));
  EXPECT_EQ(confidence, 0.9F);
  const auto cls = related<GstAnalyticsClsMtd>(meta, seen[0].id, GST_ANALYTICS_REL_TYPE_RELATE_TO,
                                               gst_analytics_cls_mtd_get_mtd_type());
  EXPECT_STREQ(g_quark_to_string(gst_analytics_cls_mtd_get_quark(&cls, 0)), "car");
  const auto back = related<GstAnalyticsODMtd>(meta, cls.id, GST_ANALYTICS_REL_TYPE_RELATE_TO,
                                               gst_analytics_od_mtd_get_mtd_type());
  EXPECT_EQ(back.id, seen[0].id);
}

TEST(Analytics, TheMetadataThatIsThereIsAddedTo) {
  const Harness h = harness(
      inference("") + " ! " + inference("inference-region=roi object-class=car threshold=0.5"), kCaps);
  const Buffer out = push_and_pull(h.get(), flat_frame(kCaps, 7));
  EXPECT_EQ(gst_buffer_get_n_meta(out.get(), GST_ANALYTICS_RELATION_META_API_TYPE), 1U);
  GstAnalyticsRelationMeta* meta = relations(out);
  const auto seen = boxes(meta);
  ASSERT_EQ(seen.size(), 3U);
  expect_location(seen[2], 50, 25, 10, 5);
  const auto whole = related<GstAnalyticsODMtd>(meta, seen[2].id, GST_ANALYTICS_REL_TYPE_IS_PART_OF,
                                                gst_analytics_od_mtd_get_mtd_type());
  EXPECT_EQ(whole.id, seen[0].id);
}

TEST(Analytics, AClassifiersClassesRelateToTheirRegion) {
  const Harness h = harness(
      inference("threshold=0.5") + " ! " + inference("inference-region=roi threshold=0.95", "classes"),
      kCaps);
  const Buffer out = push_and_pull(h.get(), flat_frame(kCaps, 7));
  GstAnalyticsRelationMeta* meta = relations(out);
  const auto seen = boxes(meta);
  ASSERT_EQ(seen.size(), 1U);
  gpointer state = nullptr;
  GstAnalyticsClsMtd cls;
  std::vector<std::string> labels;
  while (gst_analytics_relation_meta_get_direct_related(meta, seen[0].id, GST_ANALYTICS_REL_TYPE_RELATE_TO,
                                                        gst_analytics_cls_mtd_get_mtd_type(), &state, &cls))
    labels.emplace_back(g_quark_to_string(gst_analytics_cls_mtd_get_quark(&cls, 0)));
  EXPECT_EQ(labels, (std::vector<std::string>{"car", "bicycle"}));
}

TEST(Analytics, NothingIsAttachedThatWasNotAskedFor) {
  const Harness h = harness(inference("meta=roi"), kCaps);
  EXPECT_FALSE(relations(push_and_pull(h.get(), flat_frame(kCaps, 7))));
}

#if GST_CHECK_VERSION(1, 26, 0)

std::vector<GstAnalyticsSegmentationMtd> masks(GstAnalyticsRelationMeta* meta) {
  return all<GstAnalyticsSegmentationMtd>(meta, gst_analytics_segmentation_mtd_get_mtd_type());
}

TEST(Analytics, MasksAreThereOnRequestAlone) {
  for (const bool wanted : {false, true}) {
    const Harness h = harness(inference(wanted ? "meta=analytics+analytics-masks" : "meta=analytics"), kCaps);
    const Buffer out = push_and_pull(h.get(), flat_frame(kCaps, 7));
    GstAnalyticsRelationMeta* meta = relations(out);
    const auto seen = masks(meta);
    ASSERT_EQ(seen.size(), wanted ? 2U : 0U);
    if (!wanted) continue;
    GstAnalyticsSegmentationMtd mtd = seen[0];
    gint x = 0, y = 0;
    guint w = 0, height = 0;
    const Buffer mask(gst_analytics_segmentation_mtd_get_mask(&mtd, &x, &y, &w, &height));
    ASSERT_TRUE(mask);
    const GstVideoMeta* picture = gst_buffer_get_video_meta(mask.get());
    ASSERT_TRUE(picture);
    EXPECT_EQ(picture->format, GST_VIDEO_FORMAT_GRAY8);
    EXPECT_EQ(picture->width, w);
    EXPECT_EQ(picture->stride[0], static_cast<gint>(w));
    EXPECT_EQ(gst_buffer_get_size(mask.get()), w * height);
    EXPECT_EQ(gst_analytics_segmentation_mtd_get_region_count(&mtd), 1U);
    EXPECT_TRUE(gst_analytics_segmentation_mtd_get_region_id(&mtd, 0) == 255);
    // A pixel in the middle of the car, as our own metadata was to tell it.
    EXPECT_EQ(bytes_of(mask.get())[(30 - y) * w + 60 - x], 255);
    const auto od = related<GstAnalyticsODMtd>(meta, mtd.id, GST_ANALYTICS_REL_TYPE_RELATE_TO,
                                               gst_analytics_od_mtd_get_mtd_type());
    EXPECT_EQ(od.id, boxes(meta)[0].id);
  }
}

TEST(Analytics, PanopticSegmentsAreRegionsWithClasses) {
  const Harness h = harness(inference("meta=analytics+analytics-masks threshold=0.95", "panoptic"), kCaps);
  const Buffer out = push_and_pull(h.get(), flat_frame(kCaps, 7));
  GstAnalyticsRelationMeta* meta = relations(out);
  const auto seen = masks(meta);
  ASSERT_EQ(seen.size(), 1U);
  GstAnalyticsSegmentationMtd mtd = seen[0];
  ASSERT_EQ(gst_analytics_segmentation_mtd_get_region_count(&mtd), 2U);
  const Buffer map(gst_analytics_segmentation_mtd_get_mask(&mtd, nullptr, nullptr, nullptr, nullptr));
  const auto pixels = bytes_of(map.get());
  ASSERT_EQ(pixels.size(), 160U * 80);
  EXPECT_EQ(pixels.front(), 0);
  EXPECT_EQ(pixels.back(), 2);
  const auto cls = related<GstAnalyticsClsMtd>(meta, mtd.id, GST_ANALYTICS_REL_TYPE_N_TO_N,
                                               gst_analytics_cls_mtd_get_mtd_type());
  EXPECT_STREQ(g_quark_to_string(gst_analytics_cls_mtd_get_quark(&cls, 0)), "person");
  EXPECT_STREQ(g_quark_to_string(gst_analytics_cls_mtd_get_quark(&cls, 1)), "stuff 3");
}

TEST(Analytics, RotatedBoxesAreOriented) {
  const Harness h = harness(inference("", "rotated"), kCaps);
  const Buffer out = push_and_pull(h.get(), flat_frame(kCaps, 7));
  const auto seen = boxes(relations(out));
  gint x = 0, y = 0, w = 0, height = 0;
  gfloat r = 0, confidence = 0;
  ASSERT_TRUE(gst_analytics_od_mtd_get_oriented_location(&seen[0], &x, &y, &w, &height, &r, &confidence));
  EXPECT_EQ(x, 60);  // 40 x 20 around 80,40
  EXPECT_EQ(y, 30);
  EXPECT_EQ(w, 40);
  EXPECT_EQ(height, 20);
  EXPECT_NEAR(r, -G_PI / 6, 1e-6);  // 30 degrees counter-clockwise
}

TEST(Analytics, TheStockOverlayDrawsIt) {
  const std::string caps = video("AYUV", 160, 80);
  const Harness h = harness("videoconvert ! video/x-raw,format=BGRA ! " + inference("meta=analytics") +
                                " ! videoconvert ! objectdetectionoverlay ! videoconvert ! capsfilter "
                                "caps=video/x-raw,format=GRAY8",
                            caps);
  const auto pixels = bytes_of(push_and_pull(h.get(), flat_frame(caps, 0)).get());
  const auto [least, most] = std::ranges::minmax(pixels);
  EXPECT_NE(least, most);  // the frame was of one colour
}

#endif

}  // namespace
}  // namespace caffe2rt::gst

#endif
