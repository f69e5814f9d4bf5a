#include "serving/latency_report.h"

#include <cmath>

namespace caffe2rt {

bool LatencyReport::update(std::chrono::nanoseconds latency, Clock::time_point now) {
  if (when_ && now - *when_ < kInterval) return false;
  const auto change = static_cast<double>(std::abs((latency - reported_).count()));
  if (change <= kChange * static_cast<double>(reported_.count())) return false;
  reported_ = latency;
  when_ = now;
  return true;
}

}  // namespace caffe2rt
