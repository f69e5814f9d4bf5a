// caffe2rt.BestAnchors on a GPU: see ops/best_anchors.cpp.
#include "ops/best_anchors.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/topk.h>

#include <limits>

#include "ops/cuda/best_anchors.h"
#include "ops/cuda/tensors.h"
#include "runtime/cuda_operator.h"

namespace caffe2rt::cuda {
namespace {

class BestAnchors final : public Operator {
 public:
  using Args = BestAnchorsArgs;

  explicit BestAnchors(const OperatorArgs& args) : args_(args) {}

  void run(const Inputs& in, Outputs& out) const override {
    args_.check(shapes_of(in));
    const at::Tensor scores = in[Args::kScores].to(at::kFloat), deltas = in[Args::kDeltas].to(at::kFloat);
    const std::int64_t images = scores.size(0), count = args_.count_of(scores.sizes()),
                       of_image = scores.size(1) * scores.size(2) * scores.size(3);
    require(of_image <= std::numeric_limits<int>::max(), ErrorCode::kLimit, "{} scores in an image",
            of_image);
    AnchorScores s;
    s.scores = scores.const_data_ptr<float>();
    s.score_strides = strides_of(scores);
    s.deltas = deltas.const_data_ptr<float>();
    s.delta_strides = strides_of(deltas);
    s.images = static_cast<int>(images);
    s.channels = static_cast<int>(scores.size(1));
    s.height = static_cast<int>(scores.size(2));
    s.width = static_cast<int>(scores.size(3));
    s.anchors = static_cast<int>(args_.anchors);
    const at::TensorOptions ints = scores.options().dtype(at::kInt);
    const at::Tensor best = best_keys(s, images, of_image, count, scores.options().dtype(at::kLong));
    out[0] = at::empty({images, count, Args::kValues}, scores.options());
    out[1] = at::empty({images, count, Args::kPlaces}, ints);
    out[2] = at::empty({3}, ints);
    BestPlaces b;
    b.keys = best.const_data_ptr<std::int64_t>();
    b.count = static_cast<int>(count);
    b.values = out[0].mutable_data_ptr<float>();
    b.places = out[1].mutable_data_ptr<int>();
    b.size = out[2].mutable_data_ptr<int>();
    read_best_places(s, b, stream());
    check_launch();
  }
  bool can_be_recorded() const override { return true; }

 private:
  // (N,count), best first.
  static at::Tensor best_keys(const AnchorScores& s, std::int64_t images, std::int64_t of_image,
                              std::int64_t count, const at::TensorOptions& options) {
    const at::Tensor keys = at::empty({images, of_image}, options);
    if (count == 0) return keys;
    make_anchor_keys(s, keys.mutable_data_ptr<std::int64_t>(), stream());
    check_launch();
    return std::get<0>(at::topk(keys, count, 1, /*largest=*/true, /*sorted=*/true)).contiguous();
  }

  const BestAnchorsArgs args_;
};

REGISTER_CUDA_OPERATOR("caffe2rt.BestAnchors", BestAnchors);

}  // namespace
}  // namespace caffe2rt::cuda
