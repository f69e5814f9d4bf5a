// The anchors of a RetinaNet: boxes of several sizes and shapes around every cell of its feature maps. A
// NetDef carries detectron2's DefaultAnchorGenerator as torch.save wrote it; this reads its numbers.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "decode/detections.h"

namespace caffe2rt {

struct AnchorGenerator {
  struct Level {
    std::vector<Box> cell;             // anchors around the origin, pixels of the net's input
    float x_stride = 0, y_stride = 0;  // pixels from one cell to the next
  };
  std::vector<Level> levels;  // finest first
  float offset = 0;           // of the first cell's centre, in strides

  // Anchor `index` of the cell in that row and column.
  Box anchor(size_t level, std::int64_t row, std::int64_t column, std::int64_t index) const;
};

// Reads the net argument `serialized_anchor_generator`. Throws Error: see read_torch_archive, and
// kUnsupported for a generator of another kind.
AnchorGenerator read_anchor_generator(std::string_view bytes);

}  // namespace caffe2rt
