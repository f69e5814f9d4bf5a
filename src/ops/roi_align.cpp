// RoIAlign, RoIAlignRotated: Y[r,c,ph,pw] = mean of X[n_r,c,y,x] over samples (y,x) in bin (ph,pw) of region
// r, bilinear.
//
// Mask R-CNN (He et al., https://arxiv.org/abs/1703.06870); rotated: https://arxiv.org/abs/1703.01086. A bin
// becomes a list of pixels and weights, so that the inner loop runs over channels alone: the kernel works on
// channels_last memory.
#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <array>
#include <cmath>
#include <numbers>

#include "geometry/bilinear.h"
#include "runtime/operator.h"

namespace caffe2rt {
namespace {

struct PoolingArgs {
  StorageOrder order;
  float spatial_scale;
  int pooled_h, pooled_w;
  int sampling_ratio;
  bool aligned;

  explicit PoolingArgs(const OperatorArgs& args)
      : order(args.get("order", StorageOrder::kNchw)),
        spatial_scale(args.get("spatial_scale", 1.0F)),
        pooled_h(args.get("pooled_h", 1)),
        pooled_w(args.get("pooled_w", 1)),
        sampling_ratio(args.get("sampling_ratio", -1)),
        aligned(args.get("aligned", false)) {
    require(spatial_scale > 0, ErrorCode::kArgument,
            "argument 'spatial_scale': expected a positive number, got {}", spatial_scale);
    require(pooled_h > 0 && pooled_w > 0, ErrorCode::kArgument,
            "arguments 'pooled_h' and 'pooled_w': expected at least 1, got {} and {}", pooled_h, pooled_w);
    require(sampling_ratio <= kMaxSamples, ErrorCode::kArgument,
            "argument 'sampling_ratio': expected at most {}, got {}", kMaxSamples, sampling_ratio);
  }

  static constexpr int kMaxSamples = 1 << 16;
};

// The bins along one side of a region, in pixels of the feature map.
struct Axis {
  float start, bin;
  int samples;  // in a bin

  Axis(float from, float length, int bins, int sampling_ratio)
      : start(from),
        bin(length / static_cast<float>(bins)),
        samples(sampling_ratio > 0 ? sampling_ratio : static_cast<int>(std::ceil(bin))) {}

  float at(int b, int sample) const {
    return start + static_cast<float>(b) * bin +
           (static_cast<float>(sample) + 0.5F) * bin / static_cast<float>(samples);
  }
};

// A side's length for pooling. Without `aligned` no side is shorter than a pixel.
float side(float length, bool aligned) {
  require(length >= 0 || !aligned, ErrorCode::kArgument, "a region has a side of {} pixels", length);
  const float longest = static_cast<float>(PoolingArgs::kMaxSamples);
  require(length <= longest, ErrorCode::kArgument,
          "a region has a side of {} pixels of the feature map, limit {}", length, longest);
  return aligned ? length : std::max(length, 1.0F);
}

// (x1,y1,x2,y2): rows and columns are independent, so a bin's weights are products of its rows' and its
// columns'.
class UprightRegion {
 public:
  static constexpr int64_t kSize = 4;

  UprightRegion(const PoolingArgs& args, int64_t height, int64_t width)
      : args_(args), height_(height), width_(width) {}

  void set(const float* roi) {
    const float offset = args_.aligned ? 0.5F : 0.0F;
    const float x1 = roi[0] * args_.spatial_scale - offset, y1 = roi[1] * args_.spatial_scale - offset;
    const float x2 = roi[2] * args_.spatial_scale - offset, y2 = roi[3] * args_.spatial_scale - offset;
    const Axis x(x1, side(x2 - x1, args_.aligned), args_.pooled_w, args_.sampling_ratio);
    const Axis y(y1, side(y2 - y1, args_.aligned), args_.pooled_h, args_.sampling_ratio);
    fill(x, args_.pooled_w, width_, columns_);
    fill(y, args_.pooled_h, height_, rows_);
    mean_ = 1 / static_cast<float>(x.samples * y.samples);
  }

