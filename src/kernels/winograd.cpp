#include "kernels/winograd.h"

#include <algorithm>
#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/winograd.cpp"
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/encoding-inl.h"
#include "kernels/int16_product.h"
#include "kernels/matmul-inl.h"
#include "kernels/past_caches.h"
#include "kernels/winograd_layout.h"
#include "kernels/winograd_transforms-inl.h"

HWY_BEFORE_NAMESPACE();
namespace caffe2rt::winograd {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
namespace mm = matmul::HWY_NAMESPACE;

using encoding::HWY_NAMESPACE::Decoder;
using encoding::HWY_NAMESPACE::Encoder;
using mm::kLanes;

// Vectors of the caller's arrays. These are whole.
struct WholeVectors {
  template <class T>
  HWY_INLINE Vec load(const Decoder& decode, const T* from) const {
    return decode(from);
  }
  HWY_INLINE Vec load(const Decoder& decode, const Source& from, size_t at) const { return decode(from, at); }
  HWY_INLINE void store(const Encoder& encode, Vec v, const Target& to, size_t at) const {
    encode(v, to, at);
  }
};

// A vector of float32 is a line of the caches and is written past them.
struct WholeLines : WholeVectors {
  HWY_INLINE void store(const Encoder&, Vec v, const Target& to, size_t at) const {
    hn::Stream(v, Tag(), to.floats() + at);
  }
};

// Vectors at the end of an array, of which only the first lanes are there.
struct FirstLanes {
  size_t count;

  template <class T>
  HWY_INLINE Vec load(const Decoder& decode, const T* from) const {
    HWY_ALIGN T lanes[kLanes] = {};
    std::copy_n(from, count, lanes);
    return decode(lanes);
  }
  HWY_INLINE Vec load(const Decoder& decode, const Source& from, size_t at) const {
    HWY_ALIGN float lanes[kLanes] = {};
    std::memcpy(lanes, from.from(at).data, count * size_of(from.encoding.format));
    return decode({lanes, from.encoding}, 0);
  }
  HWY_INLINE void store(const Encoder& encode, Vec v, const Target& to, size_t at) const {
    HWY_ALIGN float lanes[kLanes];
    encode(v, {lanes, to.encoding}, 0);
    std::memcpy(to.from(at).data, lanes, count * size_of(to.encoding.format));
  }
};

// Tiles of kTile x kTile results.
template <int kTile>
class Convolution {
 public:
  Convolution(const Problem& p, float* scratch)
      : p_(p),
        canvas_(p),
        slices_(p.weights),
        layout_(p, tiles_of_block(p, canvas_.count_tiles()), scratch),
        decode_x_(p.x.encoding),
        decode_residual_(p.residual.encoding),
        encode_y_(p.y.encoding) {
    const size_t all = p.weights.filters,
                 results = static_cast<size_t>(p.images) * p.out_height() * p.out_width() * all;
    past_caches_ = !p.pointwise && kLanes == kLineFloats && p.y.encoding.format == Format::kFloat32 &&
                   past_caches(p.y.floats(), results, all);
    // What stands for zero is none itself.
    if (p.x.encoding.format == Format::kUint8) std::memset(layout_.zeros, p.x.encoding.zero, layout_.row);
  }

  // Whether the block's results are all finite.
  bool run(int block) {
    const Weights& w = p_.weights;
    first_group_ = block % slices_.count * slices_.groups;
    groups_ = std::min(slices_.groups, w.groups - first_group_);
    channels_ = groups_ * w.group_channels();
    filters_ = groups_ * w.group_filters();
    const int first = block / slices_.count * layout_.tiles,
              tiles = std::min(layout_.tiles, canvas_.count_tiles() - first);
    // The products overwrite the transformed inputs one matrix behind: matrix i+1 is read while i is written.
    float *products = layout_.matrices, *inputs = products + layout_.matrix;
    switch (p_.x.encoding.format) {
      case Format::kFloat32:
        transform_inputs<float>(first, tiles, inputs);
        break;
      case Format::kBfloat16:
        transform_inputs<std::uint16_t>(first, tiles, inputs);
        break;
      case Format::kUint8:
        transform_inputs<std::uint8_t>(first, tiles, inputs);
        break;
    }
    for (size_t i = 0; i < kPoints; i++)
      multiply_point(i, tiles, inputs + i * layout_.matrix, products + i * layout_.matrix);
    return transform_outputs(first, tiles, products);
  }

 private:
  static constexpr int kSide = kTile + 2;
  static constexpr size_t kPoints = kSide * kSide;

  // A line of a square of vectors, `step` apart.
  template <int kSize, class Load>
  static HWY_INLINE void load_line(Vec (&line)[kSize], Load&& load) {
#pragma GCC unroll 8
    for (int i = 0; i < kSize; i++) line[i] = load(i);
  }

