// Owners for what GStreamer and GLib hand out, for the tools that build pipelines. Nothing is shared: who
// needs a reference of its own takes one.
#pragma once

#include <gst/gst.h>

#include <memory>

namespace caffe2rt {

struct GstRelease {
  void operator()(GstElement* p) const { gst_object_unref(p); }
  void operator()(GstBus* p) const { gst_object_unref(p); }
  void operator()(GstPad* p) const { gst_object_unref(p); }
  void operator()(GstClock* p) const { gst_object_unref(p); }
  void operator()(GstMessage* p) const { gst_message_unref(p); }
  void operator()(GstBuffer* p) const { gst_buffer_unref(p); }
  void operator()(GstSample* p) const { gst_sample_unref(p); }
  void operator()(GstCaps* p) const { gst_caps_unref(p); }
  void operator()(GstQuery* p) const { gst_query_unref(p); }
  void operator()(GstEvent* p) const { gst_event_unref(p); }
  void operator()(GstIterator* p) const { gst_iterator_free(p); }
  void operator()(GError* p) const { g_error_free(p); }
  void operator()(GTimer* p) const { g_timer_destroy(p); }
  void operator()(char* p) const { g_free(p); }
};
template <class T>
using Owned = std::unique_ptr<T, GstRelease>;

// Whatever g_object_unref frees.
struct ObjectRelease {
  void operator()(gpointer p) const { g_object_unref(p); }
};
template <class T>
using OwnedObject = std::unique_ptr<T, ObjectRelease>;

}  // namespace caffe2rt
