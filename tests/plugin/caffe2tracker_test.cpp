// caffe2tracker on frames that carry hand-made metadata, and behind caffe2inference.
#include <gmock/gmock.h>

#include "gst_test.h"
#include "meta.h"
#ifdef CAFFE2RT_ANALYTICS
#include <gst/analytics/analytics.h>
#endif

namespace caffe2rt::gst {
namespace {

using testing::HasSubstr;

constexpr int kWidth = 320, kHeight = 240;
const std::string kCaps = video("GRAY8", kWidth, kHeight);

struct Sighting {
  float x, y;  // centre, pixels
  float score = 0.9F;
};

std::shared_ptr<const Detections> detections_of(const std::vector<Sighting>& seen) {
  Detections detections;
  detections.width = kWidth;
  detections.height = kHeight;
  for (const Sighting& s : seen) {
    Object object;
    object.box = {s.x - 20, s.y - 20, s.x + 20, s.y + 20};
    object.score = s.score;
    detections.objects.push_back(object);
  }
  detections.labels = std::make_shared<const std::vector<std::string>>(std::vector<std::string>{"car"});
  return std::make_shared<const Detections>(std::move(detections));
}

// Regions as caffe2inference attaches them.
void attach_regions(GstBuffer* frame, const Detections& seen) {
  for (const Object& object : seen.objects) {
    const auto pixel = [](float edge) { return static_cast<guint>(edge); };
    gst_video_region_of_interest_meta_add_param(
        gst_buffer_add_video_region_of_interest_meta(frame, seen.label(object.class_id).c_str(),
                                                     pixel(object.box.x1), pixel(object.box.y1), 40, 40),
        gst_structure_new_empty("detection"));
  }
}

// A stream of frames at 10 a second through caffe2tracker.
class Caffe2Tracker : public testing::Test {
 protected:
  void open(const std::string& properties, const std::string& before = "") {
    harness_ = harness(before + "caffe2tracker name=tracker " + properties, kCaps);
    element_.reset(gst_bin_get_by_name(GST_BIN(harness_->element), "tracker"));
    messages_ = std::make_unique<Messages>(harness_->element);
  }
  void TearDown() override {
    messages_.reset();
    element_.reset();
  }

  Buffer push(GstCaffe2Look look, std::shared_ptr<const Detections> seen) {
    Buffer frame = flat_frame(kCaps, 7);
    GST_BUFFER_PTS(frame.get()) = frame_++ * 100 * GST_MSECOND;
    GST_BUFFER_DURATION(frame.get()) = 100 * GST_MSECOND;
    if (look == GST_CAFFE2_LOOK_INFERRED) attach_regions(frame.get(), *seen);
    attach(frame.get(), {std::move(seen), look, {}, kWidth, kHeight});
    return push_and_pull(harness_.get(), std::move(frame));
  }
  Buffer look(const std::vector<Sighting>& seen) {
    return push(GST_CAFFE2_LOOK_INFERRED, detections_of(seen));
  }
  Buffer skip(GstCaffe2Look why = GST_CAFFE2_LOOK_INTERVAL) { return push(why, detections_of({})); }

  Owned<GstMessage> message() const { return messages_->next(GST_MESSAGE_ELEMENT); }