  float mean() const { return mean_; }  // 1 / samples in a bin

  void bin(int ph, int pw, std::vector<Tap>& taps) const {
    for (const Tap& row : rows_[ph])
      for (const Tap& column : columns_[pw])
        taps.push_back({row.index * static_cast<int32_t>(width_) + column.index, row.weight * column.weight});
  }

 private:
  static void fill(const Axis& axis, int bins, int64_t size, std::vector<std::vector<Tap>>& taps) {
    taps.resize(bins);
    for (int b = 0; b < bins; b++) {
      taps[b].clear();
      for (int i = 0; i < axis.samples; i++) add_sample(axis.at(b, i), static_cast<int32_t>(size), taps[b]);
    }
  }

  const PoolingArgs& args_;
  const int64_t height_, width_;
  std::vector<std::vector<Tap>> rows_, columns_;  // by bin
  float mean_ = 0;
};

// (x,y,w,h,degrees counter-clockwise).
class RotatedRegion {
 public:
  static constexpr int64_t kSize = 5;

  RotatedRegion(const PoolingArgs& args, int64_t height, int64_t width)
      : args_(args), height_(height), width_(width) {}

  void set(const float* roi) {
    const float offset = args_.aligned ? 0.5F : 0.0F;
    centre_x_ = roi[0] * args_.spatial_scale - offset;
    centre_y_ = roi[1] * args_.spatial_scale - offset;
    const float w = side(roi[2] * args_.spatial_scale, args_.aligned);
    const float h = side(roi[3] * args_.spatial_scale, args_.aligned);
    const float theta = roi[4] * std::numbers::pi_v<float> / 180.0F;
    cos_ = std::cos(theta);
    sin_ = std::sin(theta);
    x_ = Axis(-w / 2, w, args_.pooled_w, args_.sampling_ratio);
    y_ = Axis(-h / 2, h, args_.pooled_h, args_.sampling_ratio);
    require(static_cast<int64_t>(x_.samples) * y_.samples <= PoolingArgs::kMaxSamples, ErrorCode::kLimit,
            "a region of {} x {} samples a bin", y_.samples, x_.samples);
  }

  float mean() const { return 1 / static_cast<float>(x_.samples * y_.samples); }

  void bin(int ph, int pw, std::vector<Tap>& taps) const {
    for (int iy = 0; iy < y_.samples; iy++)
      for (int ix = 0; ix < x_.samples; ix++) {
        const float x = x_.at(pw, ix), y = y_.at(ph, iy);
        add_sample(y * cos_ - x * sin_ + centre_y_, x * cos_ + y * sin_ + centre_x_,
                   static_cast<int32_t>(height_), static_cast<int32_t>(width_), taps);
      }
  }

 private:
  const PoolingArgs& args_;
  const int64_t height_, width_;
  float centre_x_ = 0, centre_y_ = 0, cos_ = 1, sin_ = 0;
  Axis x_ = Axis(0, 0, 1, 1), y_ = Axis(0, 0, 1, 1);
};

template <class Region>
class RoIAlign final : public Operator {
 public:
  enum Input { kX, kRois };

  explicit RoIAlign(const OperatorArgs& args) : args_(args) {}

  PartialShape infer_pooled(PartialShapes in) const {
    const int64_t rois = dim_or_unknown(in[kRois], 0);
    if (args_.order == StorageOrder::kNhwc)
      return std::vector<int64_t>{rois, args_.pooled_h, args_.pooled_w, dim_or_unknown(in[kX], 3)};
    return std::vector<int64_t>{rois, dim_or_unknown(in[kX], 1), args_.pooled_h, args_.pooled_w};
  }

