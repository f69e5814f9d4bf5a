// Makes a net's two inputs of video frames, as detectron2's DefaultPredictor does: ResizeShortestEdge with
// Pillow's bilinear filter, channel order, padding with zeros. The mean is not taken off: the net does it.
#pragma once

#include <ATen/core/Tensor.h>

#include <span>
#include <vector>

#include "frame/frame_view.h"

namespace caffe2rt {

struct PreprocessOptions {
  int min_size = 800;         // short side of the net's input, pixels; 0: frames are not resized
  int max_size = 1333;        // bound on its long side, pixels
  int size_divisibility = 0;  // height and width of `data` are multiples of it; 0 or 1: any size
  bool rgb = false;           // channels are red, green, blue; else blue, green, red
};

struct NetInput {
  at::Tensor data;     // (N,3,H,W) float32 contiguous, 0..255; images lie at the top left, the rest is 0
  at::Tensor im_info;  // (N,3) float32: height and width without padding, frame height / height
  std::vector<FrameSize> sizes;  // height and width without padding, by image
};

// The size that ResizeShortestEdge gives a frame; at least one pixel each way. Source:
// detectron2/data/transforms.
FrameSize resized_size(FrameSize frame, const PreprocessOptions& options);

// Resizes a frame with Pillow's bilinear filter, antialiased; within one level of Pillow on every sample.
// Returns (1,C,height,width) uint8 in channels_last memory, C samples as the frame's pixels have; a view of
// the frame where it has that size already.
at::Tensor resize_frame(const FrameView& frame, FrameSize size);

// Frames may have different sizes and formats; grey ones are repeated into three channels. Throws
// Error(kArgument) for a frame without pixels or with a stride shorter than its rows.
NetInput preprocess(std::span<const FrameView> frames, const PreprocessOptions& options);

}  // namespace caffe2rt
