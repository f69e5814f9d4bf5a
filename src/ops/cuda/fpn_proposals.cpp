// CollectRpnProposals, DistributeFpnProposals and both in one on a GPU, and the first two of rotated boxes:
// see ops/fpn_proposals.cpp. Each waits for the GPU once, to learn how many regions there are.
#include "ops/cuda/fpn_proposals.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/nonzero.h>
#include <ATen/ops/sort.h>
#include <ATen/ops/zeros.h>

#include "ops/box_args.h"
#include "ops/cuda/slots.h"
#include "ops/cuda/tensors.h"
#include "ops/pyramid_args.h"
#include "runtime/cuda_operator.h"

namespace caffe2rt::cuda {
namespace {

constexpr std::int64_t roi_size(bool rotated) { return 1 + (rotated ? RotatedBox::kSize : Box::kSize); }

class Collector {
 public:
  Collector(const OperatorArgs& args, bool rotated)
      : rotated_(rotated),
        levels_(Levels(args, "rpn", 2, 6).count()),
        most_(args.get("rpn_post_nms_topN", 2000)),
        slots_(cuda::has_slots(args)) {}

  bool has_slots() const { return slots_; }

  at::Tensor collect(const Inputs& in) const {
    std::vector<at::Tensor> rois, scores;
    for (std::size_t level = 0; level < levels_; level++) {
      require_shape(in, level, {kUnknown, roi_size(rotated_)});
      require_shape(in, level + levels_, {in[level].size(0)});
      rois.push_back(floats(in[level]));
      scores.push_back(floats(in[level + levels_]));
    }
    const at::Tensor all = at::cat(rois), score = at::cat(scores);
    if (slots_) return collect_into_slots(all, score, in[2 * levels_].size(0));
    // By score, then by image: equal ones stay in the order of levels.
    at::Tensor keys = at::empty({all.size(0)}, all.options().dtype(at::kLong));
    make_rank_keys(score.const_data_ptr<float>(), keys.numel(), keys.mutable_data_ptr<std::int64_t>(),
                   stream());
    check_launch();
    at::Tensor sorted = all.index_select(0, stable_order(keys));
    sorted = sorted.index_select(0, stable_order(sorted.select(1, 0).contiguous()));
    if (most_ <= 0 || sorted.size(0) <= most_) return sorted;
    const at::Tensor first = at::empty({sorted.size(0)}, all.options().dtype(at::kBool));
    mark_first(sorted.const_data_ptr<float>(), sorted.size(0), static_cast<int>(sorted.size(1)), most_,
               first.mutable_data_ptr<bool>(), stream());
    check_launch();
    return sorted.index_select(0, at::nonzero(first).squeeze(1));
  }

  // Of `images` images; how many regions each has is not asked for.
  at::Tensor collect_into_slots(const at::Tensor& all, const at::Tensor& score, std::int64_t images) const {
    const std::int64_t rows = all.size(0), of_image = images > 0 ? rows / images : 0;
    const at::Tensor keys = at::empty({rows}, all.options().dtype(at::kLong));
    make_slot_keys(all.const_data_ptr<float>(), score.const_data_ptr<float>(), rows,
                   keys.mutable_data_ptr<std::int64_t>(), stream());
    check_launch();
    const auto [sorted, order] = at::sort(keys, /*stable=*/true, /*dim=*/0, /*descending=*/false);
    CollectedSlots c;
    c.keys = sorted.const_data_ptr<std::int64_t>();
    c.order = order.const_data_ptr<std::int64_t>();
    c.rois = all.const_data_ptr<float>();
    c.rows = rows;
    c.images = static_cast<int>(images);
    c.slots = static_cast<int>(most_ > 0 ? std::min<std::int64_t>(most_, of_image) : of_image);
    at::Tensor collected = at::empty({images * c.slots, roi_size(false)}, all.options());
    c.to = collected.mutable_data_ptr<float>();
    collect_slots(c, stream());
    check_launch();
    return collected;
  }

  // Positions in rising order of keys.
  static at::Tensor stable_order(const at::Tensor& keys) {
    return std::get<1>(at::sort(keys, /*stable=*/true, /*dim=*/0, /*descending=*/false));
  }

