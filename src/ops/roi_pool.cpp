// RoIPool: Y[r,c,ph,pw] = the largest X[n_r,c,y,x] over the pixels (y,x) of bin (ph,pw) of region r, and
// where it lies.
//
// Fast R-CNN (Girshick, https://arxiv.org/abs/1504.08083); source: the original's RoIPool. The inner loop
// runs over channels: the kernel works on channels_last memory.
#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <array>
#include <cmath>
#include <limits>

#include "runtime/operator.h"

namespace caffe2rt {
namespace {

// The pixels of the bins along one side of a region.
class Side {
 public:
  // From pixel `first` to pixel `last`, both inside, of `size` pixels that there are.
  Side(std::int64_t first, std::int64_t last, std::int64_t bins, std::int64_t size)
      : first_(first),
        size_(size),
        bin_(static_cast<float>(std::max<std::int64_t>(last - first + 1, 1)) / static_cast<float>(bins)) {}

  std::int64_t begin(std::int64_t bin) const { return inside(std::floor(static_cast<float>(bin) * bin_)); }
  std::int64_t end(std::int64_t bin) const { return inside(std::ceil(static_cast<float>(bin + 1) * bin_)); }

 private:
  std::int64_t inside(float offset) const {
    return std::clamp<std::int64_t>(static_cast<std::int64_t>(offset) + first_, 0, size_);
  }

  const std::int64_t first_, size_;
  const float bin_;
};

class RoIPool final : public Operator {
 public:
  enum Input { kX, kRois };
  enum Output { kY, kArgmax };

  explicit RoIPool(const OperatorArgs& args)
      : spatial_scale_(args.get("spatial_scale", 1.0F)),
        pooled_h_(args.get("pooled_h", 1)),
        pooled_w_(args.get("pooled_w", 1)) {
    const bool is_test = args.get("is_test", false);
    require(args.get("order", StorageOrder::kNchw) == StorageOrder::kNchw, ErrorCode::kArgument,
            "argument 'order': expected NCHW, got NHWC");
    require(spatial_scale_ > 0, ErrorCode::kArgument,
            "argument 'spatial_scale': expected a positive number, got {}", spatial_scale_);
    require(pooled_h_ > 0 && pooled_w_ > 0, ErrorCode::kArgument,
            "arguments 'pooled_h' and 'pooled_w': expected at least 1, got {} and {}", pooled_h_, pooled_w_);
    // Without is_test the second one may be left out by drop_dead_ends, where nothing reads it.
    require(args.num_outputs() == 1 || (!is_test && args.num_outputs() == 2), ErrorCode::kGraph,
            "expected {}, got {} outputs", is_test ? "1 output with is_test" : "1 or 2 outputs",
            args.num_outputs());
  }

  PartialShape shape(PartialShapes in) const {
    require_compatible("input 0 'X'", in[kX], {{kUnknown, kUnknown, kUnknown, kUnknown}});
    require_compatible("input 1 'rois'", in[kRois], {{kUnknown, 5}});
    return {{dim_or_unknown(in[kRois], 0), dim_or_unknown(in[kX], 1), pooled_h_, pooled_w_}};
  }

  void run(const Inputs& in, Outputs& out) const override {
    const auto y_shape = *shape(shapes_of(in));
    element_count(y_shape);
    const at::Tensor& x = in[kX];
    require(x.size(2) * x.size(3) <= std::numeric_limits<std::int32_t>::max(), ErrorCode::kLimit,
            "{}: a feature map of {}x{} pixels", in.describe(kX), x.size(2), x.size(3));
    out[kY] = at::empty(y_shape, x.options(), at::MemoryFormat::ChannelsLast);
    const at::Tensor argmax = at::empty(y_shape, x.options().dtype(at::kInt), at::MemoryFormat::ChannelsLast);
    pool(x.contiguous(at::MemoryFormat::ChannelsLast), in[kRois].contiguous(), out[kY], argmax);
    if (out.size() > kArgmax) out[kArgmax] = argmax;
  }

 private:
  struct Region {
    std::int64_t image;
    Side rows, columns;
  };

