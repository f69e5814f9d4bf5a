// caffe2rt.PyramidRoIAlign: what RoIAlign on every level of a feature pyramid, Concat and BatchPermutation
// compute, each region written once and to its place. The pass join_roi_align makes it.
#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <utility>

#include "ops/roi_pooling.h"
#include "ops/types.h"

namespace caffe2rt {
namespace {

class PyramidRoIAlign final : public Operator {
 public:
  // Levels' feature maps come first, then as many lists of regions, then the order.
  explicit PyramidRoIAlign(const OperatorArgs& args)
      : levels_(args.num_inputs() / 2), args_(pooling_by_level(args, levels_)) {
    require(args.num_inputs() == 2 * levels_ + 1, ErrorCode::kGraph,
            "expected an odd number of inputs, maps, regions and their order, got {}", args.num_inputs());
  }

  PartialShape shape(PartialShapes in) const {
    const PoolingArgs& args = args_.front();
    return std::vector<int64_t>{dim_or_unknown(in[2 * levels_], 0), dim_or_unknown(in[0], 1), args.pooled_h,
                                args.pooled_w};
  }

  void run(const Inputs& in, Outputs& out) const override {
    std::vector<at::Tensor> maps, rois;
    std::vector<int64_t> ends;  // of each level's regions among all
    for (size_t level = 0; level < levels_; level++) {
      require_rank(in, level, 4);
      require_shape(in, level, {in[0].size(0), in[0].size(1), kUnknown, kUnknown});
      require_regions<UprightRegion>(in, levels_ + level);
      maps.push_back(in[level].contiguous(at::MemoryFormat::ChannelsLast));
      rois.push_back(in[levels_ + level].contiguous());
      ends.push_back((ends.empty() ? 0 : ends.back()) + rois.back().size(0));
    }

    const PoolingArgs& args = args_.front();
    const std::array<int64_t, 4> shape = {ends.back(), maps[0].size(1), args.pooled_h, args.pooled_w};
    out[0] = at::empty(shape, maps[0].options(), at::MemoryFormat::ChannelsLast);
    auto* pooled = out[0].mutable_data_ptr<float>();
    const int64_t row = shape[1] * shape[2] * shape[3];
    const std::vector<Region> regions = read_regions(in, rois, ends);
    std::atomic<size_t> next = 0;
    at::parallel_for(0, at::get_num_threads(), 1, [&](int64_t, int64_t) {
      std::vector<RegionPooler<UprightRegion>> poolers;
      for (size_t level = 0; level < levels_; level++) poolers.emplace_back(args_[level], maps[level]);
      for (size_t i = next++; i < regions.size(); i = next++) {
        const Region& region = regions[i];
        const at::Tensor& of_level = rois[region.level];
        poolers[region.level].pool(of_level.const_data_ptr<float>(), region.row, of_level.size(1),
                                   pooled + region.place * row);
      }
    });
  }

 private:
  struct Region {
    size_t level;
    int64_t row;    // of the level's regions
    int64_t place;  // among the results
    float top;
  };

  // All regions, those beside each other on a map one after the other: what one reads the next finds in a
  // cache.
  std::vector<Region> read_regions(const Inputs& in, const std::vector<at::Tensor>& rois,
                                   const std::vector<int64_t>& ends) const {
    const size_t order_input = 2 * levels_;
    require_shape(in, order_input, {ends.back()});
    const at::Tensor order = in[order_input].to(at::kLong).contiguous();
    const auto* from_row = order.const_data_ptr<int64_t>();
    std::vector<Region> regions;
    regions.reserve(static_cast<size_t>(ends.back()));
    for (int64_t place = 0; place < ends.back(); place++) {
      const int64_t source = from_row[place];
      require(source >= 0 && source < ends.back(), ErrorCode::kArgument, "{}: index {} in a batch of {}",
              in.describe(order_input), source, ends.back());
      const auto level =
          static_cast<size_t>(std::upper_bound(ends.begin(), ends.end(), source) - ends.begin());
      const at::Tensor& of_level = rois[level];
      const int64_t columns = of_level.size(1), of_level_row = source - (ends[level] - of_level.size(0));
      const float top = of_level.const_data_ptr<float>()[(of_level_row + 1) * columns - 3];
      regions.push_back({level, of_level_row, place, std::isnan(top) ? 0 : top});
    }
    std::ranges::sort(regions, std::less(), [](const Region& r) { return std::pair(r.level, r.top); });
    return regions;
  }

  const size_t levels_;
  const std::vector<PoolingArgs> args_;  // by level
};

const Registered pyramid_roi_align(
    describe_operator<PyramidRoIAlign>("caffe2rt.PyramidRoIAlign")
        .says("Pools regions of the levels of a feature pyramid, in the order that the last input says.")
        .inputs(
            "X_and_RoIs",
            "L times (N,C,H_l,W_l) float32; then as many (R_l,5) or (R_l,4) float32, as RoIAlign takes them; "
            "last (R) int32: which row of all of them together each row of Y is",
            Types::kFloat | Types::kIndex)
        .output("Y", "(R,C,pooled_h,pooled_w) float32", infer::by(&PyramidRoIAlign::shape))
        .arg("caffe2rt.spatial_scales", "spatial_scale of each level")
        .arg("pooled_h", "as RoIAlign has it")
        .arg("pooled_w", "as RoIAlign has it")
        .arg("sampling_ratio", "as RoIAlign has it")
        .arg("aligned", "as RoIAlign has it"));

}  // namespace
}  // namespace caffe2rt
