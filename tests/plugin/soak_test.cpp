// Live pipelines under load: for a few seconds in every run of the tests, and for as many as
// CAFFE2RT_SOAK_SECONDS says in tests/soak.sh.
#include <atomic>
#include <cstdio>
#include <cstdlib>

#include "gst_test.h"
#include "process.h"

namespace caffe2rt::gst {
namespace {

constexpr long kMostGrowth = kSanitized ? 1L << 30 : 8L << 20;  // bytes; a sanitizer keeps what was freed

int seconds() {
  const char* chosen = std::getenv("CAFFE2RT_SOAK_SECONDS");
  return chosen ? std::atoi(chosen) : 4;
}

guint64 counter(GstElement* element, const char* name) {
  guint64 value = 0;
  g_object_get(element, name, &value, nullptr);
  return value;
}

GstElement* child(const Owned<GstElement>& pipeline, const std::string& name) {
  GstElement* found = gst_bin_get_by_name(GST_BIN(pipeline.get()), name.c_str());
  gst_object_unref(found);  // the pipeline has it
  return found;
}

// Counts frames at a sink, and those that came after the latency that the pipeline was told.
class Arrivals {
 public:
  explicit Arrivals(GstElement* sink) : sink_(sink), pad_(gst_element_get_static_pad(sink, "sink")) {
    gst_pad_add_probe(pad_, GST_PAD_PROBE_TYPE_BUFFER, on_frame, this, nullptr);
  }
  ~Arrivals() { gst_object_unref(pad_); }
  Arrivals(const Arrivals&) = delete;
  Arrivals& operator=(const Arrivals&) = delete;

  int frames() const { return frames_; }
  int late() const { return late_; }

 private:
  static GstPadProbeReturn on_frame(GstPad* pad, GstPadProbeInfo* info, gpointer self) {
    auto& seen = *static_cast<Arrivals*>(self);
    GstQuery* query = gst_query_new_latency();
    GstClockTime latency = 0;
    if (gst_pad_peer_query(pad, query)) gst_query_parse_latency(query, nullptr, &latency, nullptr);
    gst_query_unref(query);
    const GstClockTime now = gst_element_get_current_running_time(seen.sink_);
    seen.frames_++;
    if (now > GST_BUFFER_PTS(GST_PAD_PROBE_INFO_BUFFER(info)) + latency) seen.late_++;
    return GST_PAD_PROBE_OK;
  }

  GstElement* const sink_;
  GstPad* const pad_;
  std::atomic<int> frames_ = 0, late_ = 0;
};

// Plays for some seconds; false where an error ends it before.
bool play(const Owned<GstElement>& pipeline, int for_seconds) {
  const Owned<GstBus> bus(gst_element_get_bus(pipeline.get()));
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  const auto end = g_get_monotonic_time() + for_seconds * G_USEC_PER_SEC;
  for (gint64 left = 1; (left = end - g_get_monotonic_time()) > 0;) {
    const Owned<GstMessage> message(gst_bus_timed_pop_filtered(
        bus.get(), left * 1000, GstMessageType(GST_MESSAGE_ERROR | GST_MESSAGE_LATENCY)));
    if (!message) break;
    if (GST_MESSAGE_TYPE(message.get()) == GST_MESSAGE_ERROR) return false;
    gst_bin_recalculate_latency(GST_BIN(pipeline.get()));
  }
  return true;
}

// A model that takes five times as long as a frame lasts.
TEST(Soak, OverloadLosesNoFrameAndKeepsToTheLatency) {
  const Owned<GstElement> pipeline(gst_parse_launch(
      "videotestsrc is-live=true ! video/x-raw,format=NV12,width=320,height=240,framerate=30/1 ! "
      "caffe2inference name=i predict-net=slow-165 init-net=x ! fakesink name=sink sync=true",
      nullptr));
  const Arrivals arrivals(child(pipeline, "sink"));
  ASSERT_TRUE(play(pipeline, seconds() / 2));
  const auto before = resident_bytes();
  ASSERT_TRUE(play(pipeline, seconds() - seconds() / 2));
  const auto growth = static_cast<long>(resident_bytes() - before);
  GstElement* inference = child(pipeline, "i");
  gst_element_set_state(pipeline.get(), GST_STATE_READY);
  EXPECT_EQ(counter(inference, "frames-in"), counter(inference, "frames-inferred") +
                                                 counter(inference, "frames-passed") +
                                                 counter(inference, "frames-dropped"));
  EXPECT_GT(counter(inference, "frames-inferred"), 0U);
  EXPECT_GT(counter(inference, "frames-passed"), counter(inference, "frames-inferred"));
  // The first frames come before the model's time is known.
  const int settling = 30;
  EXPECT_LE(arrivals.late(), settling + arrivals.frames() / 100);
  EXPECT_LT(growth, kMostGrowth);
  std::printf("overload, %d s: %d frames at the sink, %d past the latency, %ld KiB more in the second half\n",
              seconds(), arrivals.frames(), arrivals.late(), growth / 1024);
}

// Eight live streams of one model.
Owned<GstElement> eight_streams() {
  std::string launch;
  for (int i = 0; i < 8; i++) {
    launch +=
        "videotestsrc is-live=true ! video/x-raw,format=NV12,width=320,height=240,framerate=30/1 ! "
        "caffe2inference predict-net=slow-5 init-net=x model-instance-id=soak batch-size=4 name=i";
    launch += std::to_string(i);
    launch += " ! fakesink sync=true ";
  }
  return Owned<GstElement>(gst_parse_launch(launch.c_str(), nullptr));
}

TEST(Soak, EightStreamsOfOneModelKeepTheirMemoryAndLeaveNoThread) {
  ASSERT_TRUE(play(eight_streams(), 1));  // GLib's pools keep some threads
  const auto before = settled_threads(0);
  {
    const Owned<GstElement> pipeline = eight_streams();
    ASSERT_TRUE(play(pipeline, seconds() / 2));
    const auto half = resident_bytes();
    ASSERT_TRUE(play(pipeline, seconds() - seconds() / 2));
    const auto growth = static_cast<long>(resident_bytes() - half);
    gst_element_set_state(pipeline.get(), GST_STATE_READY);
    guint64 in = 0, inferred = 0;
    for (int i = 0; i < 8; i++) {
      GstElement* inference = child(pipeline, std::string("i").append(std::to_string(i)));
      EXPECT_GT(counter(inference, "frames-inferred"), 0U) << i;
      in += counter(inference, "frames-in");
      inferred += counter(inference, "frames-inferred");
    }
    EXPECT_LT(growth, kMostGrowth);
    std::printf("8 streams, %d s: %lu frames, %lu inferred, %ld KiB more in the second half\n", seconds(),
                static_cast<unsigned long>(in), static_cast<unsigned long>(inferred), growth / 1024);
  }
  EXPECT_LE(settled_threads(before), before);
}

}  // namespace
}  // namespace caffe2rt::gst