  // Throws Error(kArgument) where a region belongs to no image or a coordinate is no pixel.
  Region region(const float* roi, std::int64_t r, const at::Tensor& x) const {
    require(roi[0] >= 0 && roi[0] < static_cast<float>(x.size(0)), ErrorCode::kArgument,
            "region {} belongs to image {}, of {}", r, roi[0], x.size(0));
    std::array<std::int64_t, 4> box{};
    for (size_t i = 0; i < 4; i++) {
      constexpr float kMost = 1 << 24;
      const float pixel = std::round(roi[i + 1] * spatial_scale_);
      require(std::abs(pixel) <= kMost, ErrorCode::kArgument,
              "region {}: expected a pixel of the feature map, got {}", r, pixel);
      box[i] = static_cast<std::int64_t>(pixel);
    }
    return {static_cast<std::int64_t>(roi[0]), Side(box[1], box[3], pooled_h_, x.size(2)),
            Side(box[0], box[2], pooled_w_, x.size(3))};
  }

  // All in channels_last memory, rois contiguous.
  void pool(const at::Tensor& x, const at::Tensor& rois, const at::Tensor& y,
            const at::Tensor& argmax) const {
    const std::int64_t channels = x.size(1), width = x.size(3), map = x.size(2) * width * channels;
    const std::int64_t bins = static_cast<std::int64_t>(pooled_h_) * pooled_w_;
    const auto *pixels = x.const_data_ptr<float>(), *roi = rois.const_data_ptr<float>();
    auto* largest = y.mutable_data_ptr<float>();
    auto* places = argmax.mutable_data_ptr<std::int32_t>();
    at::parallel_for(0, rois.size(0), 1, [&](std::int64_t from, std::int64_t to) {
      for (std::int64_t r = from; r < to; r++) {
        const Region where = region(roi + r * 5, r, x);
        const float* image = pixels + where.image * map;
        for (std::int64_t b = 0; b < bins; b++) {
          float* most = largest + (r * bins + b) * channels;
          std::int32_t* place = places + (r * bins + b) * channels;
          const std::int64_t top = where.rows.begin(b / pooled_w_), bottom = where.rows.end(b / pooled_w_),
                             left = where.columns.begin(b % pooled_w_),
                             right = where.columns.end(b % pooled_w_);
          const bool empty = bottom <= top || right <= left;
          std::fill_n(most, channels, empty ? 0 : std::numeric_limits<float>::lowest());
          std::fill_n(place, channels, -1);
          for (std::int64_t row = top; row < bottom; row++)
            for (std::int64_t i = row * width + left; i < row * width + right; i++)
              take_larger(image + i * channels, static_cast<std::int32_t>(i), channels, most, place);
        }
      }
    });
  }

  static void take_larger(const float* pixel, std::int32_t index, std::int64_t channels, float* most,
                          std::int32_t* place) {
    for (std::int64_t c = 0; c < channels; c++) {
      const bool larger = pixel[c] > most[c];
      most[c] = larger ? pixel[c] : most[c];
      place[c] = larger ? index : place[c];
    }
  }

  const float spatial_scale_;
  const int pooled_h_, pooled_w_;
};

REGISTER_OPERATOR(RoIPool)
    .says("Pools each region of a feature map into bins of one size, by the largest pixel.")
    .input("X", "(N,C,H,W) float32")
    .input("rois", "(R,5) float32: image, x1, y1, x2, y2 in pixels of the input")
    .output("Y", "(R,C,pooled_h,pooled_w) float32; 0 where a bin is empty", infer::by(&RoIPool::shape))
    .optional_output("argmaxes", "shape of Y, int32: row * W + column in X, -1 where there is none",
                     infer::by(&RoIPool::shape))
    .arg("is_test", "1: there are no argmaxes; 0 (default): there are")
    .arg("order", "NCHW, the only one")
    .arg("spatial_scale", "pixels of X a pixel of the input, default 1")
    .arg("pooled_h", "bins in a column, default 1")
    .arg("pooled_w", "bins in a row, default 1");

}  // namespace
}  // namespace caffe2rt
