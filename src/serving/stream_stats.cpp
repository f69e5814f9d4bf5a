#include "serving/stream_stats.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace caffe2rt {

using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::nanoseconds;

void StreamCounter::left(bool inferred, nanoseconds took) {
  (inferred ? counts_.frames_inferred : counts_.frames_passed)++;
  took_[left_++ % kWindow] = took;
}

size_t StreamCounter::size() const { return static_cast<size_t>(std::min<std::uint64_t>(left_, kWindow)); }

nanoseconds StreamCounter::quantile(double q) const {
  std::vector<nanoseconds> sorted(took_.begin(), took_.begin() + static_cast<std::ptrdiff_t>(size()));
  if (sorted.empty()) return nanoseconds(0);
  const auto at = sorted.begin() + std::lround(q * static_cast<double>(sorted.size() - 1));
  std::nth_element(sorted.begin(), at, sorted.end());
  return *at;
}

StreamStats StreamCounter::stats() const {
  StreamStats stats = counts_;
  if (left_ == 0) return stats;
  const auto sum =
      std::accumulate(took_.begin(), took_.begin() + static_cast<std::ptrdiff_t>(size()), nanoseconds(0));
  stats.latency_mean = duration_cast<microseconds>(sum / static_cast<std::int64_t>(size()));
  stats.latency_p95 = duration_cast<microseconds>(quantile(0.95));
  return stats;
}

nanoseconds StreamCounter::latency() const { return quantile(0.98) * 6 / 5; }

}  // namespace caffe2rt
