// SemanticLabels as functions, and what it shares with the one on a GPU.
#pragma once

#include <cmath>
#include <vector>

#include "base/error.h"
#include "frame/image_sizes.h"
#include "runtime/operator.h"

namespace caffe2rt {

// The best class of each pixel of a frame, (height,width) row-major. `logits`: (C,H,W) float32, at least as
// large as the image; not copied where a pixel's classes lie beside each other. Bilinear, with corners not
// aligned; of equal classes the first. Throws Error(kShape).
std::vector<std::int32_t> semantic_labels(const at::Tensor& logits, const ImageSizes& sizes);

// The stretched logits themselves, (C,height,width) float32 of the frame.
at::Tensor semantic_scores(const at::Tensor& logits, const ImageSizes& sizes);

enum SemanticLabelsInput { kSemanticLogits, kImageSizes };

// The sizes of the images, input `of_images`, checked with those of input `logits`. Throws Error(kShape).
inline std::vector<ImageSizes> read_image_sizes(const Inputs& in, size_t logits = kSemanticLogits,
                                                size_t of_images = kImageSizes) {
  constexpr float kMostSide = 1 << 16;
  require_rank(in, logits, 4);
  const std::int64_t images = in[logits].size(0);
  require_shape(in, of_images, {images, 4});
  const at::Tensor sizes = in[of_images].contiguous();
  std::vector<ImageSizes> all;
  for (std::int64_t n = 0; n < images; n++) {
    const float* s = sizes.const_data_ptr<float>() + n * 4;
    for (int i = 0; i < 4; i++)
      require(s[i] >= 1 && s[i] <= kMostSide, ErrorCode::kShape, "{}: expected sides of 1 to {}, got {}",
              in.describe(of_images), kMostSide, s[i]);
    const auto whole = [&](int i) { return static_cast<int>(s[i]); };
    all.push_back({{whole(0), whole(1)}, {whole(2), whole(3)}});
    require(in[logits].size(1) > 0 && in[logits].size(2) >= whole(0) && in[logits].size(3) >= whole(1),
            ErrorCode::kShape, "{}: expected at least {}x{}, got {}x{}", in.describe(logits), whole(0),
            whole(1), in[logits].size(2), in[logits].size(3));
  }
  return all;
}

inline std::int64_t pixels_of(const std::vector<ImageSizes>& images) {
  std::int64_t pixels = 0;
  for (const ImageSizes& image : images) pixels += std::int64_t{image.frame.height} * image.frame.width;
  return pixels;
}

}  // namespace caffe2rt
