#include "serving/run_batch.h"

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace caffe2rt {
namespace {

// A view, and where its result goes.
struct Part {
  FrameView view;
  size_t frame = 0, index = 0;
};

class Run {
 public:
  Run(const Model& model, std::span<Frame* const> frames, int most)
      : model_(model), frames_(frames), fits_(most), results_(frames.size()) {}

  size_t fits() const { return static_cast<size_t>(fits_); }

  // Again by halves, or fewer at once, where that fails: to find which part it is, or as memory takes no
  // more.
  void detect(std::span<const Part> parts) {
    const std::exception_ptr error = try_to_detect(parts);
    if (!error) return;
    if (parts.size() == 1) {
      results_[parts.front().frame].error = error;
      return;
    }
    const size_t half = (parts.size() + 1) / 2;
    for (size_t from = 0; from < parts.size();) {
      const size_t count = std::min({half, fits(), parts.size() - from});
      detect(parts.subspan(from, count));
      from += count;
    }
  }

  std::vector<Part> map() {
    std::vector<Part> parts;
    for (size_t i = 0; i < frames_.size(); i++) {
      try {
        const std::vector<FrameView> views = frames_[i]->map(model_.info().reads_gpu_memory);
        mapped_.push_back(frames_[i]);
        results_[i].detections.resize(views.size());
        for (size_t k = 0; k < views.size(); k++) parts.push_back({views[k], i, k});
      } catch (...) {
        results_[i].error = std::current_exception();
      }
    }
    return parts;
  }

  BatchResult result() {
    for (Frame* frame : mapped_) frame->unmap();
    return {std::move(results_), fits_};
  }

 private:
  // What went wrong; null: nothing.
  std::exception_ptr try_to_detect(std::span<const Part> parts) {
    std::vector<FrameView> views;
    for (const Part& part : parts) views.push_back(part.view);
    try {
      const auto seen = model_.detect(views, frames_.front()->options());
      for (size_t i = 0; i < parts.size(); i++)
        results_[parts[i].frame].detections[parts[i].index] = seen.at(i);
      return nullptr;
    } catch (const Error& e) {
      // One alone that does not fit says nothing of batches of others.
      if (e.code() == ErrorCode::kMemory && parts.size() > 1)
        fits_ = std::min(fits_, static_cast<int>(parts.size() / 2));
      return std::current_exception();
    } catch (...) {
      return std::current_exception();
    }
  }

  const Model& model_;
  const std::span<Frame* const> frames_;
  int fits_;
  std::vector<FrameResult> results_;
  std::vector<Frame*> mapped_;
};

bool same_size(const Part& a, const Part& b) {
  return a.view.width == b.view.width && a.view.height == b.view.height;
}

}  // namespace

BatchResult run_batch(const Model& model, std::span<Frame* const> frames, int most) {
  Run run(model, frames, most);
  const std::vector<Part> parts = run.map();
  const bool any_size = model.info().fixed_size.has_value();
  for (size_t from = 0; from < parts.size();) {
    size_t to = from + 1;
    while (to < parts.size() && to - from < run.fits() && (any_size || same_size(parts[from], parts[to])))
      to++;
    run.detect(std::span(parts).subspan(from, to - from));
    from = to;
  }
  return run.result();
}

}  // namespace caffe2rt
