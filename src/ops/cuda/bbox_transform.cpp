// BBoxTransform on a GPU, of upright boxes: arguments and checks are those of ops/bbox_transform.cpp.
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
      : coder_(read_box_coder(args)), apply_scale_(args.get("apply_scale", true)) {}

  void run(const Inputs& in, Outputs& out) const override {
    require_rank(in, kRois, 2);
    const std::int64_t rows = in[kRois].size(0), columns = in[kRois].size(1), images = in[kImInfo].size(0);
    require_shape(in, kDeltas, {rows, kUnknown});
    require_shape(in, kImInfo, {kUnknown, 3});
    require(columns == Box::kSize || columns == Box::kSize + 1, ErrorCode::kShape,
            "{}: expected {} or {} columns, got {}", in.describe(kRois), Box::kSize, Box::kSize + 1, columns);
    require(columns > Box::kSize || images == 1, ErrorCode::kShape,
            "{}: {} images, but no column that says which image a box belongs to", in.describe(kRois),
            images);
    require(in[kDeltas].size(1) % Box::kSize == 0, ErrorCode::kShape,
            "{}: expected a multiple of {} columns, got {}", in.describe(kDeltas), Box::kSize,
            in[kDeltas].size(1));
    const at::Tensor rois = floats(in[kRois]), deltas = floats(in[kDeltas]), im_info = floats(in[kImInfo]);
    out[0] = at::empty(deltas.sizes(), deltas.options());
    at::Tensor splits = at::zeros({images}, rois.options());
    MovedBoxes m;
    m.rois = rois.const_data_ptr<float>();
    m.deltas = deltas.const_data_ptr<float>();
    m.im_info = im_info.const_data_ptr<float>();
    m.to = out[0].mutable_data_ptr<float>();
    m.splits = splits.mutable_data_ptr<float>();
    m.rows = rows;
    m.columns = static_cast<int>(columns);
    m.boxes = static_cast<int>(deltas.size(1) / Box::kSize);
    m.images = static_cast<int>(images);
    m.coder = coder_;
    m.apply_scale = apply_scale_;
    move_boxes(m, stream());
    check_launch();
    if (out.size() > 1) out[1] = splits;
  }

 private:
  const BoxCoder coder_;
  const bool apply_scale_;
};

const RegisteredOnCuda bbox_transform("BBoxTransform",
                                      [](const OperatorArgs& args) -> std::unique_ptr<Operator> {
                                        if (args.get("rotated", false)) return nullptr;
                                        return std::make_unique<BBoxTransform>(args);
                                      });

}  // namespace
}  // namespace caffe2rt::cuda
