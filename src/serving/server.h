// Server: one model, the workers that run it, and the frames that wait for it from all of its Streams
// (stream.h). Frames of the same size and options that wait together are run together; streams take turns.
#pragma once

#include <condition_variable>
#include <deque>
#include <list>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "model/model.h"
#include "serving/frame.h"

namespace caffe2rt {

struct ServerOptions {
  int workers = 1;     // threads that run the model at once, each with the model's own threads
  int batch_size = 1;  // most frames that are run together
  std::chrono::microseconds batch_timeout{0};  // most that a frame waits for others to be run with
};

// Thread-safe. What a model throws ends up in the frame that it was thrown for. Where memory does not take a
// batch, it and those after it are made smaller.
class Server {
 public:
  // Starts the workers. REQUIRES: model; workers and batch_size are at least 1.
  Server(std::shared_ptr<const Model> model, const ServerOptions& options);
  // Waits for frames that are being looked at. REQUIRES: no stream is left.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::shared_ptr<const Model> model() const;
  // Frames that a worker takes from now on are looked at with another model.
  void set_model(std::shared_ptr<const Model> model);

  // Most frames that are run together now; at first the options' batch_size.
  int batch_size() const;

  // Most frames that can be looked at at once.
  int capacity() const { return options_.workers * options_.batch_size; }
  const ServerOptions& options() const { return options_; }

 private:
  friend class Stream;

  // A stream's part here. Outlives the stream where a worker still has one of its frames.
  struct Lane {
    std::deque<std::shared_ptr<Frame>> waiting;
    std::condition_variable changed;
  };
  struct Job {
    std::shared_ptr<Frame> frame;
    std::shared_ptr<Lane> lane;
  };
  using Batch = std::vector<Job>;

  void work();
  Clock::time_point due() const;
  Batch take_batch();
  void run(const Batch& batch);
  void settle(const Batch& batch);

  const ServerOptions options_;
  mutable std::mutex lock_;  // never held while a model runs; guards all below and every stream
  std::shared_ptr<const Model> model_;
  std::list<std::shared_ptr<Lane>> lanes_;  // whose turn is next comes first
  std::condition_variable work_;
  int fits_ = 1;  // frames that are run together
  int idle_ = 0;  // workers that look at nothing
  bool stopping_ = false;
  std::vector<std::thread> workers_;
};

}  // namespace caffe2rt
