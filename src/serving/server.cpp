#include "serving/server.h"

#include <algorithm>
#include <utility>

#include "serving/run_batch.h"

namespace caffe2rt {

Server::Server(std::shared_ptr<const Model> model, const ServerOptions& options)
    : options_(options), model_(std::move(model)), fits_(options.batch_size), idle_(options.workers) {
  for (int i = 0; i < options.workers; i++) workers_.emplace_back([this] { work(); });
}

Server::~Server() {
  {
    const std::lock_guard lock(lock_);
    stopping_ = true;
  }
  work_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

std::shared_ptr<const Model> Server::model() const {
  const std::lock_guard lock(lock_);
  return model_;
}

void Server::set_model(std::shared_ptr<const Model> model) {
  // The old one, if this was its last owner, goes after the lock.
  const std::lock_guard lock(lock_);
  model_.swap(model);
  fits_ = options_.batch_size;
}

int Server::batch_size() const {
  const std::lock_guard lock(lock_);
  return fits_;
}

void Server::work() {
  std::unique_lock lock(lock_);
  while (!stopping_) {
    const Clock::time_point when = due();
    if (when == Clock::time_point::max()) {
      work_.wait(lock);
    } else if (when > Clock::now()) {
      work_.wait_until(lock, when);
    } else {
      Batch batch = take_batch();
      idle_--;
      if (due() <= Clock::now()) work_.notify_one();
      lock.unlock();
      run(batch);
      lock.lock();
      idle_++;
      settle(batch);
      // Frames that nobody waits for any more end here, and with them what they hold.
      lock.unlock();
      batch.clear();
      lock.lock();
    }
  }
}

// When a batch is to be taken: at once where there are enough frames for one, never where there are none.
Clock::time_point Server::due() const {
  auto oldest = Clock::time_point::max();
  size_t waiting = 0;
  for (const auto& lane : lanes_) {
    if (lane->waiting.empty()) continue;
    waiting += lane->waiting.size();
    oldest = std::min(oldest, lane->waiting.front()->arrived_);
  }
  if (waiting >= static_cast<size_t>(fits_)) return Clock::time_point::min();
  return waiting == 0 ? oldest : oldest + options_.batch_timeout;
}

// Frames that go with the first stream's first one, a stream's after another's. Streams that had their turn
// go to the end; one that was passed over keeps its place.
Server::Batch Server::take_batch() {
  Batch batch;
  const auto fits = [&](const Frame& frame) {
    return batch.empty() ||
           (frame.size() == batch.front().frame->size() && frame.options() == batch.front().frame->options());
  };
  const auto full = [&] { return batch.size() == static_cast<size_t>(fits_); };
  for (bool any = true; any && !full();) {
    any = false;
    std::list<std::shared_ptr<Lane>> served;
    for (auto lane = lanes_.begin(); lane != lanes_.end() && !full();) {
      const auto here = lane++;
      auto& waiting = (*here)->waiting;
      if (waiting.empty() || !fits(*waiting.front())) continue;
      waiting.front()->fate_ = Fate::kRunning;
      batch.push_back({std::move(waiting.front()), *here});
      waiting.pop_front();
      served.splice(served.end(), lanes_, here);
      any = true;
    }
    lanes_.splice(lanes_.end(), served);
  }
  for (const Job& job : batch) job.lane->changed.notify_all();  // there is room
  return batch;
}

void Server::run(const Batch& batch) {
  std::vector<Frame*> frames;
  for (const Job& job : batch) frames.push_back(job.frame.get());
  const auto model = this->model();
  const int most = batch_size();
  auto [results, fits] = run_batch(*model, frames, most);
  for (size_t i = 0; i < frames.size(); i++) {
    frames[i]->results_ = std::move(results[i].detections);
    frames[i]->error_ = std::move(results[i].error);
  }
  if (fits == most) return;
  const std::lock_guard lock(lock_);
  if (model == model_) fits_ = std::min(fits_, fits);  // another may need less
}

void Server::settle(const Batch& batch) {
  for (const Job& job : batch) {
    job.frame->fate_ = job.frame->error_ ? Fate::kFailed : Fate::kInferred;
    job.frame->settled_ = Clock::now();
    job.lane->changed.notify_all();
  }
}

}  // namespace caffe2rt
