// BBoxTransform: box_out[r,k] = clip(decode(rois[r] / scale, deltas[r,k])) for R regions and K classes.
//
// The last step of Fast R-CNN's box head (Girshick, https://arxiv.org/abs/1504.08083). The arithmetic is
// geometry/box_coder.h's.
#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <cmath>

#include "ops/box_args.h"
#include "runtime/operator.h"

namespace caffe2rt {
namespace {

class BBoxTransform final : public Operator {
 public:
  enum Input { kRois, kDeltas, kImInfo };

  explicit BBoxTransform(const OperatorArgs& args)
      : coder_(read_box_coder(args)),
        apply_scale_(args.get("apply_scale", true)),
        box_size_(args.get("rotated", false) ? RotatedBox::kSize : Box::kSize) {
    if (box_size_ == RotatedBox::kSize) check_angle_range(coder_);
  }

  PartialShape infer_boxes(PartialShapes in) const {
    const int64_t columns = dim_or_unknown(in[kDeltas], 1);
    require(columns == kUnknown || columns % box_size_ == 0, ErrorCode::kShape,
            "input 1 'deltas': expected a multiple of {} columns, got {}", box_size_, to_string(in[kDeltas]));
    return in[kDeltas];
  }

  PartialShape infer_splits(PartialShapes in) const {
    return std::vector<int64_t>{dim_or_unknown(in[kImInfo], 0)};
  }

  void run(const Inputs& in, Outputs& out) const override {
    require_rank(in, kRois, 2);
    const int64_t rows = in[kRois].size(0), columns = in[kRois].size(1), images = in[kImInfo].size(0);
    require_shape(in, kDeltas, {rows, kUnknown});
    require_shape(in, kImInfo, {kUnknown, 3});
    require(columns == box_size_ || columns == box_size_ + 1, ErrorCode::kShape,
            "{}: expected {} or {} columns, got {}", in.describe(kRois), box_size_, box_size_ + 1, columns);
    require(columns > box_size_ || images == 1, ErrorCode::kShape,
            "{}: {} images, but no column that says which image a box belongs to", in.describe(kRois),
            images);
    require(in[kDeltas].size(1) % box_size_ == 0, ErrorCode::kShape,
            "{}: expected a multiple of {} columns, got {}", in.describe(kDeltas), box_size_,
            in[kDeltas].size(1));

    out[0] = at::empty(in[kDeltas].sizes(), in[kDeltas].options());
    at::Tensor splits = at::zeros({images}, in[kRois].options());
    if (box_size_ == Box::kSize)
      transform<Box>(in, out[0], splits.data_ptr<float>());
    else
      transform<RotatedBox>(in, out[0], splits.data_ptr<float>());
    if (out.size() > 1) out[1] = splits;
  }

 private:
  template <class B>
  void transform(const Inputs& in, at::Tensor& out, float* splits) const {
    const at::Tensor rois = in[kRois].contiguous(), deltas = in[kDeltas].contiguous(),
                     im_info = in[kImInfo].contiguous();
    const int64_t columns = rois.size(1);
    std::vector<int64_t> images(rois.size(0));
    for (int64_t r = 0; r < rois.size(0); r++) {
      const float image = columns > B::kSize ? rois.data_ptr<float>()[r * columns] : 0;
      require(image >= 0 && image < static_cast<float>(im_info.size(0)), ErrorCode::kArgument,
              "{}: row {} belongs to image {}, of {}", in.describe(kRois), r, image, im_info.size(0));
      images[r] = static_cast<int64_t>(image);
      splits[images[r]]++;
    }
    const int64_t width = deltas.size(1), rows_at_least = 1 + kNumbersOfThread / std::max<int64_t>(1, width);
    at::parallel_for(0, rois.size(0), rows_at_least, [&](int64_t first, int64_t last) {
      for (int64_t r = first; r < last; r++)
        transform_row<B>(rois.data_ptr<float>() + (r + 1) * columns - B::kSize,
                         deltas.data_ptr<float>() + r * width, width,
                         im_info.data_ptr<float>() + images[r] * 3, out.data_ptr<float>() + r * width);
    });
  }

  // The boxes that `width` deltas make of one region. `info`: of its image.
  template <class B>
  void transform_row(const float* roi, const float* deltas, int64_t width, const float* info,
                     float* to) const {
    const B anchor = scaled(read_box<B>(roi), [&](float v) { return v / info[2]; });
    const float scale = apply_scale_ ? info[2] : 1;
    // The image's own size in whole pixels.
    const auto h = static_cast<float>(std::floor(info[0] / info[2] + 0.5));
    const auto w = static_cast<float>(std::floor(info[1] / info[2] + 0.5));
    for (int64_t k = 0; k < width; k += B::kSize)
      write_box(
          scaled(coder_.clip(coder_.decode(anchor, deltas + k), w, h), [&](float v) { return v * scale; }),
          to + k);
  }

  // Fewer are not worth another thread.
  static constexpr int64_t kNumbersOfThread = 4096;

  const BoxCoder coder_;
  const bool apply_scale_;
  const int64_t box_size_;
};

REGISTER_OPERATOR(BBoxTransform)
    .says("Moves each region by its deltas, once for each class, and clips it to its image.")
    .input("rois",
           "(R,5) float32: image, x1, y1, x2, y2 in pixels of the input; or (R,4) where there is one image. "
           "Rotated: (R,6) or (R,5) of image, x, y, w, h, degrees")
    .input("deltas", "(R,4*K) float32: dx, dy, dw, dh a class. Rotated: (R,5*K) with the angle in radians")
    .input("im_info", "(N,3) float32: height, width, scale of each image")
    .output("box_out", "(R,4*K) float32, or (R,5*K)", infer::by(&BBoxTransform::infer_boxes))
    .optional_output("roi_batch_splits", "(N) float32: how many regions each image has",
                     infer::by(&BBoxTransform::infer_splits))
    .arg("weights", "what dx, dy, dw, dh are divided by, default 1, 1, 1, 1")
    .arg("apply_scale", "1 (default): boxes in pixels of the input; 0: in pixels of the image before scaling")
    .arg("rotated", "1: rotated boxes")
    .arg("angle_bound_on", kAngleBoundOnDoc)
    .arg("angle_bound_lo", kAngleBoundLoDoc)
    .arg("angle_bound_hi", kAngleBoundHiDoc)
    .arg("clip_angle_thresh", kClipAngleThreshDoc)
    .arg("correct_transform_coords", "ignored, as the original does: legacy_plus_one took its place")
    .arg("legacy_plus_one", kLegacyPlusOneDoc);

}  // namespace
}  // namespace caffe2rt
