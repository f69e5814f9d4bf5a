// What applications do with pipelines: pause, seek, step, stop in the middle, link anew.
#include <atomic>

#include "gst_test.h"

namespace caffe2rt::gst {
namespace {

// A file's worth of frames, of which each is looked at for 5 ms.
class Playing {
 public:
  explicit Playing(const std::string& source = "videotestsrc num-buffers=300",
                   const std::string& sink = "fakesink name=sink sync=false")
      : pipeline_(gst_parse_launch((source +
                                    " ! video/x-raw,format=GRAY8,width=16,height=16,framerate=100/1 ! "
                                    "caffe2inference name=i predict-net=slow-5 init-net=x queue-size=3 ! " +
                                    sink)
                                       .c_str(),
                                   nullptr)),
        bus_(gst_element_get_bus(pipeline_.get())) {
    GstElement* end = gst_bin_get_by_name(GST_BIN(pipeline_.get()), "sink");
    GstPad* pad = gst_element_get_static_pad(end, "sink");
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, on_frame, this, nullptr);
    gst_object_unref(pad);
    gst_object_unref(end);
  }

  GstElement* get() const { return pipeline_.get(); }
  GstElement* child(const char* name) const {
    GstElement* found = gst_bin_get_by_name(GST_BIN(pipeline_.get()), name);
    gst_object_unref(found);
    return found;
  }

  // Waits until the state is reached.
  void set(GstState state) {
    ASSERT_NE(gst_element_set_state(get(), state), GST_STATE_CHANGE_FAILURE);
    ASSERT_NE(gst_element_get_state(get(), nullptr, nullptr, 60 * GST_SECOND), GST_STATE_CHANGE_FAILURE);
  }
  GstMessageType await(int types) {
    const Owned<GstMessage> message(
        gst_bus_timed_pop_filtered(bus_.get(), 60 * GST_SECOND, GstMessageType(types | GST_MESSAGE_ERROR)));
    return message ? GST_MESSAGE_TYPE(message.get()) : GST_MESSAGE_UNKNOWN;
  }
  void await_frames(int more) {
    const int until = frames_ + more;
    while (frames_ < until) g_usleep(1000);
  }

  GstClockTime first() const { return first_; }
  bool in_order() const { return in_order_; }
  void expect_jump() { last_ = GST_CLOCK_TIME_NONE; }

 private:
  static GstPadProbeReturn on_frame(GstPad*, GstPadProbeInfo* info, gpointer self) {
    auto& p = *static_cast<Playing*>(self);
    const GstClockTime pts = GST_BUFFER_PTS(GST_PAD_PROBE_INFO_BUFFER(info));
    const GstClockTime last = p.last_.exchange(pts);
    if (last == GST_CLOCK_TIME_NONE)
      p.first_ = pts;
    else if (pts <= last)
      p.in_order_ = false;
    p.frames_++;
    return GST_PAD_PROBE_OK;
  }

