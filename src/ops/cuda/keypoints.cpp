// HeatmapMaxKeypoint and caffe2rt.HeatmapsToKeypoints on a GPU: see ops/heatmap_max_keypoint.cpp and
// ops/heatmaps_to_keypoints.cpp.
#include "ops/cuda/keypoints.h"

#include <ATen/ops/empty.h>

#include <limits>

#include "ops/cuda/tensors.h"
#include "runtime/cuda_operator.h"

namespace caffe2rt::cuda {
namespace {

enum Input { kHeatmaps, kBoxes };

// What the kernels read, and what owns it.
struct Source {
  at::Tensor maps, boxes;
  HeatMaps m;

  explicit Source(const Inputs& in) : maps(floats(in[kHeatmaps])), boxes(floats(in[kBoxes])) {
    require_shape(in, kBoxes, {maps.size(0), kUnknown});
    require(boxes.size(1) >= 4, ErrorCode::kShape, "{}: expected at least 4 columns, got {}",
            in.describe(kBoxes), boxes.size(1));
    require(maps.numel() <= std::numeric_limits<int>::max(), ErrorCode::kLimit, "{}: {} cells",
            in.describe(kHeatmaps), maps.numel());
    m.maps = maps.const_data_ptr<float>();
    m.boxes = boxes.const_data_ptr<float>();
    m.regions = maps.size(0);
    m.keypoints = static_cast<int>(maps.size(1));
    m.height = static_cast<int>(maps.size(2));
    m.width = static_cast<int>(maps.size(3));
    m.columns = static_cast<int>(boxes.size(1));
  }
};

class HeatmapMaxKeypoint final : public Operator {
 public:
  explicit HeatmapMaxKeypoint(const OperatorArgs& args)
      : with_softmax_(args.get("should_output_softmax", false)) {}

  void run(const Inputs& in, Outputs& out) const override {
    require_rank(in, kHeatmaps, 4);
    const std::int64_t size = in[kHeatmaps].size(2);
    require(size >= 2 && size == in[kHeatmaps].size(3), ErrorCode::kShape,
            "{}: expected square maps of at least 2x2, got {}x{}", in.describe(kHeatmaps), size,
            in[kHeatmaps].size(3));
    Source source(in);
    out[0] = at::empty({source.m.regions, 4, source.m.keypoints}, source.maps.options());
    source.m.to = out[0].mutable_data_ptr<float>();
    find_peaks(source.m, with_softmax_, stream());
    check_launch();
  }
  bool can_be_recorded() const override { return true; }

 private:
  const bool with_softmax_;
};

class HeatmapsToKeypoints final : public Operator {
 public:
  explicit HeatmapsToKeypoints(const OperatorArgs&) {}

  void run(const Inputs& in, Outputs& out) const override {
    require_rank(in, kHeatmaps, 4);
    Source source(in);
    out[0] = at::empty({source.m.regions, source.m.keypoints, 3}, source.maps.options());
    source.m.to = out[0].mutable_data_ptr<float>();
    find_stretched_peaks(source.m, stream());
    check_launch();
  }
  bool can_be_recorded() const override { return true; }
};

REGISTER_CUDA_OPERATOR("HeatmapMaxKeypoint", HeatmapMaxKeypoint);
REGISTER_CUDA_OPERATOR("caffe2rt.HeatmapsToKeypoints", HeatmapsToKeypoints);

}  // namespace
}  // namespace caffe2rt::cuda
