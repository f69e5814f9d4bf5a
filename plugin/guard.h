// The one door between exceptions and GStreamer: what a function throws becomes an element error on the bus.
#pragma once

#include <gst/gst.h>

#include <exception>
#include <stdexcept>
#include <utility>

#include "base/error.h"

namespace caffe2rt::gst {

// A stream that the element cannot take; its code is one of GST_STREAM_ERROR_*.
class StreamError : public std::runtime_error {
 public:
  template <class... Args>
  StreamError(GstStreamError code, fmt::format_string<Args...> format, Args&&... args)
      : std::runtime_error(fmt::format(format, std::forward<Args>(args)...)), code_(code) {}
  GstStreamError code() const { return code_; }

 private:
  const GstStreamError code_;
};

// What the element was about: it decides whether an Error speaks of files and settings, or of the frame at
// hand.
enum class During { kSetup, kStreaming };

// Posts the exception as an element error. In setup: RESOURCE NOT_FOUND, SETTINGS, READ or FAILED, or STREAM
// NOT_IMPLEMENTED for what a well-formed file asks for and nothing here can do. While streaming: STREAM.
void post_error(gpointer element, During during, const std::exception& error) noexcept;
// As a warning: the element goes on, as `consequence` says.
void post_warning(gpointer element, During during, const std::exception& error,
                  const char* consequence) noexcept;

// Runs f; where it throws, posts an element error and returns `failed`.
template <class R, class F>
R guarded(gpointer element, During during, R failed, F&& f) noexcept {
  try {
    return std::forward<F>(f)();
  } catch (const std::exception& e) {
    post_error(element, during, e);
  }
  return failed;
}

}  // namespace caffe2rt::gst
