// How caffe2inference behaves as part of a stream: order, overload, latency, flushes, and what goes wrong
// downstream. "slow-N" is a model that takes N ms (fake_engine.cpp).
#include <future>

#include "gst_test.h"

namespace caffe2rt::gst {
namespace {

const std::string kCaps = video("GRAY8", 8, 8);

std::string inference(const std::string& properties, const std::string& net = "fake") {
  return "caffe2inference name=i init-net=fake predict-net=" + net + " " + properties;
}

struct ObjectUnref {
  void operator()(GstElement* p) const { gst_object_unref(p); }
};
using Element = std::unique_ptr<GstElement, ObjectUnref>;

Element find(const Harness& h) { return Element(gst_harness_find_element(h.get(), "caffe2inference")); }

guint64 counter(GstElement* element, const char* name) {
  guint64 value = 0;
  g_object_get(element, name, &value, nullptr);
  return value;
}

// A frame that begins `index` tenths of a second into the stream.
GstBuffer* frame(int index) {
  GstBuffer* buffer = flat_frame(kCaps, 7).release();
  GST_BUFFER_PTS(buffer) = index * (GST_SECOND / 10);
  GST_BUFFER_DURATION(buffer) = GST_SECOND / 10;
  return buffer;
}

GstCaffe2Look look_of(GstBuffer* buffer) {
  return gst_caffe2_meta_get_look(gst_buffer_get_caffe2_meta(buffer));
}

TEST(Streaming, FramesKeepOrderTimesFlagsAndForeignMetadata) {
  const Harness h = harness(inference("drop-policy=block workers=3 threads=1", "slow-2"), kCaps);
  for (int i = 0; i < 12; i++) {
    GstBuffer* in = frame(i);
    GST_BUFFER_DTS(in) = 3;
    GST_BUFFER_FLAG_SET(in, GST_BUFFER_FLAG_MARKER);
    gst_buffer_add_video_time_code_meta_full(in, 10, 1, nullptr, GST_VIDEO_TIME_CODE_FLAGS_NONE, 1, 2, 3,
                                             i % 10, 0);
    ASSERT_EQ(gst_harness_push(h.get(), in), GST_FLOW_OK);
  }
  for (int i = 0; i < 12; i++) {
    const Buffer out(gst_harness_pull(h.get()));
    ASSERT_TRUE(out);
    EXPECT_EQ(GST_BUFFER_PTS(out.get()), i * (GST_SECOND / 10));
    EXPECT_EQ(GST_BUFFER_DTS(out.get()), 3U);
    EXPECT_EQ(GST_BUFFER_DURATION(out.get()), GST_SECOND / 10);
    EXPECT_TRUE(GST_BUFFER_FLAG_IS_SET(out.get(), GST_BUFFER_FLAG_MARKER));
    EXPECT_TRUE(gst_buffer_get_video_time_code_meta(out.get()));
    EXPECT_EQ(look_of(out.get()), GST_CAFFE2_LOOK_INFERRED);
  }
}

TEST(Streaming, BlockLooksAtEveryFrameWhateverTheSinkSaysOfQos) {
  const Harness h = harness(inference("drop-policy=block", "slow-2"), kCaps);
  const guint before = gst_harness_upstream_events_received(h.get());
  gst_harness_push_upstream_event(h.get(),
                                  gst_event_new_qos(GST_QOS_TYPE_UNDERFLOW, 2, GST_SECOND, GST_SECOND));
  for (int i = 0; i < 10; i++) gst_harness_push(h.get(), frame(i));
  for (int i = 0; i < 10; i++) {
    const Buffer out(gst_harness_pull(h.get()));
    EXPECT_EQ(look_of(out.get()), GST_CAFFE2_LOOK_INFERRED);
  }
  EXPECT_EQ(gst_harness_upstream_events_received(h.get()), before);
  EXPECT_EQ(counter(find(h).get(), "frames-inferred"), 10U);
}

// Of a file that a window shows at its own pace.
TEST(Streaming, AutoLooksAtEveryFrameThatComesAndLetsDecodersCatchUp) {
  const Harness h = harness(inference("", "slow-2"), kCaps);
  const guint before = gst_harness_upstream_events_received(h.get());
  gst_harness_push_upstream_event(h.get(),
                                  gst_event_new_qos(GST_QOS_TYPE_UNDERFLOW, 2, GST_SECOND, GST_SECOND));
  EXPECT_EQ(gst_harness_upstream_events_received(h.get()), before + 1);
  for (int i = 0; i < 3; i++) {
    gst_harness_push(h.get(), frame(i));
    const Buffer out(gst_harness_pull(h.get()));
    EXPECT_EQ(look_of(out.get()), GST_CAFFE2_LOOK_INFERRED);
  }
}

TEST(Streaming, NewestDoesNotKeepALiveStreamWaiting) {
  const Harness h = harness(inference("drop-policy=newest", "slow-100"), kCaps);
  for (int i = 0; i < 10; i++) gst_harness_push(h.get(), frame(i));
  int seen = 0;
  for (int i = 0; i < 10; i++) {
    const Buffer out(gst_harness_pull(h.get()));
    ASSERT_TRUE(out);
    EXPECT_EQ(GST_BUFFER_PTS(out.get()), i * (GST_SECOND / 10));
    const GstCaffe2Look look = look_of(out.get());
    EXPECT_TRUE(look == GST_CAFFE2_LOOK_INFERRED || look == GST_CAFFE2_LOOK_OVERRUN);
    seen += look == GST_CAFFE2_LOOK_INFERRED;
  }
  const auto element = find(h);
  EXPECT_GE(seen, 2);
  EXPECT_LT(seen, 10);
  EXPECT_EQ(counter(element.get(), "frames-in"), 10U);
  EXPECT_EQ(counter(element.get(), "frames-inferred"), static_cast<guint64>(seen));
  EXPECT_EQ(counter(element.get(), "frames-passed"), static_cast<guint64>(10 - seen));
  EXPECT_EQ(counter(element.get(), "frames-dropped"), 0U);
}

TEST(Streaming, OrDropsWhatTheModelHasNoTimeFor) {
  const Harness h = harness(inference("drop-policy=newest on-drop=drop", "slow-50"), kCaps);
  const Messages messages(h->element);
  for (int i = 0; i < 20; i++) gst_harness_push(h.get(), frame(i));
  gst_harness_push_event(h.get(), gst_event_new_eos());
  EXPECT_TRUE(await_event(h.get(), GST_EVENT_EOS));
  const auto element = find(h);
  EXPECT_EQ(counter(element.get(), "frames-in"), 20U);
  EXPECT_GE(counter(element.get(), "frames-dropped"), 10U);
  EXPECT_EQ(counter(element.get(), "frames-dropped") + counter(element.get(), "frames-inferred"), 20U);
  EXPECT_EQ(gst_harness_buffers_received(h.get()), counter(element.get(), "frames-inferred"));
  const Buffer last = [&] {
    Buffer out;
    while (GstBuffer* next = gst_harness_try_pull(h.get())) out.reset(next);
    return out;
  }();
  EXPECT_EQ(GST_BUFFER_PTS(last.get()), 19 * (GST_SECOND / 10));
  const auto message = messages.next(GST_MESSAGE_QOS);
  ASSERT_TRUE(message);
  guint64 dropped = 0;
  gst_message_parse_qos_stats(message.get(), nullptr, nullptr, &dropped);
  EXPECT_GT(dropped, 0U);
}

// The harness says that it is live.
TEST(Streaming, AutoIsNewestWhereThePipelineIsLive) {
  const Harness live = harness(inference("", "slow-50"), kCaps);
  for (int i = 0; i < 10; i++) gst_harness_push(live.get(), frame(i));
  for (int i = 0; i < 10; i++) Buffer(gst_harness_pull(live.get()));
  EXPECT_GT(counter(find(live).get(), "frames-passed"), 0U);

  const Owned<GstElement> file(
      gst_parse_launch(("videotestsrc num-buffers=10 ! video/x-raw,width=8,height=8 ! " +
                        inference("", "slow-5") + " ! fakesink")
                           .c_str(),
                       nullptr));
  gst_element_set_state(file.get(), GST_STATE_PLAYING);
  const Owned<GstBus> bus(gst_element_get_bus(file.get()));
  gst_message_unref(gst_bus_timed_pop_filtered(bus.get(), GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS));
  const Owned<GstElement> element(gst_bin_get_by_name(GST_BIN(file.get()), "i"));
  EXPECT_EQ(counter(element.get(), "frames-inferred"), 10U);
}

TEST(Streaming, LooksAtEverySoManiethFrame) {
  const Harness h = harness(inference("drop-policy=block inference-interval=3"), kCaps);
  for (int i = 0; i < 7; i++) {
    const Buffer out = push_and_pull(h.get(), Buffer(frame(i)));
    EXPECT_EQ(look_of(out.get()), i % 3 == 0 ? GST_CAFFE2_LOOK_INFERRED : GST_CAFFE2_LOOK_INTERVAL) << i;
  }
  g_object_set(find(h).get(), "inference-interval", 1, nullptr);
  const Buffer out = push_and_pull(h.get(), Buffer(frame(7)));
  EXPECT_EQ(look_of(out.get()), GST_CAFFE2_LOOK_INFERRED);
}

TEST(Streaming, LateFramesPassWithoutInferenceAndAreReported) {
  const Harness h = harness(inference("drop-policy=newest"), kCaps);
  const Messages messages(h->element);
  EXPECT_TRUE(push_and_pull(h.get(), Buffer(frame(0))));
  gst_harness_push_upstream_event(h.get(),
                                  gst_event_new_qos(GST_QOS_TYPE_UNDERFLOW, 2, GST_SECOND, GST_SECOND / 10));
  EXPECT_EQ(look_of(push_and_pull(h.get(), Buffer(frame(5))).get()), GST_CAFFE2_LOOK_LATE);
  EXPECT_EQ(look_of(push_and_pull(h.get(), Buffer(frame(12))).get()), GST_CAFFE2_LOOK_INFERRED);
  const auto message = messages.next(GST_MESSAGE_QOS);
  ASSERT_TRUE(message);
  guint64 running = 0, processed = 0;
  gst_message_parse_qos(message.get(), nullptr, &running, nullptr, nullptr, nullptr);
  gst_message_parse_qos_stats(message.get(), nullptr, &processed, nullptr);
  EXPECT_EQ(running, 5 * (GST_SECOND / 10));
  EXPECT_EQ(processed, 1U);
  g_object_set(find(h).get(), "qos", FALSE, nullptr);
  EXPECT_EQ(look_of(push_and_pull(h.get(), Buffer(frame(6))).get()), GST_CAFFE2_LOOK_INFERRED);
}

TEST(Streaming, EosComesAfterTheLastFrame) {
  const Harness h = harness(inference("drop-policy=block queue-size=4", "slow-10"), kCaps);
  for (int i = 0; i < 4; i++) gst_harness_push(h.get(), frame(i));
  gst_harness_push_event(h.get(), gst_event_new_eos());
  EXPECT_TRUE(await_event(h.get(), GST_EVENT_EOS));
  EXPECT_EQ(gst_harness_buffers_received(h.get()), 4U);
}

TEST(Streaming, AFlushDiscardsAtOnceAndLetsTheStreamGoOn) {
  const Harness h = harness(inference("drop-policy=block", "slow-400"), kCaps);
  gst_harness_push(h.get(), frame(0));
  gst_harness_push(h.get(), frame(1));
  auto blocked = std::async(std::launch::async, [&] { return gst_harness_push(h.get(), frame(2)); });
  EXPECT_EQ(blocked.wait_for(std::chrono::milliseconds(10)), std::future_status::timeout);
  gst_harness_push_event(h.get(), gst_event_new_flush_start());
  EXPECT_EQ(blocked.get(), GST_FLOW_FLUSHING);
  gst_harness_push_event(h.get(), gst_event_new_flush_stop(TRUE));
  EXPECT_EQ(gst_harness_buffers_received(h.get()), 0U);
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  gst_harness_push_event(h.get(), gst_event_new_segment(&segment));
  const Buffer out = push_and_pull(h.get(), Buffer(frame(5)));
  EXPECT_EQ(GST_BUFFER_PTS(out.get()), 5 * (GST_SECOND / 10));
  EXPECT_EQ(counter(find(h).get(), "frames-dropped"), 2U);
}

// The asker of a query that waits behind frames is let go by a flush.
TEST(Streaming, SerialisedQueriesKeepOrderAndEndWithAFlush) {
  const Harness h = harness(inference("drop-policy=block queue-size=8", "slow-400"), kCaps);
  for (int i = 0; i < 3; i++) gst_harness_push(h.get(), frame(i));
  auto asked = std::async(std::launch::async, [&] {
    GstQuery* query = gst_query_new_drain();
    const bool answered = gst_pad_peer_query(h->srcpad, query);
    gst_query_unref(query);
    return answered;
  });
  EXPECT_EQ(asked.wait_for(std::chrono::milliseconds(10)), std::future_status::timeout);
  gst_harness_push_event(h.get(), gst_event_new_flush_start());
  EXPECT_FALSE(asked.get());
  gst_harness_push_event(h.get(), gst_event_new_flush_stop(TRUE));
}

TEST(Streaming, CapsAndSegmentsStayBetweenTheirFrames) {
  const Harness h = harness(inference("drop-policy=block queue-size=8", "slow-5"), kCaps);
  gst_harness_push(h.get(), frame(0));
  gst_harness_set_src_caps_str(h.get(), video("GRAY8", 16, 4).c_str());
  gst_harness_push(h.get(), flat_frame(video("GRAY8", 16, 4), 7).release());
  std::vector<int> widths;
  for (int i = 0; i < 2; i++) {
    const Buffer out(gst_harness_pull(h.get()));
    int width = 0;
    gst_caffe2_meta_get_frame_size(gst_buffer_get_caffe2_meta(out.get()), &width, nullptr);
    widths.push_back(width);
    EXPECT_EQ(gst_buffer_get_size(out.get()), 64U);
  }
  EXPECT_EQ(widths, (std::vector{8, 16}));
}

// What those downstream say comes back to those upstream, as soon as the element knows.
TEST(Streaming, ReturnsTheFlowOfThoseDownstream) {
  const Harness h = harness(inference("drop-policy=block"), kCaps);
  GstPad* sink = h->sinkpad;
  const auto peer = [&] { return gst_pad_get_peer(sink); };
  EXPECT_TRUE(push_and_pull(h.get(), Buffer(frame(0))));
  GstPad* src = peer();
  gst_pad_unlink(src, sink);
  EXPECT_EQ(push_until_refused(h.get(), [] { return frame(1); }), GST_FLOW_NOT_LINKED);
  EXPECT_EQ(gst_pad_link(src, sink), GST_PAD_LINK_OK);
  gst_pad_push_event(sink, gst_event_new_reconfigure());
  gst_object_unref(src);
  const Buffer out = push_and_pull(h.get(), Buffer(frame(2)));
  ASSERT_TRUE(out);
  EXPECT_EQ(GST_BUFFER_PTS(out.get()), 2 * (GST_SECOND / 10));
}

TEST(Streaming, EndsWhereThoseDownstreamWantNoMore) {
  const Harness h = harness(inference("drop-policy=block") + " ! identity eos-after=2", kCaps);
  EXPECT_EQ(push_until_refused(h.get(), [] { return frame(0); }), GST_FLOW_EOS);
  EXPECT_TRUE(gst_harness_push_event(h.get(), gst_event_new_eos()));
  EXPECT_TRUE(await_event(h.get(), GST_EVENT_EOS));
}

GstClockTime latency(const Harness& h, GstClockTime* most = nullptr) {
  GstQuery* query = gst_query_new_latency();
  EXPECT_TRUE(gst_pad_peer_query(h->sinkpad, query));
  gboolean live = FALSE;
  GstClockTime least = 0, bound = 0;
  gst_query_parse_latency(query, &live, &least, &bound);
  EXPECT_TRUE(live);
  if (most) *most = bound;
  gst_query_unref(query);
  return least;
}

TEST(Streaming, AddsItsLatencyToThePipelines) {
  const Harness h = harness(inference("latency=70 queue-size=2"), kCaps);
  gst_pad_set_query_function(h->srcpad, [](GstPad* pad, GstObject* parent, GstQuery* query) -> gboolean {
    if (GST_QUERY_TYPE(query) != GST_QUERY_LATENCY) return gst_pad_query_default(pad, parent, query);
    gst_query_set_latency(query, TRUE, 5 * GST_MSECOND, 9 * GST_MSECOND);
    return TRUE;
  });
  GstClockTime most = 0;
  push_and_pull(h.get(), Buffer(frame(0)));
  EXPECT_EQ(latency(h, &most), 75 * GST_MSECOND);
  EXPECT_EQ(most, (9 + 70 + 2 * 100) * GST_MSECOND);  // two frames at 10 fps
}

TEST(Streaming, SaysWhenItsLatencyIsSetAnew) {
  const Harness h = harness(inference("latency=70"), kCaps);
  const Messages messages(h->element);
  g_object_set(find(h).get(), "latency", 30, nullptr);
  EXPECT_TRUE(messages.next(GST_MESSAGE_LATENCY));
  EXPECT_EQ(latency(h), 30 * GST_MSECOND);
}

TEST(Streaming, MeasuresItsLatencyAndSaysWhenItChanged) {
  const Harness h = harness(inference("", "slow-30"), kCaps);
  const Messages messages(h->element);
  EXPECT_EQ(latency(h), 0U);
  push_and_pull(h.get(), Buffer(frame(0)));
  EXPECT_TRUE(messages.next(GST_MESSAGE_LATENCY));
  EXPECT_GE(latency(h), 36 * GST_MSECOND);  // and a fifth
  push_and_pull(h.get(), Buffer(frame(1)));
  EXPECT_FALSE(messages.next(GST_MESSAGE_LATENCY));
}

// No frame is lost where a batch needs more memory than there is.
TEST(Streaming, MakesBatchesSmallerWhereMemoryDoesNotSuffice) {
  const Harness h =
      harness(inference("drop-policy=block queue-size=4 batch-size=4 batch-timeout=60000", "small-1"), kCaps);
  const Messages messages(h->element);
  for (int i = 0; i < 4; i++) ASSERT_EQ(gst_harness_push(h.get(), frame(i)), GST_FLOW_OK);
  for (int i = 0; i < 4; i++) {
    const Buffer out(gst_harness_pull(h.get()));
    ASSERT_TRUE(out);
    EXPECT_EQ(look_of(out.get()), GST_CAFFE2_LOOK_INFERRED);
  }
  EXPECT_EQ(messages.next_warning(), "Memory does not take batches of 4 frames: going on with 1.");
  for (int i = 4; i < 8; i++) push_and_pull(h.get(), Buffer(frame(i)));  // one by one from now on
  EXPECT_FALSE(messages.next(GST_MESSAGE_WARNING));
}

TEST(Streaming, PostsItsCountersOnRequest) {
  const Harness h = harness(inference("stats-interval=1"), kCaps);
  const Messages messages(h->element);
  push_and_pull(h.get(), Buffer(frame(0)));
  const auto message = messages.next(GST_MESSAGE_ELEMENT);
  ASSERT_TRUE(message);
  const GstStructure* stats = gst_message_get_structure(message.get());
  EXPECT_TRUE(gst_structure_has_name(stats, "caffe2inference-stats"));
  guint64 in = 0;
  EXPECT_TRUE(gst_structure_get_uint64(stats, "frames-in", &in));
  EXPECT_EQ(in, 1U);
  for (const char* name :
       {"frames-inferred", "frames-passed", "frames-dropped", "latency-mean", "latency-p95"})
    EXPECT_TRUE(gst_structure_has_field_typed(stats, name, G_TYPE_UINT64)) << name;
}

TEST(Streaming, AsksForBuffersForTheFramesInside) {
  const Harness h = harness(inference("queue-size=3 workers=2 threads=1 batch-size=4"), kCaps);
  gst_harness_add_propose_allocation_meta(h.get(), GST_VIDEO_META_API_TYPE, nullptr);
  push_and_pull(h.get(), Buffer(frame(0)));
  Owned<GstCaps> caps(gst_caps_from_string(kCaps.c_str()));
  GstQuery* query = gst_query_new_allocation(caps.get(), TRUE);
  EXPECT_TRUE(gst_pad_peer_query(h->srcpad, query));
  guint least = 0;
  ASSERT_GE(gst_query_get_n_allocation_pools(query), 1U);
  gst_query_parse_nth_allocation_pool(query, 0, nullptr, nullptr, &least, nullptr);
  EXPECT_GE(least, 3U + 2 * 4);
  EXPECT_TRUE(gst_query_find_allocation_meta(query, GST_VIDEO_META_API_TYPE, nullptr));
  gst_query_unref(query);
}

// A sink may know frames that show a part of what they hold: what looks at or draws on them does not.
TEST(Streaming, AsksForNoFramesThatAreCropped) {
  for (const std::string& element :
       {inference(""), std::string("caffe2overlay"), std::string("caffe2tracker")}) {
    SCOPED_TRACE(element);
    const Harness h = harness(element, kCaps);
    gst_harness_add_propose_allocation_meta(h.get(), GST_VIDEO_META_API_TYPE, nullptr);
    gst_harness_add_propose_allocation_meta(h.get(), GST_VIDEO_CROP_META_API_TYPE, nullptr);
    push_and_pull(h.get(), Buffer(frame(0)));
    Owned<GstCaps> caps(gst_caps_from_string(kCaps.c_str()));
    GstQuery* query = gst_query_new_allocation(caps.get(), TRUE);
    EXPECT_TRUE(gst_pad_peer_query(h->srcpad, query));
    EXPECT_TRUE(gst_query_find_allocation_meta(query, GST_VIDEO_META_API_TYPE, nullptr));
    EXPECT_FALSE(gst_query_find_allocation_meta(query, GST_VIDEO_CROP_META_API_TYPE, nullptr));
    gst_query_unref(query);
  }
}

// Those downstream that know no GstVideoMeta get frames as their caps alone describe them.
TEST(Streaming, PacksPaddedRowsForThoseWhoKnowNone) {
  const Harness h = harness(inference("drop-policy=block"), kCaps);
  Owned<GstCaps> caps(gst_caps_from_string(kCaps.c_str()));
  GstQuery* query = gst_query_new_allocation(caps.get(), TRUE);
  gst_pad_peer_query(h->srcpad, query);
  EXPECT_TRUE(gst_query_find_allocation_meta(query, GST_VIDEO_META_API_TYPE, nullptr));
  gst_query_unref(query);
  std::vector<guint8> bytes(8 * 20, 255), expected;
  for (int y = 0; y < 8; y++)
    for (int x = 0; x < 8; x++) expected.push_back(bytes[y * 20 + x] = static_cast<guint8>(y * 8 + x));
  Buffer padded(gst_buffer_new_memdup(bytes.data(), bytes.size()));
  gint stride[GST_VIDEO_MAX_PLANES] = {20};
  gsize offset[GST_VIDEO_MAX_PLANES] = {0};
  gst_buffer_add_video_meta_full(padded.get(), GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_GRAY8, 8, 8, 1,
                                 offset, stride);
  GST_BUFFER_PTS(padded.get()) = 3;
  const Buffer out = push_and_pull(h.get(), std::move(padded));
  EXPECT_EQ(bytes_of(out.get()), expected);
  EXPECT_EQ(GST_BUFFER_PTS(out.get()), 3U);
  EXPECT_FALSE(gst_buffer_get_video_meta(out.get()));
  EXPECT_EQ(look_of(out.get()), GST_CAFFE2_LOOK_INFERRED);
}

}  // namespace
}  // namespace caffe2rt::gst
