// caffe2rt.LeveledRoIAlign: what DistributeFpnProposals, RoIAlign on every level of a feature pyramid, Concat
// and BatchPermutation compute, without sorting the regions. The pass use_slots makes it for GPUs. Source:
// Lin et al., https://arxiv.org/abs/1612.03144 (which level a region is pooled from).
#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <array>
#include <cmath>

#include "ops/box_args.h"
#include "ops/pyramid_args.h"
#include "ops/roi_pooling.h"
#include "runtime/operator.h"

namespace caffe2rt {
namespace {

class LeveledRoIAlign final : public Operator {
 public:
  // Levels' feature maps come first, then the regions.
  explicit LeveledRoIAlign(const OperatorArgs& args)
      : levels_(args.num_inputs() - 1),
        pyramid_(read_pyramid_levels(args)),
        one_(read_one(args)),
        args_(pooling_by_level(args, levels_)) {
    const auto count = static_cast<size_t>(int64_t{pyramid_.max} - pyramid_.min + 1);
    require(count == levels_, ErrorCode::kArgument,
            "arguments 'roi_min_level' and 'roi_max_level': expected {} levels, as there are maps, got {}",
            levels_, count);
  }

  PartialShape shape(PartialShapes in) const {
    const PoolingArgs& args = args_.front();
    return std::vector<int64_t>{dim_or_unknown(in[levels_], 0), dim_or_unknown(in[0], 1), args.pooled_h,
                                args.pooled_w};
  }

  void run(const Inputs& in, Outputs& out) const override {
    require_regions<UprightRegion>(in, levels_);
    std::vector<at::Tensor> maps;
    std::vector<RegionPooler<UprightRegion>> poolers;
    for (size_t level = 0; level < levels_; level++) {
      require_rank(in, level, 4);
      require_shape(in, level, {in[0].size(0), in[0].size(1), kUnknown, kUnknown});
      maps.push_back(in[level].contiguous(at::MemoryFormat::ChannelsLast));
      poolers.emplace_back(args_[level], maps.back());
    }
    const at::Tensor rois = in[levels_].contiguous();
    const int64_t columns = rois.size(1);
    const std::array<int64_t, 4> shape = {rois.size(0), maps[0].size(1), args_[0].pooled_h,
                                          args_[0].pooled_w};
    out[0] = at::empty(shape, maps[0].options(), at::MemoryFormat::ChannelsLast);
    auto* pooled = out[0].mutable_data_ptr<float>();
    at::parallel_for(0, rois.size(0), 1, [&](int64_t first, int64_t last) {
      std::vector<RegionPooler<UprightRegion>> own = poolers;
      for (int64_t row = first; row < last; row++) {
        const float* box = rois.const_data_ptr<float>() + (row + 1) * columns - 4;
        const int level = pyramid_.of(std::sqrt(Box{box[0], box[1], box[2], box[3]}.area(one_)));
        own[level].pool(rois.const_data_ptr<float>(), row, columns,
                        pooled + row * shape[1] * shape[2] * shape[3]);
      }
    });
  }

 private:
  const size_t levels_;
  const PyramidLevels pyramid_;
  const float one_;
  const std::vector<PoolingArgs> args_;  // by level
};

const Registered leveled_roi_align(
    describe_operator<LeveledRoIAlign>("caffe2rt.LeveledRoIAlign")
        .says("Pools each region from the level of a feature pyramid that its size says.")
        .inputs("X_and_RoIs",
                "L times (N,C,H_l,W_l) float32, the largest map first; then (R,5) or (R,4) float32, as "
                "RoIAlign takes them")
        .output("Y", "(R,C,pooled_h,pooled_w) float32", infer::by(&LeveledRoIAlign::shape))
        .arg("caffe2rt.spatial_scales", "spatial_scale of each level")
        .arg("roi_min_level", "as DistributeFpnProposals has it")
        .arg("roi_max_level", "as DistributeFpnProposals has it")
        .arg("roi_canonical_scale", "as DistributeFpnProposals has it")
        .arg("roi_canonical_level", "as DistributeFpnProposals has it")
        .arg("legacy_plus_one", kLegacyPlusOneDoc)
        .arg("pooled_h", "as RoIAlign has it")
        .arg("pooled_w", "as RoIAlign has it")
        .arg("sampling_ratio", "as RoIAlign has it")
        .arg("aligned", "as RoIAlign has it"));

}  // namespace
}  // namespace caffe2rt
