// Makes connection after connection, on a thread of its own between start() and stop(), and hands their
// frames to an appsrc in order of time. It owns the thread and the connection; element and appsrc outlive it.
#pragma once

#include <gst/app/gstappsrc.h>
#include <gst/gst.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "connection.h"
#include "live_settings.h"
#include "owned.h"

namespace caffe2rt {

class Supervisor final : public FrameReceiver {
 public:
  Supervisor(GstElement* element, GstAppSrc* out) : element_(element), out_(out) {}

  LiveSettings settings() const {
    const std::lock_guard lock(settings_lock_);
    return settings_;
  }
  template <class F>
  void change(F&& f) {
    const std::lock_guard lock(settings_lock_);
    f(settings_);
  }

  void start() {
    clock_.reset(gst_element_get_clock(element_));
    const OuterTime time{clock_.get(), gst_element_get_base_time(element_)};
    thread_ = std::jthread([this, time](const std::stop_token& stop) { run(stop, time); });
  }
  void end() { gst_app_src_end_of_stream(out_); }  // any thread
  void stop() { thread_ = std::jthread(); }        // asks it to end, and joins
  void forget() { seen_ = false, last_pts_ = GST_CLOCK_TIME_NONE; }

  void receive(Owned<GstBuffer> frame, GstCaps* caps) override;
  void set_latency(GstClockTime least, GstClockTime most) override {
    gst_app_src_set_latency(out_, least, most);
  }

 private:
  using Steady = std::chrono::steady_clock;

  void run(const std::stop_token& stop, const OuterTime& time) noexcept;
  void connect(const std::stop_token& stop, const OuterTime& time);
  void give_up(const LiveSettings& settings, const Outcome& outcome);
  void warn(const LiveSettings& settings, const Outcome& outcome);

  GstElement* const element_;  // whose this is
  GstAppSrc* const out_;       // the element's
  mutable std::mutex settings_lock_;
  LiveSettings settings_;  // guarded by settings_lock_
  Owned<GstClock> clock_;
  std::jthread thread_;
  std::mutex pause_lock_;
  std::condition_variable_any pause_;
  // Of the thread that brings frames, and between connections of the supervising one.
  bool seen_ = false;
  GstClockTime last_pts_ = GST_CLOCK_TIME_NONE;
  bool away_ = false;
  Steady::time_point away_since_;
};

}  // namespace caffe2rt