  void run(const Inputs& in, Outputs& out) const override {
    require_rank(in, kX, 4);
    require_rank(in, kRois, 2);
    const at::Tensor& rois = in[kRois];
    require(rois.size(1) == Region::kSize || rois.size(1) == Region::kSize + 1, ErrorCode::kShape,
            "{}: expected {} columns, or {} without the image, got {}", in.describe(kRois), Region::kSize + 1,
            Region::kSize, rois.size(1));

    const bool nhwc = args_.order == StorageOrder::kNhwc;
    const at::Tensor x = nhwc ? in[kX].permute({0, 3, 1, 2}) : in[kX];
    const std::array<int64_t, 4> shape = {rois.size(0), x.size(1), args_.pooled_h, args_.pooled_w};
    at::Tensor y = at::empty(shape, x.options(), at::MemoryFormat::ChannelsLast);
    if (rois.size(0) > 0) {
      require(x.size(2) > 0 && x.size(3) > 0 && x.size(2) * x.size(3) <= std::numeric_limits<int32_t>::max(),
              ErrorCode::kShape, "{}: a feature map of {}x{} pixels", in.describe(kX), x.size(2), x.size(3));
      pool(x.contiguous(at::MemoryFormat::ChannelsLast), rois.contiguous(), y);
    }
    out[0] = nhwc ? y.permute({0, 2, 3, 1}) : y;
  }

 private:
  // All in channels_last memory, rois contiguous.
  void pool(const at::Tensor& x, const at::Tensor& rois, at::Tensor& y) const {
    const int64_t channels = x.size(1), height = x.size(2), width = x.size(3), columns = rois.size(1);
    const auto* pixels = x.data_ptr<float>();
    const auto* roi = rois.data_ptr<float>();
    auto* pooled = y.data_ptr<float>();
    at::parallel_for(0, rois.size(0), 1, [&](int64_t from, int64_t to) {
      Region region(args_, height, width);
      std::vector<Tap> taps;
      for (int64_t r = from; r < to; r++) {
        const float image = columns > Region::kSize ? roi[r * columns] : 0;
        require(image >= 0 && image < static_cast<float>(x.size(0)), ErrorCode::kArgument,
                "region {} belongs to image {}, of {}", r, image, x.size(0));
        const float* map = pixels + static_cast<int64_t>(image) * height * width * channels;
        region.set(roi + (r + 1) * columns - Region::kSize);
        float* bin = pooled + r * args_.pooled_h * args_.pooled_w * channels;
        for (int ph = 0; ph < args_.pooled_h; ph++)
          for (int pw = 0; pw < args_.pooled_w; pw++, bin += channels) {
            taps.clear();
            region.bin(ph, pw, taps);
            sum_pixels(map, channels, taps, region.mean(), bin);
          }
      }
    });
  }

  const PoolingArgs args_;
};

template <class Region>
SchemaBuilder describe(const char* type, const char* rois) {
  SchemaBuilder schema = describe_operator<RoIAlign<Region>>(type);
  schema.says("Pools each region of a feature map into bins of one size, by bilinear samples.")
      .input("X", "(N,C,H,W) float32, or (N,H,W,C) with order NHWC")
      .input("RoIs", rois)
      .output(
          "Y",
          "(R,C,pooled_h,pooled_w) float32, or (R,pooled_h,pooled_w,C); not a number where a region is empty",
          infer::by(&RoIAlign<Region>::infer_pooled))
      .arg("order", "NCHW (default) or NHWC")
      .arg("spatial_scale", "pixels of X a pixel of the input, default 1")
      .arg("pooled_h", "bins in a column, default 1")
      .arg("pooled_w", "bins in a row, default 1")
      .arg("sampling_ratio", "samples along each side of a bin; 0 or less (default): one a pixel, rounded up")
      .arg("aligned",
           "1: pixel centres are at halves; 0 (default): at whole numbers, and no side is under a pixel");
  return schema;
}

const Registered roi_align(describe<UprightRegion>(
    "RoIAlign", "(R,5) float32: image, x1, y1, x2, y2 in pixels of the input; or (R,4)"));
const Registered roi_align_rotated(describe<RotatedRegion>(
    "RoIAlignRotated", "(R,6) float32: image, x, y, w, h, degrees counter-clockwise; or (R,5)"));

}  // namespace
}  // namespace caffe2rt
