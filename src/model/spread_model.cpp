#include "model/spread_model.h"

#include <algorithm>
#include <mutex>
#include <utility>

namespace caffe2rt {
namespace {

class SpreadModel final : public Model {
 public:
  explicit SpreadModel(std::vector<std::unique_ptr<Model>> models)
      : models_(std::move(models)), info_(models_.front()->info()), frames_(models_.size()) {
    info_.reads_gpu_memory =
        std::ranges::all_of(models_, [](const auto& model) { return model->info().reads_gpu_memory; });
  }

  const ModelInfo& info() const override { return info_; }
  const DetectOptions& defaults() const override { return models_.front()->defaults(); }

  std::vector<std::shared_ptr<const Detections>> detect(std::span<const FrameView> frames,
                                                        const DetectOptions& options) const override {
    const size_t chosen = take(frames.size());
    const auto leave = [&](const Model*) {
      const std::lock_guard lock(lock_);
      frames_[chosen] -= frames.size();
    };
    const std::unique_ptr<const Model, decltype(leave)> model(models_[chosen].get(), leave);
    return model->detect(frames, options);
  }

 private:
  size_t take(size_t frames) const {
    const std::lock_guard lock(lock_);
    const auto chosen = std::ranges::min_element(frames_);
    *chosen += frames;
    return static_cast<size_t>(chosen - frames_.begin());
  }

  const std::vector<std::unique_ptr<Model>> models_;
  ModelInfo info_;
  mutable std::mutex lock_;
  mutable std::vector<size_t> frames_;  // that each model looks at now
};

}  // namespace

std::unique_ptr<Model> spread(std::vector<std::unique_ptr<Model>> models) {
  return std::make_unique<SpreadModel>(std::move(models));
}

}  // namespace caffe2rt
