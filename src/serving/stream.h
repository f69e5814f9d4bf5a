// Stream: one stream of frames on its way through a Server. What goes in comes out in the same order, frames
// with what the model saw in them, or without where they were overrun.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "serving/server.h"
#include "serving/stream_stats.h"

namespace caffe2rt {

// What happens to a frame that finds the queue full.
enum class Overflow {
  kBlock,  // it waits outside: push() blocks
  kPass,   // the frame that has waited longest goes on without having been looked at
  kDrop,   // the frame that has waited longest is dropped
};

struct StreamOptions {
  int queue_size = 1;  // most frames that wait for a worker, at least 1
  Overflow overflow = Overflow::kBlock;
  // Where no frame blocks: most frames that are inside at once, which bounds the memory that frames hold that
  // were passed over and wait for an older one. 0: as many as where frames block.
  int most_held = 0;

  bool operator==(const StreamOptions&) const = default;
};

// One thread pushes and one pops, at the same time; all else any thread may call.
class Stream {
 public:
  explicit Stream(std::shared_ptr<Server> server);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  void set_options(const StreamOptions& options);

  // Waits for room. `wanted`: whether the model shall look at the frame. False, and nothing taken, where the
  // stream is stopped.
  bool push(std::shared_ptr<Frame> frame, bool wanted);
  bool push(std::shared_ptr<Item> item);

  // Waits for what is next to be ready. Null where the stream is stopped.
  std::shared_ptr<Item> pop();

  // Lets whoever waits in push() and pop() go and hands out what was inside, in order; its frames count as
  // dropped. A frame that a worker has is let go when it is done with it.
  std::vector<std::shared_ptr<Item>> stop();
  // Takes items again.
  void start();

  StreamStats stats() const;
  std::uint64_t frames_dropped() const;
  // The latency that all but a few frames keep to lately; zero before the first frame.
  std::chrono::nanoseconds latency() const;

 private:
  size_t queue_size() const;
  bool has_room(bool wanted) const;
  std::shared_ptr<Item> overrun_oldest();

  const std::shared_ptr<Server> server_;
  const std::shared_ptr<Server::Lane> lane_;

  // Guarded by the server's lock.
  StreamOptions options_;
  bool stopped_ = false;
  struct Entry {
    std::shared_ptr<Item> item;
    Frame* frame = nullptr;  // the item, where it is one
  };
  std::deque<Entry> entries_;
  size_t held_ = 0;          // frames among entries_
  Clock::time_point ready_;  // when the last frame that left could have left at the earliest
  StreamCounter counter_;
};

}  // namespace caffe2rt
