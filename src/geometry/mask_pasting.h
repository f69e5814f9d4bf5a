// How a soft mask becomes pixels of a frame.
#pragma once

namespace caffe2rt {

enum class MaskPasting {
  kSubpixel,      // interpolated where the box lies: detectron2
  kIntegerBoxes,  // resized to the box, padded by a cell and cut down to whole pixels: torchvision
};

}  // namespace caffe2rt
