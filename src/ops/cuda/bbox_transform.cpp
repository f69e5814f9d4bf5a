// BBoxTransform on a GPU: arguments and checks are those of ops/bbox_transform.cpp.
#include "ops/cuda/bbox_transform.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include "ops/box_args.h"
#include "ops/cuda/tensors.h"
#include "runtime/cuda_operator.h"

namespace caffe2rt::cuda {
namespace {

class BBoxTransform final : public Operator {
 public:
  enum Input { kRois, kDeltas, kImInfo };

  explicit BBoxTransform(const OperatorArgs& args)
      : coder_(read_box_coder(args)),
        apply_scale_(args.get("apply_scale", true)),
        rotated_(args.get("rotated", false)) {
    if (rotated_) check_angle_range(coder_);
  }

  void run(const Inputs& in, Outputs& out) const override {
    require_rank(in, kRois, 2);
    const int size = box_size(rotated_);
    const std::int64_t rows = in[kRois].size(0), columns = in[kRois].size(1), images = in[kImInfo].size(0);
    require_shape(in, kDeltas, {rows, kUnknown});
    require_shape(in, kImInfo, {kUnknown, 3});
    require(columns == size || columns == size + 1, ErrorCode::kShape,
            "{}: expected {} or {} columns, got {}", in.describe(kRois), size, size + 1, columns);
    require(columns > size || images == 1, ErrorCode::kShape,
            "{}: {} images, but no column that says which image a box belongs to", in.describe(kRois),
            images);
    require(in[kDeltas].size(1) % size == 0, ErrorCode::kShape,
            "{}: expected a multiple of {} columns, got {}", in.describe(kDeltas), size, in[kDeltas].size(1));
    const at::Tensor rois = floats(in[kRois]), deltas = floats(in[kDeltas]), im_info = floats(in[kImInfo]);
    out[0] = at::empty(deltas.sizes(), deltas.options());
    at::Tensor splits = at::zeros({images}, rois.options());
    MovedBoxes m;
    m.rotated = rotated_;
    m.rois = rois.const_data_ptr<float>();
    m.deltas = deltas.const_data_ptr<float>();
    m.im_info = im_info.const_data_ptr<float>();
    m.to = out[0].mutable_data_ptr<float>();
    m.splits = splits.mutable_data_ptr<float>();
    m.rows = rows;
    m.columns = static_cast<int>(columns);
    m.boxes = static_cast<int>(deltas.size(1) / size);
    m.images = static_cast<int>(images);
    m.coder = coder_;
    m.apply_scale = apply_scale_;
    move_boxes(m, stream());
    check_launch();
    if (out.size() > 1) out[1] = splits;
  }
  bool can_be_recorded() const override { return true; }

 private:
  const BoxCoder coder_;
  const bool apply_scale_, rotated_;
};

REGISTER_CUDA_OPERATOR("BBoxTransform", BBoxTransform);

}  // namespace
}  // namespace caffe2rt::cuda
