// What went through a pipeline's caffe2inference elements so far, where several follow each other through the
// last, and a line that shows it on stderr. Neither owns the pipeline, which outlives them.
#pragma once

#include <gst/gst.h>

#include <chrono>
#include <map>
#include <mutex>
#include <string>

namespace caffe2rt {

// Any thread.
class Tally {
 public:
  explicit Tally(GstElement* pipeline);  // watches what is in it by now

  long frames() const;
  std::map<std::string, long> objects() const;  // by label
  double seconds() const;                       // since the first frame; 0 before it

 private:
  using Steady = std::chrono::steady_clock;

  static GstPadProbeReturn count(GstPad*, GstPadProbeInfo* info, gpointer self);

  mutable std::mutex mutex_;
  long frames_ = 0;
  Steady::time_point first_;
  std::map<std::string, long> objects_;
};

// One thread.
class Progress {
 public:
  Progress(GstElement* pipeline, const Tally& tally) : pipeline_(pipeline), tally_(tally) {}

  // A line that is written over on a terminal; elsewhere a line every kInterval.
  void show();
  // A line of its own for something that happened.
  void say(const std::string& text);
  void finish();
  double fps() const;

 private:
  using Steady = std::chrono::steady_clock;
  static constexpr double kInterval = 5;  // s
  double seconds() const;

  GstElement* const pipeline_;
  const Tally& tally_;
  const Steady::time_point start_ = Steady::now();
  double next_line_ = kInterval;
  bool open_ = false;  // a line that waits for its end
};

}  // namespace caffe2rt
