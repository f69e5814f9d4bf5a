// caffe2rt.BestAnchors: the places of a feature map where a class scores best, and how far the box there
// moves: the first step of what detectron2 does after a RetinaNet (RetinaNet.inference_single_image in
// detectron2/modeling/meta_arch/retinanet.py), as an operator, so that a GPU does it where the maps are.
#include "ops/best_anchors.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <numeric>

#include "ops/shape_args.h"

namespace caffe2rt {
namespace {

class BestAnchors final : public Operator {
 public:
  explicit BestAnchors(const OperatorArgs& args) : args_(args) {}

  PartialShape values_shape(PartialShapes in) const { return args_.shape_of(in, BestAnchorsArgs::kValues); }
  PartialShape places_shape(PartialShapes in) const { return args_.shape_of(in, BestAnchorsArgs::kPlaces); }

  void run(const Inputs& in, Outputs& out) const override {
    args_.check(shapes_of(in));
    const at::Tensor scores = in[BestAnchorsArgs::kScores].contiguous(),
                     deltas = in[BestAnchorsArgs::kDeltas].contiguous();
    const std::int64_t images = scores.size(0), channels = scores.size(1), width = scores.size(3),
                       cells = scores.size(2) * width, count = args_.count_of(scores.sizes());
    out[0] = at::empty({images, count, BestAnchorsArgs::kValues}, scores.options());
    out[1] = at::empty({images, count, BestAnchorsArgs::kPlaces}, scores.options().dtype(at::kInt));
    out[2] = at::empty({3}, out[1].options());
    for (const std::int64_t axis : {1, 2, 3})
      out[2].mutable_data_ptr<int>()[axis - 1] = static_cast<int>(scores.size(axis));
    auto* values = out[0].mutable_data_ptr<float>();
    auto* places = out[1].mutable_data_ptr<int>();
    for (std::int64_t n = 0; n < images; n++) {
      const float* of_image = scores.const_data_ptr<float>() + n * channels * cells;
      const float* moves = deltas.const_data_ptr<float>() + n * deltas.stride(0);
      for (const std::int64_t position : best(of_image, channels, cells, count)) {
        const std::int64_t cell = position / channels, channel = position % channels;
        const std::int64_t anchor = channel / (channels / args_.anchors);
        *values++ = of_image[channel * cells + cell];
        for (std::int64_t i = 0; i < 4; i++) *values++ = moves[(anchor * 4 + i) * cells + cell];
        *places++ = static_cast<int>(cell / width);
        *places++ = static_cast<int>(cell % width);
        *places++ = static_cast<int>(channel);
      }
    }
  }

 private:
  // Positions, cell * channels + channel, in order.
  static std::vector<std::int64_t> best(const float* scores, std::int64_t channels, std::int64_t cells,
                                        std::int64_t count) {
    std::vector<std::int64_t> positions(channels * cells);
    std::iota(positions.begin(), positions.end(), 0);
    const auto score = [&](std::int64_t p) { return scores[p % channels * cells + p / channels]; };
    const auto before = [&](std::int64_t a, std::int64_t b) {
      return score(a) > score(b) || (score(a) == score(b) && a < b);
    };
    std::partial_sort(positions.begin(), positions.begin() + count, positions.end(), before);
    positions.resize(count);
    return positions;
  }

  const BestAnchorsArgs args_;
};

REGISTER_OPERATOR_AS("caffe2rt.BestAnchors", BestAnchors)
    .says(
        "The places of a feature map where a class scores best, best first; of equal ones the earlier in "
        "the map, rows first and channels last.")
    .input("scores", "(N,A*K,H,W) float32, of K classes for each of A anchors a cell")
    .input("deltas", "(N,A*4,H,W) float32: how far each anchor's box moves")
    .output("values", "(N,M,5) float32: the score there and the anchor's deltas; M is at most `most`",
            infer::by(&BestAnchors::values_shape))
    .output("places", "(N,M,3) int32: row, column and channel of `scores`",
            infer::by(&BestAnchors::places_shape))
    .output("size", "(3) int32: A*K, H and W", infer::fixed({3}))
    .arg("anchors", "A")
    .arg("most", "how many of an image; default 1000");

}  // namespace
}  // namespace caffe2rt
