// What goes through a Stream (stream.h): frames that a model looks at, and whatever keeps its place between
// them, such as a change of format.
#pragma once

#include <chrono>
#include <exception>
#include <memory>
#include <vector>

#include "decode/detect_options.h"
#include "decode/detections.h"
#include "frame/frame_view.h"

namespace caffe2rt {

using Clock = std::chrono::steady_clock;

class Item {
 public:
  Item() = default;
  virtual ~Item() = default;
  Item(const Item&) = delete;
  Item& operator=(const Item&) = delete;
};

// How a frame fares.
enum class Fate {
  kWaiting,   // for a worker
  kRunning,   // a worker looks at it
  kInferred,  // results() has one a view
  kSkipped,   // whoever pushed it did not want it looked at
  kOverrun,   // younger frames took its turn
  kFailed,    // error() says why
};

class Frame : public Item {
 public:
  Frame(FrameSize size, DetectOptions options) : size_(size), options_(std::move(options)) {}

  // A worker's: the frame's pixels, or those of its parts that are to be looked at; none is as good as any.
  // They stay until unmap(), which follows unless map() throws. `in_gpu_memory`: pixels that are in a GPU's
  // memory may stay there; else they are in the host's.
  virtual std::vector<FrameView> map(bool in_gpu_memory) = 0;
  virtual void unmap() noexcept = 0;

  FrameSize size() const { return size_; }
  const DetectOptions& options() const { return options_; }

  // REQUIRES: the frame came out of Stream::pop().
  Fate fate() const { return fate_; }
  const std::vector<std::shared_ptr<const Detections>>& results() const { return results_; }
  std::exception_ptr error() const { return error_; }

 private:
  friend class Server;
  friend class Stream;

  const FrameSize size_;
  const DetectOptions options_;

  // Of the worker that looks at the frame; of whoever popped it, after that.
  std::vector<std::shared_ptr<const Detections>> results_;
  std::exception_ptr error_;

  // Guarded by the Server's lock until the frame is popped.
  Fate fate_ = Fate::kSkipped;
  Clock::time_point arrived_, settled_;
};

}  // namespace caffe2rt
