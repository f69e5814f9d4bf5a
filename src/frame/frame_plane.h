// FramePlane: samples of a video frame to be changed in place, owned by somebody else.
#pragma once

#include <cstddef>
#include <cstdint>

namespace caffe2rt {

// Samples that lie together: all of a packed format's, or luma, or chroma.
struct FramePlane {
  std::uint8_t* data = nullptr;
  std::ptrdiff_t stride = 0;  // bytes
  int width = 0, height = 0;  // samples; of a subsampled plane fewer than the frame has pixels
  int channels = 1;           // bytes from one sample to the next
};

}  // namespace caffe2rt
