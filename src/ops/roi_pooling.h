// What RoIAlign on one feature map and on a pyramid of them have in common: arguments, and the bins of a
// region.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "geometry/bilinear.h"
#include "runtime/operator.h"

namespace caffe2rt {

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

// Those of each level of a pyramid, by the argument 'caffe2rt.spatial_scales'. Throws Error(kArgument).
inline std::vector<PoolingArgs> pooling_by_level(const OperatorArgs& args, size_t levels) {
  const std::vector<float> scales = args.floats("caffe2rt.spatial_scales");
  require(scales.size() == levels, ErrorCode::kArgument,
          "argument 'caffe2rt.spatial_scales': expected {} numbers, one a level, got {}", levels,
          scales.size());
  std::vector<PoolingArgs> all(levels, PoolingArgs(args));
  for (size_t i = 0; i < levels; i++) all[i].spatial_scale = scales[i];
  require(levels > 0 && all.front().order == StorageOrder::kNchw, ErrorCode::kArgument,
          "argument 'order': expected NCHW");
  return all;
}

// A side's length for pooling. Without `aligned` no side is shorter than a pixel.
inline float side(float length, bool aligned) {
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

// Which of a region's bins are computed, and what becomes of them.
struct BinArgs {
  int stride_h = 1, stride_w = 1;  // every so many, from the first on
  const float* bias = nullptr;     // (C), or null
  bool relu = false;
};

// Pools regions of feature maps of one size, in channels_last memory. One a thread.
template <class Region>
class RegionPooler {
 public:
  // x: (N,C,H,W) float32 in channels_last memory.
  RegionPooler(const PoolingArgs& args, const at::Tensor& x, const BinArgs& bins = {})
      : args_(args),
        bins_(bins),
        images_(x.size(0)),
        channels_(x.size(1)),
        pixels_(x.size(2) * x.size(3)),
        maps_(x.const_data_ptr<float>()),
        region_(args, x.size(2), x.size(3)) {
    require(pixels_ > 0 && pixels_ <= std::numeric_limits<int32_t>::max(), ErrorCode::kShape,
            "input 0 'X': a feature map of {}x{} pixels", x.size(2), x.size(3));
  }

  // Row `r` of rois, `columns` numbers wide, -> (pooled_h,pooled_w,C), or as many of those bins as are
  // computed. Throws Error(kArgument).
  void pool(const float* roi, int64_t r, int64_t columns, float* bins) {
    const float image = columns > Region::kSize ? roi[r * columns] : 0;
    require(image >= 0 && image < static_cast<float>(images_), ErrorCode::kArgument,
            "region {} belongs to image {}, of {}", r, image, images_);
    const float* map = maps_ + static_cast<int64_t>(image) * pixels_ * channels_;
    region_.set(roi + (r + 1) * columns - Region::kSize);
    const PixelSum sum{region_.mean(), bins_.bias, bins_.relu};
    for (int ph = 0; ph < args_.pooled_h; ph += bins_.stride_h)
      for (int pw = 0; pw < args_.pooled_w; pw += bins_.stride_w, bins += channels_) {
        taps_.clear();
        region_.bin(ph, pw, taps_);
        sum_pixels(map, channels_, taps_, sum, bins);
      }
  }

 private:
  const PoolingArgs& args_;
  const BinArgs bins_;
  const int64_t images_, channels_, pixels_;
  const float* const maps_;
  Region region_;
  std::vector<Tap> taps_;
};

// Throws Error(kShape) where rois of so many columns are no regions.
template <class Region>
void require_regions(const Inputs& in, size_t i) {
  require_rank(in, i, 2);
  const int64_t columns = in[i].size(1);
  require(columns == Region::kSize || columns == Region::kSize + 1, ErrorCode::kShape,
          "{}: expected {} columns, or {} without the image, got {}", in.describe(i), Region::kSize + 1,
          Region::kSize, columns);
}

}  // namespace caffe2rt
