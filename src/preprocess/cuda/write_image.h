// Kernels of preprocess(): a frame's pixels, resized as preprocess/preprocess.h says, in a GPU's memory.
#pragma once

#include "frame/frame_view.h"
#include "ops/cuda/launch.h"

namespace caffe2rt::cuda {

// kernels/resize.h's Axis, its arrays in the GPU's memory.
struct ResizedAxis {
  int from = 0, to = 0, taps = 0, precision = 0;
  const int* first = nullptr;             // (to)
  const int* count = nullptr;             // (to)
  const std::int16_t* weights = nullptr;  // (to,taps)
};

enum class Resizing { kNone, kAntialiased, kBilinear };

struct WrittenImage {
  FrameView frame;  // its pixels in the GPU's memory
  Resizing resizing = Resizing::kNone;
  ResizedAxis rows, columns;        // of kAntialiased
  std::uint8_t* between = nullptr;  // of kAntialiased: (frame.height, width, 3), for its own use
  int height = 0, width = 0;        // of the resized image
  bool rgb = false;                 // channels are red, green, blue; else blue, green, red
  int channels = 3;                 // or 1: luma
  int data_height = 0, data_width = 0;
  float padding[3] = {};
  float* data = nullptr;  // (data_height, data_width, channels)
};
void write_image(const WrittenImage& image, cudaStream_t stream);

}  // namespace caffe2rt::cuda