  // The channels from `from` on of all pixels -> the same channels of a row of all matrices.
  template <class T, class Access>
  HWY_INLINE void input_tile(const T* const (&pixels)[kPoints], size_t from, float* v, Access access) const {
    const Tag tag;
    HWY_ALIGN float part[kPoints * kLanes];
    Vec d[kSide], o[kSide];
#pragma GCC unroll 1
    for (int j = 0; j < kSide; j++) {
      load_line(d, [&](int i) { return access.load(decode_x_, pixels[i * kSide + j] + from); });
      transform_input(d, o);
#pragma GCC unroll 8
      for (int i = 0; i < kSide; i++) hn::Store(o[i], tag, part + (i * kSide + j) * kLanes);
    }
#pragma GCC unroll 1
    for (int i = 0; i < kSide; i++) {
      load_line(d, [&](int j) { return hn::Load(tag, part + (i * kSide + j) * kLanes); });
      transform_input(d, o);
#pragma GCC unroll 8
      for (int j = 0; j < kSide; j++) hn::Store(o[j], tag, v + (i * kSide + j) * layout_.matrix + from);
    }
  }

  // T: what x is made of.
  template <class T>
  void transform_inputs(int first, int tiles, float* v) const {
    const size_t whole = channels_ / kLanes * kLanes;
    const FirstLanes tail{channels_ - whole};
    const T* const x = p_.x.as<T>() + static_cast<size_t>(first_group_) * p_.weights.group_channels();
    const auto* zeros = reinterpret_cast<const T*>(layout_.zeros);
    for (int t = 0; t < tiles; t++, v += layout_.row) {
      const T* pixels[kPoints];
      canvas_.for_each_input<kSide>(p_, first + t, [&](int i, std::ptrdiff_t pixel) {
        pixels[i] = pixel < 0 ? zeros : x + pixel * p_.weights.channels;
      });
      for (size_t c = 0; c < whole; c += kLanes) input_tile(pixels, c, v, WholeVectors());
      if (whole < channels_) input_tile(pixels, whole, v, tail);
      if (p_.weights.numbers == Numbers::kFloat32) continue;
      for (size_t i = 0; i < kPoints; i++) {
        float* row = v + i * layout_.matrix;
        layout_.scales[i * layout_.tiles + t] =
            int16_product::quantize(row, channels_, reinterpret_cast<std::int16_t*>(row));
      }
    }
  }

  // products (tiles,filters) = inputs (tiles,channels) times the weights of a point.
  void multiply_point(size_t point, int tiles, const float* inputs, float* products) const {
    const Weights& w = p_.weights;
    if (w.numbers == Numbers::kFloat32) {
      const size_t channels = w.group_channels(), filters = w.group_filters();
      const float* packed =
          static_cast<const float*>(p_.packed) + (point * w.groups + first_group_) * group_matrix(w);
      for (int g = 0; g < groups_; g++, packed += group_matrix(w))
        mm::multiply({inputs + g * channels, layout_.row, channels}, tiles, packed, filters,
                     products + g * filters, layout_.row);
      return;
    }
    int16_product::multiply(
        {.a = reinterpret_cast<const std::int32_t*>(inputs),
         .a_step = layout_.row,
         .rows = static_cast<size_t>(tiles),
         .pairs = int16_product::pairs_of(channels_),
         .columns = matmul::count_columns(w.filters),
         .panel = int16_product::panel_width(),
         .packed = static_cast<const std::int32_t*>(p_.matrices) + point * integer_matrix(w),
         .row_scales = layout_.scales + point * layout_.tiles,
         .column_scales = column_scales(point),
         .c = products,
         .c_step = layout_.row});
  }

  // Of a point's matrix of integers.
  const float* column_scales(size_t point) const {
    const auto* packed = static_cast<const std::uint8_t*>(p_.packed);
    return with_integers_of(p_.weights,
                            [&]<class T>(T) { return IntegerWeights<T>(p_.weights, packed).scales(point); });
  }

  // Where a tile's results go.
  struct Output {
    std::ptrdiff_t pixels[kTile * kTile];  // those that are none are negative
    Target to;                             // (pixels,step)
    size_t step;
  };

