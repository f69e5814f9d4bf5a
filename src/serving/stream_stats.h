// Counts a stream's frames and how long they took.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>

namespace caffe2rt {

// frames_in = frames_inferred + frames_passed + frames_dropped + those inside.
struct StreamStats {
  std::uint64_t frames_in = 0;
  std::uint64_t frames_inferred = 0;
  std::uint64_t frames_passed = 0;  // went on without having been looked at
  std::uint64_t frames_dropped = 0;
  // Of the last frames that left: from coming in to the moment when the frame and all before it were done.
  std::chrono::microseconds latency_mean{0}, latency_p95{0};
};

// One thread at a time.
class StreamCounter {
 public:
  void entered() { counts_.frames_in++; }
  void dropped(std::uint64_t frames) { counts_.frames_dropped += frames; }
  void left(bool inferred, std::chrono::nanoseconds took);

  StreamStats stats() const;
  std::uint64_t frames_dropped() const { return counts_.frames_dropped; }
  // What all but two in a hundred of the last frames kept to, and a fifth more; zero before the first one.
  std::chrono::nanoseconds latency() const;

 private:
  static constexpr size_t kWindow = 256;  // frames
  size_t size() const;
  std::chrono::nanoseconds quantile(double q) const;

  StreamStats counts_;
  std::array<std::chrono::nanoseconds, kWindow> took_{};  // of the last frames, a ring
  std::uint64_t left_ = 0;
};

}  // namespace caffe2rt
