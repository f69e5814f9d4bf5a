// Decides when a stream's latency is to be told anew: each time costs a live pipeline a hiccup.
#pragma once

#include <chrono>
#include <optional>

#include "serving/frame.h"

namespace caffe2rt {

// One thread at a time.
class LatencyReport {
 public:
  static constexpr std::chrono::seconds kInterval{1};  // at least, from one report to the next
  static constexpr double kChange = 0.2;               // at least, of what was reported

  // Whether `latency` is to be reported now; it counts as reported then.
  bool update(std::chrono::nanoseconds latency, Clock::time_point now);

  // What was reported last; zero before that.
  std::chrono::nanoseconds reported() const { return reported_; }

 private:
  std::chrono::nanoseconds reported_{0};
  std::optional<Clock::time_point> when_;
};

}  // namespace caffe2rt
