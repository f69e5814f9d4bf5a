// RoIAlign, RoIAlignRotated and those of a pyramid on a GPU: arguments and checks are those of
// ops/roi_align.cpp and ops/pyramid_roi_align.cpp.
#include "ops/cuda/roi_align.h"

#include <ATen/ops/empty.h>

#include <array>
#include <type_traits>

#include "ops/box_args.h"
#include "ops/cuda/tensors.h"
#include "ops/pyramid_args.h"
#include "ops/roi_pooling.h"
#include "runtime/cuda_operator.h"

namespace caffe2rt::cuda {
namespace {

// Feature maps of one element type in channels_last memory, regions as float32 rows, and what owns them.
class Pooling {
 public:
  explicit Pooling(const PoolingArgs& args) {
    p_.pooled_h = args.pooled_h;
    p_.pooled_w = args.pooled_w;
    p_.sampling_ratio = args.sampling_ratio;
    p_.aligned = args.aligned;
  }

  void add_level(const at::Tensor& map, const at::Tensor& rois, float scale) {
    const at::Tensor x = kept_.emplace_back(map.contiguous(at::MemoryFormat::ChannelsLast));
    require(x.size(2) * x.size(3) > 0, ErrorCode::kShape, "input 0 'X': a feature map of {}x{} pixels",
            x.size(2), x.size(3));
    PooledLevel& level = p_.levels[p_.level_count++];
    level.map = x.const_data_ptr();
    level.height = static_cast<int>(x.size(2));
    level.width = static_cast<int>(x.size(3));
    level.scale = scale;
    const at::Tensor r = kept_.emplace_back(floats(rois));
    level.rois = r.const_data_ptr<float>();
    level.columns = static_cast<int>(r.size(1));
    p_.regions += r.size(0);
    level.rois_end = p_.regions;
    options_ = x.options();
    p_.images = static_cast<int>(x.size(0));
    p_.channels = static_cast<int>(x.size(1));
    p_.type = numbers_of(x);
  }

  // Maps alone; the regions are all in the first one's, and go by their size.
  void choose_by_size(const PyramidLevels& pyramid, float one) {
    p_.by_size = true;
    p_.pyramid = pyramid;
    p_.one = one;
  }

  void put_into(const at::Tensor& order) {
    const at::Tensor o = kept_.emplace_back(order.to(at::kInt).contiguous());
    p_.order = o.const_data_ptr<int>();
  }

  at::Tensor run(bool rotated = false) {
    const std::array<std::int64_t, 4> shape = {p_.regions, p_.channels, p_.pooled_h, p_.pooled_w};
    at::Tensor y = at::empty(shape, options_, at::MemoryFormat::ChannelsLast);
    p_.to = y.mutable_data_ptr();
    (rotated ? pool_rotated_regions : pool_regions)(p_, stream());
    check_launch();
    return y;
  }

 private:
  PooledRegions p_;
  at::TensorOptions options_;
  std::vector<at::Tensor> kept_;
};

template <class Region>
class RoIAlign final : public Operator {
 public:
  enum Input { kX, kRois };

  explicit RoIAlign(const PoolingArgs& args) : args_(args) {}

  void run(const Inputs& in, Outputs& out) const override {
    require_rank(in, kX, 4);
    require_regions<Region>(in, kRois);
    const bool nhwc = args_.order == StorageOrder::kNhwc;
    Pooling pooling(args_);
    pooling.add_level(nhwc ? in[kX].permute({0, 3, 1, 2}) : in[kX], in[kRois], args_.spatial_scale);
    const at::Tensor y = pooling.run(std::is_same_v<Region, RotatedRegion>);
    out[0] = nhwc ? y.permute({0, 2, 3, 1}) : y;
  }
  bool can_be_recorded() const override { return true; }

 private:
  const PoolingArgs args_;
};

class PyramidRoIAlign final : public Operator {
 public:
  PyramidRoIAlign(const PoolingArgs& args, std::vector<float> scales)
      : args_(args), scales_(std::move(scales)) {}

