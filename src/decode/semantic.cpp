#include "decode/semantic.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <array>

#include "base/error.h"

namespace caffe2rt {
namespace {

// Between which two input samples an output sample lies.
struct Tap {
  std::int64_t low = 0, high = 0;
  float low_weight = 0, high_weight = 0;
};

std::vector<Tap> make_taps(int in, int out) {
  std::vector<Tap> taps(out);
  // Where it makes a single sample, the torch of detectron2's day takes the first and not the middle.
  const float scale = out == 1 ? 0 : static_cast<float>(in) / static_cast<float>(out);
  for (int i = 0; i < out; i++) {
    const float source = std::max(0.0F, scale * (static_cast<float>(i) + 0.5F) - 0.5F);
    const std::int64_t low = std::min(static_cast<std::int64_t>(source), std::int64_t{in} - 1);
    const float weight = std::min(source - static_cast<float>(low), 1.0F);
    taps[i] = {low, std::min(low + 1, std::int64_t{in} - 1), 1 - weight, weight};
  }
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
    for (int x = 0; x < width_; x++)
      blended[x] = low[x] * rows_[y].low_weight + high[x] * rows_[y].high_weight;
    for (size_t x = 0; x < columns_.size(); x++) {
      const Tap& tap = columns_[x];
      each(x, blended[tap.low] * tap.low_weight + blended[tap.high] * tap.high_weight);
    }
  }

 private:
  const at::Tensor& logits_;
  const int width_;
  const std::vector<Tap> rows_, columns_;
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
