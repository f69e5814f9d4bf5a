// Calibrator: looks at frames in float32 and notes in which ranges the blobs lie that 8 bit layers will read.
#pragma once

#include <memory>

#include "frame/frame_view.h"
#include "graph/precision.h"
#include "model/model.h"

namespace caffe2rt {

class Calibrator {
 public:
  virtual ~Calibrator() = default;

  // Throws Error.
  virtual void look(const FrameView& frame) = 0;

  // The mean, over all frames so far, of the least and of the largest value of each blob: what a few frames
  // have beyond that is cut off rather than all of them told apart less finely.
  virtual Calibration result() const = 0;
};

// Of the model that these options name, whatever precision they say. Throws Error.
std::unique_ptr<Calibrator> make_calibrator(ModelOptions options);

}  // namespace caffe2rt