  void run(const Inputs& in, Outputs& out) const override {
    const std::size_t levels = scales_.size();
    Pooling pooling(args_);
    std::int64_t regions = 0;
    for (std::size_t level = 0; level < levels; level++) {
      require_rank(in, level, 4);
      require_shape(in, level, {in[0].size(0), in[0].size(1), kUnknown, kUnknown});
      require_regions<UprightRegion>(in, levels + level);
      require(in[level].scalar_type() == in[0].scalar_type(), ErrorCode::kType, "{}: expected {}, got {}",
              in.describe(level), c10::toString(in[0].scalar_type()), c10::toString(in[level].scalar_type()));
      pooling.add_level(in[level], in[levels + level], scales_[level]);
      regions += in[levels + level].size(0);
    }
    require_shape(in, 2 * levels, {regions});
    pooling.put_into(in[2 * levels]);
    out[0] = pooling.run();
  }
  bool can_be_recorded() const override { return true; }

 private:
  const PoolingArgs args_;
  const std::vector<float> scales_;
};

class LeveledRoIAlign final : public Operator {
 public:
  LeveledRoIAlign(const OperatorArgs& args, std::vector<float> scales)
      : args_(args), pyramid_(read_pyramid_levels(args)), one_(read_one(args)), scales_(std::move(scales)) {}

  void run(const Inputs& in, Outputs& out) const override {
    const std::size_t levels = scales_.size();
    require_regions<UprightRegion>(in, levels);
    Pooling pooling(args_);
    for (std::size_t level = 0; level < levels; level++) {
      require_rank(in, level, 4);
      require_shape(in, level, {in[0].size(0), in[0].size(1), kUnknown, kUnknown});
      require(in[level].scalar_type() == in[0].scalar_type(), ErrorCode::kType, "{}: expected {}, got {}",
              in.describe(level), c10::toString(in[0].scalar_type()), c10::toString(in[level].scalar_type()));
      pooling.add_level(in[level], level == 0 ? in[levels] : in[levels].narrow(0, 0, 0), scales_[level]);
    }
    pooling.choose_by_size(pyramid_, one_);
    out[0] = pooling.run();
  }
  bool can_be_recorded() const override { return true; }

 private:
  const PoolingArgs args_;
  const PyramidLevels pyramid_;
  const float one_;
  const std::vector<float> scales_;
};

const RegisteredOnCuda roi_align("RoIAlign", [](const OperatorArgs& args) -> std::unique_ptr<Operator> {
  const PoolingArgs pooling(args);
  if (pooling.pooled_w > kMostPooled) return nullptr;
  return std::make_unique<RoIAlign<UprightRegion>>(pooling);
});

const RegisteredOnCuda roi_align_rotated("RoIAlignRotated", [](const OperatorArgs& args) {
  return std::make_unique<RoIAlign<RotatedRegion>>(PoolingArgs(args));
});

const RegisteredOnCuda pyramid_roi_align("caffe2rt.PyramidRoIAlign",
                                         [](const OperatorArgs& args) -> std::unique_ptr<Operator> {
                                           const PoolingArgs pooling(args);
                                           std::vector<float> scales = args.floats("caffe2rt.spatial_scales");
                                           if (pooling.pooled_w > kMostPooled || scales.size() > kMostLevels)
                                             return nullptr;
                                           return std::make_unique<PyramidRoIAlign>(pooling,
                                                                                    std::move(scales));
                                         });

const RegisteredOnCuda leveled_roi_align("caffe2rt.LeveledRoIAlign",
                                         [](const OperatorArgs& args) -> std::unique_ptr<Operator> {
                                           const PoolingArgs pooling(args);
                                           std::vector<float> scales = args.floats("caffe2rt.spatial_scales");
                                           if (pooling.pooled_w > kMostPooled || scales.size() > kMostLevels)
                                             return nullptr;
                                           return std::make_unique<LeveledRoIAlign>(args, std::move(scales));
                                         });

}  // namespace
}  // namespace caffe2rt::cuda
