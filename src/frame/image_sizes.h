// The sizes of an image as a net sees it, and of the frame that it was made of.
#pragma once

#include "frame/frame_view.h"

namespace caffe2rt {

struct ImageSizes {
  FrameSize input;  // of the image in `data`, without padding
  FrameSize frame;  // of the frame it was resized from
};

}  // namespace caffe2rt
