// What tests of elements share: owners, frames, and messages read back from the bus.
#pragma once

#include <gst/check/gstharness.h>
#include <gst/video/video.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gst/caffe2/gstcaffe2tracks.h"

namespace caffe2rt::gst {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

struct Release {
  void operator()(GstHarness* p) const { gst_harness_teardown(p); }
  void operator()(GstBuffer* p) const { gst_buffer_unref(p); }
  void operator()(GstElement* p) const {
    gst_element_set_state(p, GST_STATE_NULL);
    gst_object_unref(p);
  }
  void operator()(GstBus* p) const { gst_object_unref(p); }
  void operator()(GstCaps* p) const { gst_caps_unref(p); }
  void operator()(GstMessage* p) const { gst_message_unref(p); }
  void operator()(GstSample* p) const { gst_sample_unref(p); }
  void operator()(GBytes* p) const { g_bytes_unref(p); }
  void operator()(gchar* p) const { g_free(p); }
};
template <class T>
using Owned = std::unique_ptr<T, Release>;
using Harness = Owned<GstHarness>;
using Buffer = Owned<GstBuffer>;

// caffe2inference with the model of fake_engine.cpp.
inline constexpr auto kInference = "caffe2inference predict-net=fake init-net=fake";

inline Harness harness(const std::string& launch, const std::string& caps = "") {
  Harness h(gst_harness_new_parse(launch.c_str()));
  if (!caps.empty()) gst_harness_set_src_caps_str(h.get(), caps.c_str());
  return h;
}

inline std::string video(const char* format, int width, int height, const char* more = "") {
  return std::string("video/x-raw,framerate=10/1,format=") + format + ",width=" + std::to_string(width) +
         ",height=" + std::to_string(height) + more;
}

inline GstVideoInfo info_of(const std::string& caps_text) {
  const Owned<GstCaps> caps(gst_caps_from_string(caps_text.c_str()));
  GstVideoInfo info;
  EXPECT_TRUE(gst_video_info_from_caps(&info, caps.get())) << caps_text;
  return info;
}

// A frame all of whose bytes are `value`.
inline Buffer flat_frame(const std::string& caps, guint8 value) {
  const GstVideoInfo info = info_of(caps);
  GstBuffer* buffer = gst_buffer_new_allocate(nullptr, GST_VIDEO_INFO_SIZE(&info), nullptr);
  gst_buffer_memset(buffer, 0, value, GST_VIDEO_INFO_SIZE(&info));
  GST_BUFFER_PTS(buffer) = 0;
  return Buffer(buffer);
}

// Frames leave on a thread of the element's own.
inline Buffer push_and_pull(GstHarness* h, Buffer frame) {
  EXPECT_EQ(gst_harness_push(h, frame.release()), GST_FLOW_OK);
  return Buffer(gst_harness_pull(h));
}

// Pushes frames until the element says how the first one fared.
inline GstFlowReturn push_until_refused(GstHarness* h, const std::function<GstBuffer*()>& frame) {
  GstFlowReturn flow = GST_FLOW_OK;
  while (flow == GST_FLOW_OK) flow = gst_harness_push(h, frame());
  return flow;
}

// Waits for an event of that type; those before it are dropped. False where none comes.
inline bool await_event(GstHarness* h, GstEventType type) {
  while (GstEvent* event = gst_harness_pull_event(h)) {
    const bool found = GST_EVENT_TYPE(event) == type;
    gst_event_unref(event);
    if (found) return true;
  }
  return false;
}

// How many objects its metadata has.
inline guint objects_in(GstBuffer* frame) {
  return gst_caffe2_meta_get_n_objects(gst_buffer_get_caffe2_meta(frame));
}

// Messages on an element's bus.
class Messages {
 public:
  explicit Messages(GstElement* element) : bus_(gst_bus_new()) { gst_element_set_bus(element, bus_.get()); }
  // Messages hold on to the element, and the element to the bus.
  ~Messages() { gst_bus_set_flushing(bus_.get(), TRUE); }
  Messages(const Messages&) = delete;
  Messages& operator=(const Messages&) = delete;

  // The next of these types that has been posted; null where there is none.
  Owned<GstMessage> next(GstMessageType types) const {
    return Owned<GstMessage>(gst_bus_pop_filtered(bus_.get(), types));
  }
  // The text of the next warning; "" where there is none.
  std::string next_warning() const { return warning_text(next(GST_MESSAGE_WARNING).get()); }
  static std::string warning_text(GstMessage* message) {
    if (!message) return "";
    GError* error = nullptr;
    gst_message_parse_warning(message, &error, nullptr);
    const std::string text = error->message;
    g_error_free(error);
    return text;
  }
  // Waits for it.
  Owned<GstMessage> await(GstMessageType types) const {
    return Owned<GstMessage>(gst_bus_timed_pop_filtered(bus_.get(), 60 * GST_SECOND, types));
  }

 private:
  const Owned<GstBus> bus_;
};

// Errors there.
class Errors {
 public:
  explicit Errors(GstElement* element) : messages_(element) {}

  struct Seen {
    std::string domain, text;
    int code = 0;
  };
  Seen next() const {
    const Owned<GstMessage> message = messages_.next(GST_MESSAGE_ERROR);
    if (!message) return {"none", "", 0};
    GError* error = nullptr;
    gst_message_parse_error(message.get(), &error, nullptr);
    Seen seen{g_quark_to_string(error->domain), error->message, error->code};
    g_error_free(error);
    return seen;
  }

 private:
  const Messages messages_;
};

// Bytes of a buffer, for comparing.
inline std::vector<guint8> bytes_of(GstBuffer* buffer) {
  std::vector<guint8> bytes(gst_buffer_get_size(buffer));
  gst_buffer_extract(buffer, 0, bytes.data(), bytes.size());
  return bytes;
}

}  // namespace caffe2rt::gst