 private:
  const bool rotated_;
  const std::size_t levels_;
  const int most_;
  const bool slots_;  // then input 2 * levels_ has a row for each image
};

class Distributor {
 public:
  Distributor(const OperatorArgs& args, bool rotated)
      : rotated_(rotated), pyramid_(read_pyramid_levels(args)), one_(read_one(args)) {}

  // Writes out[first] and those after it.
  void distribute(const at::Tensor& any, Outputs& out, std::size_t first) const {
    const at::Tensor rois = floats(any);
    const std::int64_t levels = std::int64_t{pyramid_.max} - pyramid_.min + 1;
    const at::TensorOptions ints = rois.options().dtype(at::kInt);
    at::Tensor level = at::empty({rois.size(0)}, ints), sizes = at::zeros({levels}, ints);
    LeveledRegions l;
    l.rotated = rotated_;
    l.rois = rois.const_data_ptr<float>();
    l.rows = rois.size(0);
    l.columns = static_cast<int>(rois.size(1));
    l.pyramid = pyramid_;
    l.one = one_;
    l.levels = level.mutable_data_ptr<int>();
    l.sizes = sizes.mutable_data_ptr<int>();
    find_levels(l, stream());
    check_launch();

    const at::Tensor order = Collector::stable_order(level);
    at::Tensor sorted = at::empty({rois.size(0), roi_size(rotated_)}, rois.options()),
               restore = at::empty({rois.size(0)}, ints);
    SortedRegions s;
    s.rotated = rotated_;
    s.rois = l.rois;
    s.order = order.const_data_ptr<std::int64_t>();
    s.rows = l.rows;
    s.columns = l.columns;
    s.to = sorted.mutable_data_ptr<float>();
    s.restore = restore.mutable_data_ptr<int>();
    sort_regions(s, stream());
    check_launch();

    const at::Tensor counts = sizes.cpu();
    std::int64_t from = 0;
    for (std::int64_t i = 0; i < levels; i++) {
      const std::int64_t count = counts.const_data_ptr<int>()[i];
      out[first + static_cast<std::size_t>(i)] = sorted.narrow(0, from, count);
      from += count;
    }
    out[first + static_cast<std::size_t>(levels)] = restore;
  }

 private:
  const bool rotated_;
  const PyramidLevels pyramid_;
  const float one_;
};

template <bool rotated>
class Collect final : public Operator {
 public:
  explicit Collect(const OperatorArgs& args) : collector_(args, rotated) {}
  void run(const Inputs& in, Outputs& out) const override { out[0] = collector_.collect(in); }
  bool can_be_recorded() const override { return collector_.has_slots(); }

 private:
  const Collector collector_;
};

template <bool rotated>
class Distribute final : public Operator {
 public:
  explicit Distribute(const OperatorArgs& args) : distributor_(args, rotated) {}

  void run(const Inputs& in, Outputs& out) const override {
    require_rank(in, 0, 2);
    constexpr std::int64_t kColumns = roi_size(rotated);
    require(in[0].size(1) == kColumns || in[0].size(1) == kColumns - 1, ErrorCode::kShape,
            "{}: expected {} columns, or {} without the image, got {}", in.describe(0), kColumns,
            kColumns - 1, in[0].size(1));
    distributor_.distribute(in[0], out, 0);
  }

 private:
  const Distributor distributor_;
};

class CollectAndDistribute final : public Operator {
 public:
  explicit CollectAndDistribute(const OperatorArgs& args)
      : collector_(args, false), distributor_(args, false) {}

  void run(const Inputs& in, Outputs& out) const override {
    out[0] = collector_.collect(in);
    distributor_.distribute(out[0], out, 1);
  }

 private:
  const Collector collector_;
  const Distributor distributor_;
};

REGISTER_CUDA_OPERATOR("CollectRpnProposals", Collect<false>);
REGISTER_CUDA_OPERATOR("DistributeFpnProposals", Distribute<false>);
REGISTER_CUDA_OPERATOR("caffe2rt.CollectRotatedRpnProposals", Collect<true>);
REGISTER_CUDA_OPERATOR("caffe2rt.DistributeRotatedFpnProposals", Distribute<true>);
REGISTER_CUDA_OPERATOR("CollectAndDistributeFpnRpnProposals", CollectAndDistribute);

}  // namespace
}  // namespace caffe2rt::cuda
