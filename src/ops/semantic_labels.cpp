// caffe2rt.SemanticLabels: the best class of each pixel of frames, of a semantic head's logits: what
// detectron2 does after the net (sem_seg_postprocess in detectron2/modeling/postprocessing.py, then argmax),
// as an operator, so that a GPU does it where the logits are.
#include "ops/semantic_labels.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <array>

#include "geometry/linear_tap.h"
#include "kernels/best_class.h"

namespace caffe2rt {
namespace {

std::vector<LinearTap> make_taps(int in, int out) {
  std::vector<LinearTap> taps;
  taps.reserve(out);
  for (int i = 0; i < out; i++) taps.emplace_back(i, in, out);
  return taps;
}

void check(const at::Tensor& logits, const ImageSizes& sizes) {
  require(logits.dim() == 3 && logits.size(0) > 0 && logits.size(1) >= sizes.input.height &&
              logits.size(2) >= sizes.input.width,
          ErrorCode::kShape, "blob 'sem_seg': expected at least {}x{}, got {}x{}", sizes.input.height,
          sizes.input.width, logits.size(1), logits.size(2));
}

// Stretches planes of (C,H,W) logits, without their padding, over a frame.
class Stretch {
 public:
  Stretch(const at::Tensor& logits, const ImageSizes& sizes)
      : logits_(logits),
        width_(sizes.input.width),
        rows_(make_taps(sizes.input.height, sizes.frame.height)),
        columns_(make_taps(sizes.input.width, sizes.frame.width)) {
    check(logits, sizes);
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
    const at::Tensor& logits = in[kSemanticLogits];
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
  check(logits, sizes);
  const at::Tensor map = logits.permute({1, 2, 0}).contiguous();  // (H,W,C)
  const std::int64_t height = sizes.frame.height, width = sizes.frame.width;
  std::vector<best_class::Tap> pixels;
  pixels.reserve(width);
  for (const LinearTap& tap : make_taps(sizes.input.width, sizes.frame.width))
    pixels.push_back({tap.low, tap.low_weight, tap.high_weight});
  const std::vector<LinearTap> rows = make_taps(sizes.input.height, sizes.frame.height);
  const best_class::Problem first{
      .pixels = pixels, .classes = static_cast<int>(map.size(2)), .width = sizes.input.width};
  std::vector<std::int32_t> labels(height * width);
  at::parallel_for(0, height, 16, [&](std::int64_t begin, std::int64_t end) {
    best_class::Problem row = first;
    at::Tensor scratch = at::empty({static_cast<std::int64_t>(best_class::scratch_size(row))}, at::kFloat);
    for (std::int64_t y = begin; y < end; y++) {
      row.upper = map.const_data_ptr<float>() + rows[y].low * map.stride(0);
      row.lower = map.const_data_ptr<float>() + rows[y].high * map.stride(0);
      row.upper_weight = rows[y].low_weight;
      row.lower_weight = rows[y].high_weight;
      best_class::run(row, labels.data() + y * width, scratch.mutable_data_ptr<float>());
    }
  });
  return labels;
}

at::Tensor semantic_scores(const at::Tensor& any, const ImageSizes& sizes) {
  const at::Tensor logits = any.contiguous();
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
