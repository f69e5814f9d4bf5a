// caffe2rt.SemanticLabels: the best class of each pixel of frames, of a semantic head's logits: what
// detectron2 does after the net (sem_seg_postprocess in detectron2/modeling/postprocessing.py, then argmax),
// as an operator, so that a GPU does it where the logits are.
#include "ops/semantic_labels.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <array>

#include "geometry/linear_tap.h"

namespace caffe2rt {
namespace {

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

class SemanticLabels final : public Operator {
 public:
  explicit SemanticLabels(const OperatorArgs& /*args*/) {}

  void run(const Inputs& in, Outputs& out) const override {
    const auto images = read_image_sizes(in);
    const at::Tensor logits = in[kSemanticLogits].contiguous();
    out[0] = at::empty({pixels_of(images)}, logits.options().dtype(at::kInt));
    auto* to = out[0].mutable_data_ptr<int>();
    for (size_t n = 0; n < images.size(); n++)
      to = std::ranges::copy(semantic_labels(logits.select(0, static_cast<std::int64_t>(n)), images[n]), to)
               .out;
  }
};

REGISTER_OPERATOR_AS("caffe2rt.SemanticLabels", SemanticLabels)
    .says(
        "Stretches each image's logits, without their padding, over its frame: the best class of each pixel, "
        "of equal ones the first.")
    .input("logits", "(N,C,H,W) float32")
    .host_input("sizes",
                "(N,4) float32: height and width of the image without padding, height and width of the frame")
    .output("labels", "(P) int32: those of the first frame, row by row, then those of the next",
            infer::fixed({kUnknown}));

}  // namespace

std::vector<std::int32_t> semantic_labels(const at::Tensor& logits, const ImageSizes& sizes) {
  const Stretch stretch(logits, sizes);
  const std::int64_t height = sizes.frame.height, width = sizes.frame.width;
  std::vector<std::int32_t> labels(height * width);
  at::parallel_for(0, height, 16, [&](std::int64_t begin, std::int64_t end) {
    std::vector<float> blended(sizes.input.width), best(width);
    for (std::int64_t y = begin; y < end; y++) {
      std::int32_t* ids = labels.data() + y * width;
      for (std::int64_t c = 0; c < logits.size(0); c++)
        stretch.row(c, y, blended, [&](size_t x, float value) {
          const bool better = c == 0 || value > best[x];
          best[x] = better ? value : best[x];
          ids[x] = better ? static_cast<std::int32_t>(c) : ids[x];
        });
    }
  });
  return labels;
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