  // A row's filters from `from` on of all matrices -> the same filters of a tile's pixels. Adds nothing to
  // `strange` but what is not finite. `Access` loads and stores vectors of the caller's arrays.
  template <class Access>
  HWY_INLINE void output_tile(const Output& output, const float* m, size_t from, Vec& strange,
                              Access access) const {
    const Tag tag;
    HWY_ALIGN float part[kTile * kSide * kLanes];
    Vec d[kSide], o[kTile];
#pragma GCC unroll 1
    for (int j = 0; j < kSide; j++) {
      load_line(d, [&](int i) { return hn::Load(tag, m + (i * kSide + j) * layout_.matrix + from); });
      transform_output(d, o);
#pragma GCC unroll 8
      for (int i = 0; i < kTile; i++) hn::Store(o[i], tag, part + (i * kSide + j) * kLanes);
    }
    const size_t to = static_cast<size_t>(first_group_) * p_.weights.group_filters() + from;  // of a pixel's
    const Vec zero = hn::Zero(tag), bias = p_.bias ? access.load(decode_x_, p_.bias + to) : zero;
#pragma GCC unroll 1
    for (int i = 0; i < kTile; i++) {
      load_line(d, [&](int j) { return hn::Load(tag, part + (i * kSide + j) * kLanes); });
      transform_output(d, o);
#pragma GCC unroll 8
      for (int j = 0; j < kTile; j++) {
        const std::ptrdiff_t pixel = output.pixels[i * kTile + j];
        if (pixel < 0) continue;
        const size_t at = static_cast<size_t>(pixel) * output.step + to;
        strange = hn::MulAdd(o[j], zero, strange);
        Vec y = hn::Add(o[j], bias);
        if (p_.residual) y = hn::Add(y, access.load(decode_residual_, p_.residual, at));
        if (p_.relu) y = hn::Max(y, zero);
        access.store(encode_y_, y, output.to, at);
      }
    }
  }

  // The same of all filters.
  HWY_INLINE void output_filters(const Output& output, const float* m, Vec& strange) const {
    const size_t whole = filters_ / kLanes * kLanes;
    for (size_t k = 0; k < whole; k += kLanes) {
      if (past_caches_)
        output_tile(output, m, k, strange, WholeLines());
      else
        output_tile(output, m, k, strange, WholeVectors());
    }
    if (whole < filters_) output_tile(output, m, whole, strange, FirstLanes{filters_ - whole});
  }

  bool transform_outputs(int first, int tiles, const float* m) const {
    Vec strange = hn::Zero(Tag());
    for (int t = 0; t < tiles; t++, m += layout_.row) {
      Output output{.to = p_.y, .step = static_cast<size_t>(p_.weights.filters)};
      canvas_.for_each_output<kTile>(p_, first + t,
                                     [&](int i, std::ptrdiff_t pixel) { output.pixels[i] = pixel; });
      if (p_.pointwise)
        output_columns(output, m, strange);
      else
        output_filters(output, m, strange);
    }
    return hn::AllTrue(Tag(), hn::Eq(strange, hn::Zero(Tag())));
  }

  // A tile's results one after the other, and of those the columns.
  void output_columns(const Output& output, const float* m, Vec& strange) const {
    const size_t columns = p_.columns;
    Output near{.to = layout_.pixels, .step = layout_.row};
    std::ptrdiff_t pixels[kTile * kTile], count = 0;
    for (size_t i = 0; i < std::size(pixels); i++) {
      near.pixels[i] = output.pixels[i] < 0 ? -1 : count;
      if (output.pixels[i] >= 0) pixels[count++] = output.pixels[i];
    }
    output_filters(near, m, strange);
    mm::multiply({layout_.pixels, layout_.row, filters_}, count, p_.pointwise, columns, layout_.columns,
                 kMostColumns);
    for (std::ptrdiff_t i = 0; i < count; i++)
      for (size_t c = 0; c < columns; c++)
        p_.y.floats()[pixels[i] * columns + c] =
            layout_.columns[i * kMostColumns + c] + (p_.pointwise_bias ? p_.pointwise_bias[c] : 0);
  }

  const Problem& p_;
  const Canvas canvas_;
  const Slices slices_;
  const Layout layout_;
  const Decoder decode_x_, decode_residual_;
  const Encoder encode_y_;
  bool past_caches_;
  int first_group_ = 0, groups_ = 0;   // of the block's slice
  size_t channels_ = 0, filters_ = 0;  // of the same
};

template <int kTile>
bool run_blocks(const Problem& p, int first, int last, float* scratch) {
  Convolution<kTile> convolution(p, scratch);
  bool finite = true;
  for (int block = first; block < last; block++) finite = convolution.run(block) && finite;
  hwy::FlushStream();
  return finite;
}

bool Run(const Problem& p, int first, int last, float* scratch) {
  return p.weights.tile == 4 ? run_blocks<4>(p, first, last, scratch)
                             : run_blocks<6>(p, first, last, scratch);
}

}  // namespace HWY_NAMESPACE
}  // namespace caffe2rt::winograd
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace caffe2rt::winograd {

HWY_EXPORT(Run);

int count_blocks(const Problem& problem) {
  const int all = Canvas(problem).count_tiles(), tiles = tiles_of_block(problem, all);
  return (all + tiles - 1) / tiles * Slices(problem.weights).count;
}

size_t scratch_size(const Problem& problem) {
  return Layout::size(problem, tiles_of_block(problem, Canvas(problem).count_tiles()));
}

bool run(const Problem& problem, int first, int last, float* scratch) {
  return HWY_DYNAMIC_DISPATCH(Run)(problem, first, last, scratch);
}

}  // namespace caffe2rt::winograd
#endif
