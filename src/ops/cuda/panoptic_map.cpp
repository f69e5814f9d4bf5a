// caffe2rt.PanopticMap on a GPU: see ops/panoptic_map.cpp.
#include "ops/panoptic_map.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <array>

#include "ops/cuda/panoptic_map.h"
#include "ops/cuda/slots.h"
#include "ops/cuda/tensors.h"
#include "runtime/cuda_operator.h"

namespace caffe2rt::cuda {
namespace {

using Args = PanopticArgs;

class PanopticMap final : public Operator {
 public:
  explicit PanopticMap(const OperatorArgs& args) : args_(args), slots_(has_slots(args)) {}

  void run(const Inputs& in, Outputs& out) const override {
    const auto images = Args::check(in);
    const at::Tensor labels = in[Args::kLabels].to(at::kInt).contiguous(), boxes = floats(in[Args::kBoxes]),
                     scores = floats(in[Args::kScores]), classes = floats(in[Args::kClasses]),
                     masks = floats(in[Args::kMasks]), limits = floats(in[Args::kLimits]),
                     splits = in.has(Args::kSplits) ? floats(in[Args::kSplits]) : at::Tensor();
    require(in[Args::kLogits].size(1) <= kMostClasses, ErrorCode::kLimit,
            "{}: expected at most {} classes, got {}", in.describe(Args::kLogits), kMostClasses,
            in[Args::kLogits].size(1));
    const auto ints = labels.options();
    const std::array<std::int64_t, 2> stuff_shape = {std::ssize(images), in[Args::kLogits].size(1)};
    out[Args::kMap] = at::empty({labels.numel()}, ints);
    out[Args::kThings] = at::zeros({boxes.size(0)}, ints);
    out[Args::kStuffAreas] = at::zeros(stuff_shape, ints);

    MergedFrame f;
    f.labels = labels.const_data_ptr<int>();
    f.classes = static_cast<int>(stuff_shape[1]);
    f.boxes = boxes.const_data_ptr<float>();
    f.scores = scores.const_data_ptr<float>();
    f.class_ids = classes.const_data_ptr<float>();
    f.masks = masks.const_data_ptr<float>();
    f.splits = splits.defined() ? splits.const_data_ptr<float>() : nullptr;
    f.limits = {limits.const_data_ptr<float>(), limits.numel()};
    f.rows = boxes.size(0);
    f.images = static_cast<int>(images.size());
    f.slots = slots_;
    f.mask_channels = static_cast<int>(masks.size(1));
    f.mask_size = static_cast<int>(masks.size(3));
    f.background = args_.background;
    f.pasting = args_.pasting;
    f.rules = args_.rules;
    f.things = out[Args::kThings].mutable_data_ptr<int>();
    f.stuff_areas = out[Args::kStuffAreas].mutable_data_ptr<int>();
    f.map = out[Args::kMap].mutable_data_ptr<int>();
    for (size_t n = 0; n < images.size(); n++) {
      f.image = static_cast<int>(n);
      f.scale = FrameScale(images[n]);
      merge(f, ints);
      f.labels += f.pixels();
      f.map += f.pixels();
      f.stuff_areas += f.classes;
    }
  }
  bool can_be_recorded() const override { return true; }

 private:
  static void merge(MergedFrame f, const at::TensorOptions& ints) {
    const std::int64_t words = std::int64_t{f.scale.frame.height} * f.words();
    const at::Tensor taken = at::zeros({words}, ints), counts = at::zeros({2}, ints),
                     bits = at::empty({f.most_things() * words}, ints),
                     picked = at::empty({f.most_things() * static_cast<std::int64_t>(sizeof(PickedThing))},
                                        ints.dtype(at::kByte));
    f.taken = static_cast<unsigned*>(taken.mutable_data_ptr());
    f.count = counts.mutable_data_ptr<int>();
    f.segments = f.count + 1;
    f.bits = static_cast<unsigned*>(bits.mutable_data_ptr());
    f.picked = static_cast<PickedThing*>(picked.mutable_data_ptr());
    merge_frame(f, stream());
    check_launch();
  }

  const PanopticArgs args_;
  const bool slots_;
};

REGISTER_CUDA_OPERATOR("caffe2rt.PanopticMap", PanopticMap);

}  // namespace
}  // namespace caffe2rt::cuda
