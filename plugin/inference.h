// Inference: what caffe2inference does, without GObject. Settings, which any thread may change, stand apart
// from state, which belongs to state changes and the streaming thread; GStreamer never runs these two at
// once.
#pragma once

#include <mutex>
#include <string>

#include "engine.h"
#include "frame_pixels.h"

namespace caffe2rt::gst {

class Inference {
 public:
  struct Settings {
    std::string model;        // directory; empty: the files in `options`
    ModelOptions options;     // but for threshold and max_detections
    double threshold = -1;    // negative: what the net itself keeps
    int max_detections = -1;  // negative: all
  };

  explicit Inference(GstElement* element) : element_(element) {}

  // Any thread.
  Settings settings() const;

  template <class F>
  void change(F&& f) {
    const std::lock_guard lock(settings_lock_);
    f(settings_);
  }
  // What changes the model: it is loaded again at the next state change.
  template <class F>
  void change_model(F&& f) {
    const std::lock_guard lock(settings_lock_);
    f(settings_);
    stale_ = true;
  }

  // State changes. open() loads the model where that has not been done with these settings. Throws Error.
  void open();
  void close() { model_.reset(); }
  void stop();  // forgets the stream

  // The streaming thread. Throw StreamError and Error.

  // False for caps that were refused just before: GStreamer sends an event again that was not taken, and one
  // error is enough.
  bool set_caps(GstCaps* caps);
  bool has_caps() const { return has_caps_; }

  // Looks at the frame and attaches what was seen. The buffer may be replaced by a writable one of the same
  // memory.
  void process(Ref<GstBuffer>& buffer);

 private:
  DetectOptions detect_options() const;
  std::shared_ptr<const Detections> detect(GstBuffer* buffer);

  GstElement* const element_;
  mutable std::mutex settings_lock_;
  Settings settings_;  // guarded by settings_lock_
  bool stale_ = true;  // guarded by settings_lock_

  std::shared_ptr<const Model> model_;
  GstVideoInfo info_{};
  bool has_caps_ = false;
  Ref<GstCaps> refused_caps_;
  FramePixels pixels_;
};

}  // namespace caffe2rt::gst
