// One connection to a camera, server or file: a GstPipeline of its own from the URI to decoded frames, so
// that it can fail and go without anything downstream noticing. It owns that pipeline from construction to
// destruction; the frames go to a FrameReceiver, which outlives it.
#pragma once

#include <gst/gst.h>

#include <atomic>
#include <chrono>
#include <stop_token>
#include <string>

#include "live_settings.h"
#include "owned.h"

namespace caffe2rt {

// Whoever shows the frames, by its clock and since its base time.
struct OuterTime {
  GstClock* clock = nullptr;
  GstClockTime base = 0;  // ns, of the clock
};

class FrameReceiver {
 public:
  virtual ~FrameReceiver() = default;
  // A frame whose timestamp is OuterTime's running time, in ns. Called by a thread of the connection; must
  // not wait.
  virtual void receive(Owned<GstBuffer> frame, GstCaps* caps) = 0;
  // What the connection adds to the latency, in ns; `most` may be GST_CLOCK_TIME_NONE. Called by wait()'s
  // thread.
  virtual void set_latency(GstClockTime least, GstClockTime most) = 0;
};

// Why a connection is over.
struct Outcome {
  enum class End { kStopped, kEnded, kFailed };
  End end = End::kStopped;
  bool live = false;  // a stream without an end of its own, which only ends where a server goes away
  bool had_frames = false;
  std::string cause;  // for people; empty unless it failed
  GstResourceError code = GST_RESOURCE_ERROR_READ;
};

class Connection {
 public:
  Connection(const LiveSettings& settings, const OuterTime& time, FrameReceiver& receiver);
  ~Connection();  // within some 100 ms
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Returns when the stream ended, failed, gave no frame for the timeout (three times that until the first
  // one: a server may take its time to the next key frame), or was told to stop. Call once.
  Outcome wait(const std::stop_token& stop);

 private:
  using Steady = std::chrono::steady_clock;

  static void set_up_source(GstElement*, GstElement* source, gpointer self);
  static gboolean select_stream(GstElement*, guint index, GstCaps* caps, gpointer);
  static void link_pad(GstElement*, GstPad* pad, gpointer self);
  static void receive(GstElement*, GstBuffer* buffer, GstPad* pad, gpointer self);
  void play();
  void take_latency();
  bool look_at(GstMessage* message, Outcome& outcome);  // true: it is over
  bool is_overdue(Outcome& outcome) const;
  bool is_endless() const;

  const LiveSettings settings_;
  const OuterTime time_;
  FrameReceiver& receiver_;
  Owned<GstElement> pipeline_;
  GstElement* filter_ = nullptr;  // the pipeline's
  GstElement* sink_ = nullptr;    // the pipeline's
  bool live_ = false;
  const Steady::time_point start_ = Steady::now();
  std::atomic<Steady::rep> last_frame_{0};  // since start_; 0: none yet
};

}  // namespace caffe2rt