  struct Unref {
    void operator()(GstElement* p) const { gst_object_unref(p); }
  };
  Harness harness_;
  std::unique_ptr<GstElement, Unref> element_;
  std::unique_ptr<Messages> messages_;
  int frame_ = 0;
};

std::vector<gint64> ids_of(const Buffer& frame) {
  std::vector<gint64> ids;
  const GstCaffe2Meta* meta = gst_buffer_get_caffe2_meta(frame.get());
  GstCaffe2Object object;
  for (guint i = 0; gst_caffe2_meta_get_object(meta, i, &object); i++) ids.push_back(object.track_id);
  return ids;
}

GstCaffe2Object first_object(const Buffer& frame) {
  GstCaffe2Object object{};
  EXPECT_TRUE(gst_caffe2_meta_get_object(gst_buffer_get_caffe2_meta(frame.get()), 0, &object));
  return object;
}

using Ids = std::vector<gint64>;

// Of the regions of interest, -1 where one has none.
Ids region_ids(const Buffer& frame) {
  Ids ids;
  gpointer state = nullptr;
  while (GstMeta* meta = gst_buffer_iterate_meta_filtered(frame.get(), &state,
                                                          GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE)) {
    gint id = -1;
    if (GstStructure* param = gst_video_region_of_interest_meta_get_param(
            reinterpret_cast<GstVideoRegionOfInterestMeta*>(meta), "object_id"))
      gst_structure_get_int(param, "id", &id);
    ids.push_back(id);
  }
  return ids;
}

TEST_F(Caffe2Tracker, IdsAreInTheMetadataAndTheRegions) {
  open("");
  EXPECT_EQ(ids_of(look({{50, 50}, {200, 100}})), (Ids{-1, -1}));
  const Buffer frame = look({{52, 50}, {200, 100}});
  EXPECT_EQ(ids_of(frame), (Ids{1, 2}));
  EXPECT_EQ(region_ids(frame), (Ids{1, 2}));
  EXPECT_EQ(first_object(frame).x1, 32);
}

TEST_F(Caffe2Tracker, FramesNotLookedAtGetExpectedObjectsAndRegions) {
  open("");
  for (int i = 0; i < 10; i++) look({{50.0F + 4 * i, 50}});
  for (const auto why : {GST_CAFFE2_LOOK_INTERVAL, GST_CAFFE2_LOOK_OVERRUN, GST_CAFFE2_LOOK_LATE}) {
    const float x = 50.0F + 4 * static_cast<float>(frame_);
    const Buffer frame = skip(why);
    EXPECT_EQ(ids_of(frame), (Ids{1}));
    EXPECT_EQ(region_ids(frame), (Ids{1}));
    EXPECT_NEAR(first_object(frame).x1, x - 20, 4);
    EXPECT_EQ(gst_caffe2_meta_get_look(gst_buffer_get_caffe2_meta(frame.get())), why);
  }
  EXPECT_EQ(ids_of(skip(GST_CAFFE2_LOOK_GAP)), Ids{});
}

TEST_F(Caffe2Tracker, BeforeTheFirstLookNothingIsExpected) {
  open("zones=all:0,0,100%,0,100%,100%,0,100%");
  const Buffer frame = skip();
  EXPECT_EQ(ids_of(frame), Ids{});
  GstCaffe2Zone zone;
  EXPECT_TRUE(gst_caffe2_meta_get_zone(gst_buffer_get_caffe2_meta(frame.get()), 0, &zone));
  EXPECT_EQ(zone.inside, 0);
}

TEST_F(Caffe2Tracker, DroppingTakesRegionsAwayToo) {
  open("drop-untracked=true");
  EXPECT_EQ(region_ids(look({{50, 50}})), Ids{});
  const Buffer frame = look({{50, 50}, {200, 100, 0.3F}});
  EXPECT_EQ(ids_of(frame), (Ids{1}));
  EXPECT_EQ(region_ids(frame), (Ids{1}));
}

TEST_F(Caffe2Tracker, LinesAreCountedInMetadataAndMessages) {
  open("lines=gate:0%,50%,100%,50% anchor=center min-hits=1");
  look({{100, 90}});
  look({{100, 104}});
  EXPECT_FALSE(message());
  const Buffer frame = look({{100, 125}});
  const GstCaffe2Meta* meta = gst_buffer_get_caffe2_meta(frame.get());
  GstCaffe2Line line;
  ASSERT_EQ(gst_caffe2_meta_get_n_lines(meta), 1U);
  ASSERT_TRUE(gst_caffe2_meta_get_line(meta, 0, &line));
  EXPECT_STREQ(line.name, "gate");
  EXPECT_EQ(line.y1, 120);
  EXPECT_EQ(line.x2, 320);
  EXPECT_EQ(line.forward, 1);
  GstCaffe2Crossing crossing;
  ASSERT_EQ(gst_caffe2_meta_get_n_crossings(meta), 1U);
  ASSERT_TRUE(gst_caffe2_meta_get_crossing(meta, 0, &crossing));
  EXPECT_EQ(crossing.kind, GST_CAFFE2_CROSSING_FORWARD);
  EXPECT_EQ(crossing.track_id, 1);
  EXPECT_EQ(crossing.y, 125);

  const Owned<GstMessage> message = this->message();
  ASSERT_TRUE(message);
  EXPECT_EQ(GST_MESSAGE_SRC(message.get()), GST_OBJECT(element_.get()));
  const GstStructure* said = gst_message_get_structure(message.get());
  EXPECT_TRUE(gst_structure_has_name(said, "caffe2-line-crossed"));
  EXPECT_STREQ(gst_structure_get_string(said, "direction"), "forward");
  EXPECT_STREQ(gst_structure_get_string(said, "label"), "car");
  EXPECT_STREQ(gst_structure_get_string(said, "text"),
               "gate: car #1 crossed forward (1 forward, 0 backward)");
  guint64 when = 0;
  EXPECT_TRUE(gst_structure_get_uint64(said, "running-time", &when));
  EXPECT_EQ(when, 200 * GST_MSECOND);
  EXPECT_FALSE(this->message());

  const Buffer later = skip();  // the count stays, the crossing was then
  const GstCaffe2Meta* now = gst_buffer_get_caffe2_meta(later.get());
  ASSERT_TRUE(gst_caffe2_meta_get_line(now, 0, &line));
  EXPECT_EQ(line.forward, 1);
  EXPECT_EQ(gst_caffe2_meta_get_n_crossings(now), 0U);
  EXPECT_FALSE(this->message());
}

TEST_F(Caffe2Tracker, ACrossingIsAnnouncedOnceWhateverFollows) {
  for (const auto why : {GST_CAFFE2_LOOK_GAP, GST_CAFFE2_LOOK_INTERVAL}) {
    frame_ = 0;
    open("lines=gate:0%,50%,100%,50% anchor=center min-hits=1");
    look({{100, 104}});
    look({{100, 125}});
    EXPECT_TRUE(message());
    skip(why);
    EXPECT_FALSE(message()) << why;
    TearDown();
  }
}

TEST_F(Caffe2Tracker, ZonesAreEnteredAndLeft) {
  open("zones=yard:0,0,160,0,160,240,0,240 anchor=center min-hits=1");
  look({{140, 60}});
  Owned<GstMessage> said = message();
  ASSERT_TRUE(said);
  EXPECT_STREQ(gst_structure_get_string(gst_message_get_structure(said.get()), "text"),
               "yard: car #1 entered (1 inside)");
  look({{150, 60}});
  const Buffer frame = look({{170, 60}});
  said = message();
  ASSERT_TRUE(said);
  EXPECT_STREQ(gst_structure_get_string(gst_message_get_structure(said.get()), "text"),
               "yard: car #1 left after 0.2 s (0 inside)");
  const GstCaffe2Meta* meta = gst_buffer_get_caffe2_meta(frame.get());
  GstCaffe2Zone zone;
  ASSERT_EQ(gst_caffe2_meta_get_n_zones(meta), 1U);
  ASSERT_TRUE(gst_caffe2_meta_get_zone(meta, 0, &zone));
  EXPECT_EQ(zone.left, 1);
  EXPECT_EQ(zone.n_corners, 4U);
  gdouble x = 0, y = 0;
  EXPECT_TRUE(gst_caffe2_meta_get_zone_corner(meta, 0, 2, &x, &y));
  EXPECT_EQ(x, 160);
  EXPECT_FALSE(gst_caffe2_meta_get_zone_corner(meta, 0, 4, &x, &y));
}

TEST_F(Caffe2Tracker, AWrongZoneIsAnErrorOfSettings) {
  open("");
  gst_element_set_state(harness_->element, GST_STATE_NULL);
  const Errors errors(harness_->element);
  g_object_set(element_.get(), "zones", "yard:1,2", nullptr);
  EXPECT_EQ(gst_element_set_state(harness_->element, GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
  const auto error = errors.next();
  EXPECT_EQ(error.domain, g_quark_to_string(GST_RESOURCE_ERROR));
  EXPECT_EQ(error.code, GST_RESOURCE_ERROR_SETTINGS);
  EXPECT_THAT(error.text, HasSubstr("zones: expected name:x1,y1,x2,y2,x3,y3"));
  EXPECT_THAT(error.text, HasSubstr("got 'yard:1,2'"));
}

TEST_F(Caffe2Tracker, WhilePlayingAWrongZoneIsAWarningAndTheOldOnesStay) {
  open("lines=gate:0,120,320,120");
  look({});
  g_object_set(element_.get(), "lines", "gate:0,120", nullptr);
  const Buffer frame = look({});
  EXPECT_EQ(gst_caffe2_meta_get_n_lines(gst_buffer_get_caffe2_meta(frame.get())), 1U);
  EXPECT_TRUE(messages_->next(GST_MESSAGE_WARNING));
  g_object_set(element_.get(), "lines", "a:0,0,9,9;b:0,0,8,8", nullptr);
  const Buffer next = look({});
  EXPECT_EQ(gst_caffe2_meta_get_n_lines(gst_buffer_get_caffe2_meta(next.get())), 2U);
  EXPECT_FALSE(messages_->next(GST_MESSAGE_WARNING));
}

TEST_F(Caffe2Tracker, FramesWithoutMetadataPassWithOneWarning) {
  open("");
  for (int i = 0; i < 3; i++) EXPECT_TRUE(push_and_pull(harness_.get(), flat_frame(kCaps, 7)));
  EXPECT_TRUE(messages_->next(GST_MESSAGE_WARNING));
  EXPECT_FALSE(messages_->next(GST_MESSAGE_WARNING));
}

TEST_F(Caffe2Tracker, AFlushForgetsTracksButNotIds) {
  open("");
  for (int i = 0; i < 3; i++) look({{50, 50}});
  gst_harness_push_event(harness_.get(), gst_event_new_flush_start());
  gst_harness_push_event(harness_.get(), gst_event_new_flush_stop(TRUE));
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  gst_harness_push_event(harness_.get(), gst_event_new_segment(&segment));
  EXPECT_EQ(ids_of(look({{50, 50}})), (Ids{-1}));
  EXPECT_EQ(ids_of(look({{50, 50}})), (Ids{2}));
}

TEST_F(Caffe2Tracker, WhoIsInAZoneHasLeftItAfterAFlush) {
  open("zones=yard:0,0,160,0,160,240,0,240 anchor=center min-hits=1");
  look({{140, 60}});
  EXPECT_TRUE(message());
  gst_harness_push_event(harness_.get(), gst_event_new_flush_start());
  gst_harness_push_event(harness_.get(), gst_event_new_flush_stop(TRUE));
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  gst_harness_push_event(harness_.get(), gst_event_new_segment(&segment));
  look({{300, 60}});
  const Owned<GstMessage> said = message();
  ASSERT_TRUE(said);
  EXPECT_THAT(gst_structure_get_string(gst_message_get_structure(said.get()), "text"),
              HasSubstr("yard: car #1 left"));
  EXPECT_FALSE(message());
}

TEST_F(Caffe2Tracker, ARestartBeginsAnew) {
  open("");
  for (int i = 0; i < 3; i++) look({{50, 50}});
  gst_element_set_state(harness_->element, GST_STATE_READY);
  gst_element_set_state(harness_->element, GST_STATE_PLAYING);
  gst_harness_set_src_caps_str(harness_.get(), kCaps.c_str());
  look({{50, 50}});
  EXPECT_EQ(ids_of(look({{50, 50}})), (Ids{1}));
}

TEST_F(Caffe2Tracker, FollowsCaffe2InferenceWithAnInterval) {
  open("", "caffe2inference predict-net=fake init-net=fake drop-policy=block inference-interval=2 ! ");
  const auto next = [&] {
    Buffer frame = flat_frame(kCaps, 7);
    GST_BUFFER_PTS(frame.get()) = frame_++ * 100 * GST_MSECOND;
    return push_and_pull(harness_.get(), std::move(frame));
  };
  for (int i = 0; i < 2; i++) next();
  for (int i = 0; i < 6; i++) {
    const Buffer frame = next();
    // The second object's score is too low to begin a track.
    EXPECT_EQ(ids_of(frame), i % 2 == 0 ? (Ids{1, -1}) : (Ids{1})) << i;
    EXPECT_EQ(region_ids(frame), ids_of(frame)) << i;
    EXPECT_TRUE(first_object(frame).has_mask);
  }
}

#ifdef CAFFE2RT_ANALYTICS
TEST_F(Caffe2Tracker, TracksAreInGStreamersOwnMetadata) {
  open("", "caffe2inference predict-net=fake init-net=fake drop-policy=block inference-interval=2 ! ");
  for (int i = 0; i < 6; i++) {
    Buffer in = flat_frame(kCaps, 7);
    GST_BUFFER_PTS(in.get()) = frame_++ * 100 * GST_MSECOND;
    const Buffer frame = push_and_pull(harness_.get(), std::move(in));
    GstAnalyticsRelationMeta* meta = gst_buffer_get_analytics_relation_meta(frame.get());
    ASSERT_TRUE(meta) << i;
    std::vector<guint64> ids;
    gpointer state = nullptr;
    GstAnalyticsODMtd od;
    while (gst_analytics_relation_meta_iterate(meta, &state, gst_analytics_od_mtd_get_mtd_type(), &od)) {
      GstAnalyticsTrackingMtd track;
      gpointer related = nullptr;
      if (!gst_analytics_relation_meta_get_direct_related(meta, od.id, GST_ANALYTICS_REL_TYPE_RELATE_TO,
                                                          gst_analytics_tracking_mtd_get_mtd_type(), &related,
                                                          &track))
        continue;
      guint64 id = 0;
      GstClockTime first = 0, last = 0;
      gboolean lost = TRUE;
      ASSERT_TRUE(gst_analytics_tracking_mtd_get_info(&track, &id, &first, &last, &lost));
      EXPECT_EQ(first, 200 * GST_MSECOND);  // when it got its id
      EXPECT_EQ(last, i * 100 * GST_MSECOND);
      EXPECT_FALSE(lost);
      ids.push_back(id);
    }
    EXPECT_EQ(ids.size(), i >= 2 ? 1U : 0U) << i;
  }
}
#endif

}  // namespace
}  // namespace caffe2rt::gst
