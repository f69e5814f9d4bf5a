#include "serving/stream.h"

#include <algorithm>
#include <utility>

namespace caffe2rt {

Stream::Stream(std::shared_ptr<Server> server)
    : server_(std::move(server)), lane_(std::make_shared<Server::Lane>()) {
  const std::lock_guard lock(server_->lock_);
  server_->lanes_.push_back(lane_);
}

Stream::~Stream() {
  stop();
  const std::lock_guard lock(server_->lock_);
  server_->lanes_.remove(lane_);
}

void Stream::set_options(const StreamOptions& options) {
  const std::lock_guard lock(server_->lock_);
  options_ = options;
  lane_->changed.notify_all();
}

// Frames that a worker is about to take do not count as waiting.
size_t Stream::queue_size() const {
  return static_cast<size_t>(options_.queue_size) +
         static_cast<size_t>(server_->idle_) * static_cast<size_t>(server_->options_.batch_size);
}

bool Stream::has_room(bool wanted) const {
  const size_t inside = static_cast<size_t>(options_.queue_size) + static_cast<size_t>(server_->capacity());
  if (options_.overflow != Overflow::kBlock)
    return held_ < std::max(inside, static_cast<size_t>(options_.most_held));
  return held_ < inside && (!wanted || lane_->waiting.size() < queue_size());
}

// Returns what is to be let go after the lock.
std::shared_ptr<Item> Stream::overrun_oldest() {
  const std::shared_ptr<Frame> oldest = std::move(lane_->waiting.front());
  lane_->waiting.pop_front();
  if (options_.overflow == Overflow::kDrop) {
    const auto here = std::ranges::find(entries_, oldest.get(), &Entry::frame);
    entries_.erase(here);
    held_--;
    counter_.dropped(1);
  } else {
    oldest->fate_ = Fate::kOverrun;
    oldest->settled_ = Clock::now();
  }
  return oldest;
}

bool Stream::push(std::shared_ptr<Frame> frame, bool wanted) {
  std::vector<std::shared_ptr<Item>> overrun;  // goes after the lock
  std::unique_lock lock(server_->lock_);
  lane_->changed.wait(lock, [&] { return stopped_ || has_room(wanted); });
  if (stopped_) return false;
  frame->arrived_ = frame->settled_ = Clock::now();
  counter_.entered();
  held_++;
  entries_.push_back({frame, frame.get()});
  if (wanted) {
    while (lane_->waiting.size() >= queue_size()) overrun.push_back(overrun_oldest());
    frame->fate_ = Fate::kWaiting;
    lane_->waiting.push_back(std::move(frame));
    server_->work_.notify_one();
  }
  lane_->changed.notify_all();
  return true;
}

bool Stream::push(std::shared_ptr<Item> item) {
  const std::lock_guard lock(server_->lock_);
  if (stopped_) return false;
  entries_.push_back({std::move(item)});
  lane_->changed.notify_all();
  return true;
}

std::shared_ptr<Item> Stream::pop() {
  std::unique_lock lock(server_->lock_);
  const auto ready = [&] {
    if (entries_.empty()) return false;
    const Frame* frame = entries_.front().frame;
    return !frame || (frame->fate_ != Fate::kWaiting && frame->fate_ != Fate::kRunning);
  };
  lane_->changed.wait(lock, [&] { return stopped_ || ready(); });
  if (stopped_) return nullptr;
  const Entry next = std::move(entries_.front());
  entries_.pop_front();
  if (next.frame) {
    held_--;
    ready_ = std::max(ready_, next.frame->settled_);
    counter_.left(next.frame->fate_ == Fate::kInferred, ready_ - next.frame->arrived_);
    lane_->changed.notify_all();
  }
  return next.item;
}

std::vector<std::shared_ptr<Item>> Stream::stop() {
  std::vector<std::shared_ptr<Item>> inside;
  const std::lock_guard lock(server_->lock_);
  stopped_ = true;
  for (Entry& entry : entries_) inside.push_back(std::move(entry.item));
  entries_.clear();
  lane_->waiting.clear();
  counter_.dropped(std::exchange(held_, 0));
  lane_->changed.notify_all();
  return inside;
}

void Stream::start() {
  const std::lock_guard lock(server_->lock_);
  stopped_ = false;
}

StreamStats Stream::stats() const {
  const std::lock_guard lock(server_->lock_);
  return counter_.stats();
}

std::uint64_t Stream::frames_dropped() const {
  const std::lock_guard lock(server_->lock_);
  return counter_.frames_dropped();
}

std::chrono::nanoseconds Stream::latency() const {
  const std::lock_guard lock(server_->lock_);
  return counter_.latency();
}

}  // namespace caffe2rt
