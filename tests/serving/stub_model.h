// A model for tests of serving: it sees in each frame one object, whose class is the frame's first byte, and
// takes for a batch as long as the test lets it.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <utility>

#include "base/error.h"
#include "serving/frame.h"
#include "serving/server.h"

namespace caffe2rt {

// Holds whoever passes until it is opened.
class Gate {
 public:
  void open(int times = 1) {
    const std::lock_guard lock(lock_);
    open_ += times;
    changed_.notify_all();
  }
  void pass() {
    std::unique_lock lock(lock_);
    waiting_++;
    changed_.notify_all();
    changed_.wait(lock, [&] { return open_ > 0; });
    open_--;
    waiting_--;
  }
  // Waits until so many are held.
  void await(int held) {
    std::unique_lock lock(lock_);
    changed_.wait(lock, [&] { return waiting_ >= held; });
  }

 private:
  std::mutex lock_;
  std::condition_variable changed_;
  int open_ = 0, waiting_ = 0;
};

class StubModel final : public Model {
 public:
  // `on_batch` is called for each batch, by several threads at once.
  explicit StubModel(std::function<void(std::span<const FrameView>)> on_batch = {}, float score = 0.5F)
      : on_batch_(std::move(on_batch)), score_(score) {}

  const ModelInfo& info() const override { return info_; }
  const DetectOptions& defaults() const override { return defaults_; }
  void set_fixed_size() { info_.fixed_size = FrameSize{1, 1}; }

  std::vector<std::shared_ptr<const Detections>> detect(std::span<const FrameView> frames,
                                                        const DetectOptions&) const override {
    if (on_batch_) on_batch_(frames);
    std::vector<std::shared_ptr<const Detections>> all;
    for (const FrameView& frame : frames) {
      require(*frame.data != kBad, ErrorCode::kShape, "a bad frame");
      auto seen = std::make_shared<Detections>();
      seen->objects = {{.score = score_, .class_id = *frame.data}};
      all.push_back(std::move(seen));
    }
    return all;
  }

  static constexpr std::uint8_t kBad = 255;  // a frame of which the model throws

 private:
  const std::function<void(std::span<const FrameView>)> on_batch_;
  const float score_;
  ModelInfo info_;
  DetectOptions defaults_;
};

class StubFrame final : public Frame {
 public:
  explicit StubFrame(int id, FrameSize size = {1, 1}, DetectOptions options = {}, int views = 1)
      : Frame(size, std::move(options)), id_(static_cast<std::uint8_t>(id)), views_(views) {}

  std::vector<FrameView> map(bool) override {
    require(views_ >= 0, ErrorCode::kArgument, "pixels out of reach");
    mapped_++;
    FrameView view;
    view.width = size().width;
    view.height = size().height;
    view.data = &id_;
    return std::vector<FrameView>(views_, view);
  }
  void unmap() noexcept override { mapped_--; }

  int id() const { return id_; }
  int mapped() const { return mapped_; }

 private:
  const std::uint8_t id_;
  const int views_;
  int mapped_ = 0;
};

inline std::shared_ptr<Server> make_server(std::shared_ptr<const Model> model, ServerOptions options = {}) {
  return std::make_shared<Server>(std::move(model), options);
}

}  // namespace caffe2rt
