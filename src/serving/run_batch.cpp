#include "serving/run_batch.h"

#include <algorithm>
#include <utility>

namespace caffe2rt {
namespace {

// A view, and where its result goes.
struct Part {
  FrameView view;
  size_t frame = 0, index = 0;
};

class Run {
 public:
  Run(const Model& model, std::span<Frame* const> frames)
      : model_(model), frames_(frames), results_(frames.size()) {}

  // Runs parts[from, to); again one by one where that fails, to find which it is.
  void detect(std::span<const Part> parts) {
    std::vector<FrameView> views;
    for (const Part& part : parts) views.push_back(part.view);
    try {
      const auto seen = model_.detect(views, frames_.front()->options());
      for (size_t i = 0; i < parts.size(); i++)
        results_[parts[i].frame].detections[parts[i].index] = seen.at(i);
    } catch (...) {
      if (parts.size() > 1)
        for (const Part& part : parts) detect({&part, 1});
      else
        results_[parts.front().frame].error = std::current_exception();
    }
  }

  std::vector<Part> map() {
    std::vector<Part> parts;
    for (size_t i = 0; i < frames_.size(); i++) {
      try {
        const std::vector<FrameView> views = frames_[i]->map();
        mapped_.push_back(frames_[i]);
        results_[i].detections.resize(views.size());
        for (size_t k = 0; k < views.size(); k++) parts.push_back({views[k], i, k});
      } catch (...) {
        results_[i].error = std::current_exception();
      }
    }
    return parts;
  }

  std::vector<FrameResult> results() {
    for (Frame* frame : mapped_) frame->unmap();
    return std::move(results_);
  }

 private:
  const Model& model_;
  const std::span<Frame* const> frames_;
  std::vector<FrameResult> results_;
  std::vector<Frame*> mapped_;
};

bool same_size(const Part& a, const Part& b) {
  return a.view.width == b.view.width && a.view.height == b.view.height;
}

}  // namespace

std::vector<FrameResult> run_batch(const Model& model, std::span<Frame* const> frames, int most) {
  Run run(model, frames);
  const std::vector<Part> parts = run.map();
  const bool any_size = model.info().fixed_size.has_value();
  for (size_t from = 0; from < parts.size();) {
    size_t to = from + 1;
    while (to < parts.size() && to - from < static_cast<size_t>(most) &&
           (any_size || same_size(parts[from], parts[to])))
      to++;
    run.detect(std::span(parts).subspan(from, to - from));
    from = to;
  }
  return run.results();
}

}  // namespace caffe2rt
