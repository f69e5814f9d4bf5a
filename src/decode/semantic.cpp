#include "decode/semantic.h"

#include <ATen/Parallel.h>

#include <algorithm>

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

}  // namespace

LabelMap semantic_map(const at::Tensor& logits, const ImageSizes& sizes) {
  require(logits.dim() == 3 && logits.size(0) > 0 && logits.size(1) >= sizes.input.height &&
              logits.size(2) >= sizes.input.width,
          ErrorCode::kShape, "blob 'sem_seg': expected at least {}x{}, got {}x{}", sizes.input.height,
          sizes.input.width, logits.size(1), logits.size(2));
  LabelMap map{sizes.frame.width, sizes.frame.height, {}};
  map.ids.resize(static_cast<size_t>(map.width) * map.height);
  const auto rows = make_taps(sizes.input.height, map.height),
             columns = make_taps(sizes.input.width, map.width);
  at::parallel_for(0, map.height, 16, [&](std::int64_t begin, std::int64_t end) {
    std::vector<float> blended(sizes.input.width), best(map.width);
    for (std::int64_t y = begin; y < end; y++) {
      std::int32_t* ids = map.ids.data() + y * map.width;
      for (std::int64_t c = 0; c < logits.size(0); c++) {
        const float* plane = logits.const_data_ptr<float>() + c * logits.stride(0);
        const float *low = plane + rows[y].low * logits.stride(1),
                    *high = plane + rows[y].high * logits.stride(1);
        for (int x = 0; x < sizes.input.width; x++)
          blended[x] = low[x] * rows[y].low_weight + high[x] * rows[y].high_weight;
        for (int x = 0; x < map.width; x++) {
          const Tap& tap = columns[x];
          const float value = blended[tap.low] * tap.low_weight + blended[tap.high] * tap.high_weight;
          const bool better = c == 0 || value > best[x];
          best[x] = better ? value : best[x];
          ids[x] = better ? static_cast<std::int32_t>(c) : ids[x];
        }
      }
    }
  });
  return map;
}

}  // namespace caffe2rt
