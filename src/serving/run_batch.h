// Runs a model on some frames, together as far as they go together.
#pragma once

#include <exception>
#include <memory>
#include <span>
#include <vector>

#include "model/model.h"
#include "serving/frame.h"

namespace caffe2rt {

struct FrameResult {
  std::vector<std::shared_ptr<const Detections>> detections;  // one a view of the frame
  std::exception_ptr error;                                   // or what went wrong
};

struct BatchResult {
  std::vector<FrameResult> frames;
  int fits = 0;  // most views that may be run at once: less than asked for where memory did not take as many
};

// One result a frame. At most `most` views are run at once: those of one size, or any where the model
// stretches all to its own. A frame that fails takes no other with it. REQUIRES: the frames' options are
// equal; most is at least 1.
BatchResult run_batch(const Model& model, std::span<Frame* const> frames, int most);

}  // namespace caffe2rt
