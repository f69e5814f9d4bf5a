// FrameOverlay: what caffe2overlay does to a frame: conceals objects, and draws what its metadata say.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "gst_ref.h"
#include "meta/meta.h"
#include "overlay/overlay.h"
#include "overlay/privacy.h"

namespace caffe2rt::gst {

// What the properties say.
struct OverlaySettings {
  OverlayStyle style;
  PrivacyStyle privacy;
};

class FrameOverlay {
 public:
  // `element` posts warnings, and outlives this.
  explicit FrameOverlay(gpointer element) : element_(element) {}

  // Any thread.
  OverlaySettings settings() const;
  template <class F>
  void change(F&& f) {
    const std::lock_guard lock(settings_lock_);
    f(settings_);
  }

  // The streaming thread. Throws StreamError where the frame cannot be drawn on. REQUIRES: it is mapped to be
  // written.
  void draw(GstVideoFrame* frame);

  // The streaming thread: the stream begins elsewhere, or has other frames.
  void forget();

 private:
  void conceal(GstVideoFrame* frame, const PrivacyStyle& style);
  void warn_of_unknown(const PrivacyStyle& style, const std::vector<std::string>& labels);

  const gpointer element_;
  mutable std::mutex settings_lock_;
  OverlaySettings settings_;  // guarded by settings_lock_
  Overlay overlay_;
  Privacy privacy_;
  std::string warned_of_;  // classes
  bool warned_of_nothing_ = false;
};

}  // namespace caffe2rt::gst