  const Owned<GstElement> pipeline_;
  const Owned<GstBus> bus_;
  std::atomic<GstClockTime> first_ = GST_CLOCK_TIME_NONE, last_ = GST_CLOCK_TIME_NONE;
  std::atomic<bool> in_order_ = true;
  std::atomic<int> frames_ = 0;
};

bool seek(Playing& p, double to, GstSeekFlags flags) {
  p.expect_jump();
  return gst_element_seek_simple(p.get(), GST_FORMAT_TIME, flags, static_cast<gint64>(to * GST_SECOND));
}

TEST(Scenarios, PausesAndGoesOn) {
  Playing p;
  for (int i = 0; i < 5; i++) {
    p.set(GST_STATE_PLAYING);
    p.await_frames(3);
    p.set(GST_STATE_PAUSED);
  }
  EXPECT_TRUE(p.in_order());
}

TEST(Scenarios, SeeksWithAFlushWherePlayingAndWherePaused) {
  for (const GstState state : {GST_STATE_PLAYING, GST_STATE_PAUSED}) {
    Playing p;
    p.set(GST_STATE_PLAYING);
    p.await_frames(3);
    p.set(state);
    for (const double to : {2.0, 0.5, 1.25}) {
      ASSERT_TRUE(seek(p, to, GST_SEEK_FLAG_FLUSH));
      gst_element_get_state(p.get(), nullptr, nullptr, 60 * GST_SECOND);
      p.set(GST_STATE_PLAYING);
      p.await_frames(2);
      EXPECT_EQ(p.first(), static_cast<GstClockTime>(to * GST_SECOND));
      p.set(state);
    }
    EXPECT_TRUE(p.in_order());
  }
}

TEST(Scenarios, StepsFrameByFrame) {
  Playing p;
  p.set(GST_STATE_PAUSED);
  for (int i = 0; i < 5; i++) {
    ASSERT_TRUE(
        gst_element_send_event(p.child("sink"), gst_event_new_step(GST_FORMAT_BUFFERS, 1, 1, TRUE, FALSE)));
    EXPECT_EQ(p.await(GST_MESSAGE_STEP_DONE), GST_MESSAGE_STEP_DONE);
  }
}

TEST(Scenarios, StopsInTheMiddleAndStartsAgain) {
  Playing p;
  for (int i = 0; i < 10; i++) {
    p.expect_jump();
    p.set(GST_STATE_PLAYING);
    p.await_frames(i % 4);
    p.set(i % 2 ? GST_STATE_NULL : GST_STATE_READY);
  }
  EXPECT_TRUE(p.in_order());
}

TEST(Scenarios, EndsAfterTheLastFrame) {
  Playing p("videotestsrc num-buffers=20");
  p.set(GST_STATE_PLAYING);
  EXPECT_EQ(p.await(GST_MESSAGE_EOS), GST_MESSAGE_EOS);
  guint64 inferred = 0;
  g_object_get(p.child("i"), "frames-inferred", &inferred, nullptr);
  EXPECT_EQ(inferred, 20U);
}

// The sink is taken away and another put in its place while frames flow.
TEST(Scenarios, IsLinkedAnewWhilePlaying) {
  Playing p("videotestsrc is-live=true", "identity name=sink ! fakesink name=old async=false sync=false");
  p.set(GST_STATE_PLAYING);
  p.await_frames(3);
  GstElement* identity = p.child("sink");
  GstPad* pad = gst_element_get_static_pad(identity, "src");
  struct Swap {
    GstElement *pipeline, *identity;
    std::atomic<bool> done = false;
  } swap{p.get(), identity};
  gst_pad_add_probe(
      pad, GST_PAD_PROBE_TYPE_BLOCK_DOWNSTREAM,
      [](GstPad*, GstPadProbeInfo*, gpointer data) {
        auto& s = *static_cast<Swap*>(data);
        GstElement* old = gst_bin_get_by_name(GST_BIN(s.pipeline), "old");
        gst_element_unlink(s.identity, old);
        gst_element_set_state(old, GST_STATE_NULL);
        gst_bin_remove(GST_BIN(s.pipeline), old);
        gst_object_unref(old);
        GstElement* fresh = gst_element_factory_make("fakesink", "fresh");
        g_object_set(fresh, "async", FALSE, "sync", FALSE, nullptr);
        gst_bin_add(GST_BIN(s.pipeline), fresh);
        gst_element_link(s.identity, fresh);
        gst_element_sync_state_with_parent(fresh);
        s.done = true;
        return GST_PAD_PROBE_REMOVE;
      },
      &swap, nullptr);
  gst_object_unref(pad);
  while (!swap.done) g_usleep(1000);
  p.await_frames(10);
  EXPECT_TRUE(p.in_order());
}

TEST(Scenarios, ChangesItsFormatInTheMiddle) {
  const Owned<GstElement> pipeline(gst_parse_launch(
      "videotestsrc num-buffers=60 ! capsfilter name=f caps=video/x-raw,format=NV12,width=16,height=16 ! "
      "caffe2inference predict-net=slow-5 init-net=x ! fakesink name=sink",
      nullptr));
  GstElement* filter = gst_bin_get_by_name(GST_BIN(pipeline.get()), "f");
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  const Owned<GstBus> bus(gst_element_get_bus(pipeline.get()));
  for (const char* caps :
       {"video/x-raw,format=BGR,width=32,height=16", "video/x-raw,format=I420,width=8,height=8"}) {
    g_usleep(50000);
    const Owned<GstCaps> next(gst_caps_from_string(caps));
    g_object_set(filter, "caps", next.get(), nullptr);
  }
  gst_object_unref(filter);
  const Owned<GstMessage> message(gst_bus_timed_pop_filtered(
      bus.get(), 60 * GST_SECOND, GstMessageType(GST_MESSAGE_EOS | GST_MESSAGE_ERROR)));
  ASSERT_TRUE(message);
  EXPECT_EQ(GST_MESSAGE_TYPE(message.get()), GST_MESSAGE_EOS);
}

TEST(Scenarios, WhatCannotBeNegotiatedEndsAsThat) {
  const Owned<GstElement> pipeline(gst_parse_launch(
      "videotestsrc ! video/x-raw,format=NV12 ! caffe2inference predict-net=fake init-net=x ! "
      "capsfilter name=f ! fakesink",
      nullptr));
  const Owned<GstBus> bus(gst_element_get_bus(pipeline.get()));
  GstElement* filter = gst_bin_get_by_name(GST_BIN(pipeline.get()), "f");
  const Owned<GstCaps> other(gst_caps_from_string("video/x-raw,format=BGR"));
  g_object_set(filter, "caps", other.get(), nullptr);
  gst_object_unref(filter);
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  const Owned<GstMessage> message(gst_bus_timed_pop_filtered(bus.get(), 60 * GST_SECOND, GST_MESSAGE_ERROR));
  ASSERT_TRUE(message);
  GError* error = nullptr;
  gchar* details = nullptr;
  gst_message_parse_error(message.get(), &error, &details);
  EXPECT_NE(std::string(details).find("not-negotiated"), std::string::npos) << details;
  g_error_free(error);
  g_free(details);
}

}  // namespace
}  // namespace caffe2rt::gst
