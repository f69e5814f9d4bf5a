// Makes a net's two inputs of video frames, as detectron2's DefaultPredictor does (ResizeShortestEdge with
// Pillow's bilinear filter, channel order, padding with zeros) or as torchvision's detectors do. The mean is
// not taken off: the net does it.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <array>
#include <optional>
#include <span>
#include <vector>

#include "frame/frame_view.h"

namespace caffe2rt {

enum class ResizeMode {
  kAntialiased,  // Pillow's bilinear filter on whole numbers; sides are rounded: detectron2
  kBilinear,     // between the four nearest pixels, in float32; sides are rounded down: torchvision
};

struct PreprocessOptions {
  int min_size = 800;                   // short side of the net's input, pixels; 0: frames are not resized
  int max_size = 1333;                  // bound on its long side, pixels
  int size_divisibility = 0;            // height and width of `data` are multiples of it; 0 or 1: any size
  std::optional<FrameSize> fixed_size;  // frames are stretched to it, whatever the three numbers above say
  bool rgb = false;                     // channels are red, green, blue; else blue, green, red
  int channels = 3;                     // 3, or 1: luma by ITU-R BT.601, as Pillow's mode L
  bool channels_last = false;           // `data` is (N,H,W,C)
  ResizeMode resize_mode = ResizeMode::kAntialiased;
  std::array<float, 3> padding = {};  // of `data` around images, by channel in its order
};

struct NetInput {
  // (N,C,H,W) in channels_last memory or (N,H,W,C) contiguous, float32, 0..255; images at the top left, the
  // rest padding.
  at::Tensor data;
  at::Tensor im_info;            // (N,3) float32: height and width without padding, frame height / height
  std::vector<FrameSize> sizes;  // height and width without padding, by image
};

// The fixed size, or the one that the short side's minimum and the long side's bound give a frame, at least
// one pixel each way. Source: ResizeShortestEdge in detectron2/data/transforms,
// torchvision/models/detection/transform.py.
FrameSize resized_size(FrameSize frame, const PreprocessOptions& options);

// One pass over each frame: a few rows at a time become three samples a pixel, are resized with Pillow's
// bilinear filter, within one level of Pillow on every sample, or as torch.nn.functional.interpolate does it
// without align_corners, and are written to `data`. Frames may have different sizes and formats; grey ones
// are repeated into all channels. `device`: a GPU makes its `data` itself, of frames that it is sent as they
// are, or that are in a GPU's memory. Throws Error(kArgument) for a frame without pixels or with a stride
// shorter than its rows, and for one in a GPU's memory where `device` is the CPU.
NetInput preprocess(std::span<const FrameView> frames, const PreprocessOptions& options,
                    c10::Device device = c10::DeviceType::CPU);

// What makes `data`, (N,C,H,W) in channels_last memory, on a GPU, of frames that were checked and resized to
// `sizes`: the CUDA module registers it.
using ImageWriter = void (*)(std::span<const FrameView> frames, const std::vector<FrameSize>& sizes,
                             const PreprocessOptions& options, const at::Tensor& data);
struct RegisteredImageWriter {
  explicit RegisteredImageWriter(ImageWriter writer);
};
ImageWriter gpu_image_writer();  // null: none is registered

}  // namespace caffe2rt
