#include "decode/semantic.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "decode/blob_access.h"
#include "geometry/linear_tap.h"

namespace caffe2rt {
namespace {

constexpr const char *kLogits = "sem_seg", *kLabels = "caffe2rt.semantic_labels";

std::vector<LinearTap> make_taps(int in, int out) {
  std::vector<LinearTap> taps;
  taps.reserve(out);
  for (int i = 0; i < out; i++) taps.emplace_back(i, in, out);
  return taps;
}

// Stretches planes of (C,H,W) logits, without their padding, over a frame.
class Stretch {
 public:
  Stretch(const at::Tensor& logits, const ImageSizes& sizes)
      : logits_(logits),
        width_(sizes.input.width),
        rows_(make_taps(sizes.input.height, sizes.frame.height)),
        columns_(make_taps(sizes.input.width, sizes.frame.width)) {
    require(logits.dim() == 3 && logits.size(0) > 0 && logits.size(1) >= sizes.input.height &&
                logits.size(2) >= sizes.input.width,
            ErrorCode::kShape, "blob 'sem_seg': expected at least {}x{}, got {}x{}", sizes.input.height,
            sizes.input.width, logits.size(1), logits.size(2));
  }

  // Calls each(x, value) for a row of the frame. `blended`: room for a row of the input.
  template <class F>
  void row(std::int64_t c, std::int64_t y, std::vector<float>& blended, F&& each) const {
    const float* plane = logits_.const_data_ptr<float>() + c * logits_.stride(0);
    const float *low = plane + rows_[y].low * logits_.stride(1),
                *high = plane + rows_[y].high * logits_.stride(1);
    for (int x = 0; x < width_; x++) blended[x] = rows_[y].between(low[x], high[x]);
    for (size_t x = 0; x < columns_.size(); x++)
      each(x, columns_[x].between(blended[columns_[x].low], blended[columns_[x].high]));
  }

 private:
  const at::Tensor& logits_;
  const int width_;
  const std::vector<LinearTap> rows_, columns_;
};

}  // namespace

LabelMap semantic_map(const at::Tensor& logits, const ImageSizes& sizes) {
  const Stretch stretch(logits, sizes);
  LabelMap map{sizes.frame.width, sizes.frame.height, {}};
  map.ids.resize(static_cast<size_t>(map.width) * map.height);
  at::parallel_for(0, map.height, 16, [&](std::int64_t begin, std::int64_t end) {
    std::vector<float> blended(sizes.input.width), best(map.width);
    for (std::int64_t y = begin; y < end; y++) {
      std::int32_t* ids = map.ids.data() + y * map.width;
      for (std::int64_t c = 0; c < logits.size(0); c++)
        stretch.row(c, y, blended, [&](size_t x, float value) {
          const bool better = c == 0 || value > best[x];
          best[x] = better ? value : best[x];
          ids[x] = better ? static_cast<std::int32_t>(c) : ids[x];
        });
    }
  });
  return map;
}

std::vector<LabelMap> semantic_maps(const Blobs& blobs, std::span<const ImageSizes> images) {
  std::vector<LabelMap> maps;
  const auto found = blobs.find(kLabels);
  if (found == blobs.end()) {
    const at::Tensor logits =
        host_blob(blobs, kLogits, {static_cast<std::int64_t>(images.size()), -1, -1, -1});
    for (size_t i = 0; i < images.size(); i++)
      maps.push_back(semantic_map(logits.select(0, static_cast<std::int64_t>(i)), images[i]));
    return maps;
  }
  const at::Tensor labels = found->second.to(at::kCPU, at::kInt).contiguous();
  const auto* ids = labels.const_data_ptr<int>();
  std::int64_t left = labels.numel();
  for (const ImageSizes& image : images) {
    const std::int64_t pixels = std::int64_t{image.frame.height} * image.frame.width;
    require(pixels <= left, ErrorCode::kShape, "blob '{}': expected labels of {} more pixels, got {}",
            kLabels, pixels, left);
    maps.push_back({image.frame.width, image.frame.height, {ids, ids + pixels}});
    ids += pixels;
    left -= pixels;
  }
  return maps;
}

OperatorDef semantic_operator_for_gpu() {
  return {.type = "caffe2rt.SemanticLabels", .inputs = {kLogits, kImageSizesBlob}, .outputs = {kLabels}};
}

at::Tensor semantic_scores(const at::Tensor& logits, const ImageSizes& sizes) {
  const Stretch stretch(logits, sizes);
  const std::array<std::int64_t, 3> shape = {logits.size(0), sizes.frame.height, sizes.frame.width};
  at::Tensor scores = at::empty(shape, at::TensorOptions(at::kFloat));
  auto* to = scores.mutable_data_ptr<float>();
  at::parallel_for(0, shape[0] * shape[1], 16, [&](std::int64_t begin, std::int64_t end) {
    std::vector<float> blended(sizes.input.width);
    for (std::int64_t i = begin; i < end; i++)
      stretch.row(i / shape[1], i % shape[1], blended,
                  [&](size_t x, float value) { to[i * shape[2] + static_cast<std::int64_t>(x)] = value; });
  });
  return scores;
}

}  // namespace caffe2rt
