// Tile: Y = X several times, one after the other along an axis. NumpyTile: along every axis, as numpy.tile.
//
// Source: the original's Tile and NumpyTile. Numbers that are fed are int32: of int64 ones the original reads
// the upper half as the axis.
#include <limits>

#include "ops/shape_args.h"
#include "runtime/operator.h"

namespace caffe2rt {
namespace {

using Shape = std::vector<std::int64_t>;

// The shape of X repeated; throws Error where a number makes no sense.
Shape repeated(Shape x, const Shape& repeats) {
  for (size_t d = 0; d < x.size(); d++) {
    require(repeats[d] >= 0 && repeats[d] <= std::numeric_limits<std::int32_t>::max(), ErrorCode::kArgument,
            "expected 0 repetitions or more, got {}", repeats[d]);
    if (x[d] != kUnknown) x[d] *= repeats[d];
  }
  return x;
}

at::Tensor repeat(const at::Tensor& x, const Shape& repeats) {
  element_count(repeated(x.sizes().vec(), repeats));
  return x.repeat(repeats);
}

class Tile final : public Operator {
 public:
  enum Input { kX, kTiles, kAxis };

  explicit Tile(const OperatorArgs& args)
      : tiles_(args.get("tiles", std::int64_t{1})), axis_(args.get("axis", std::int64_t{0})) {
    const auto given = [&](const char* name, size_t input) {
      require(args.has(name) || args.num_inputs() > input, ErrorCode::kArgument,
              "expected '{}' as an argument or as an input, got neither", name);
    };
    given("tiles", kTiles);
    given("axis", kAxis);
  }

  PartialShape shape(PartialShapes in) const {
    if (!in[kX] || in.size() > kAxis) return std::nullopt;
    Shape y = *in[kX];
    const auto axis = static_cast<size_t>(canonical_axis(axis_, static_cast<std::int64_t>(y.size())));
    if (in.size() <= kTiles) return repeated(y, repeats(y.size(), axis, tiles_));
    y[axis] = kUnknown;
    return y;
  }

  void run(const Inputs& in, Outputs& out) const override {
    const std::int64_t tiles = in.has(kTiles) ? number(in, kTiles) : tiles_,
                       axis = canonical_axis(in.has(kAxis) ? number(in, kAxis) : axis_, in[kX].dim());
    out[0] = repeat(in[kX], repeats(static_cast<size_t>(in[kX].dim()), static_cast<size_t>(axis), tiles));
  }

 private:
  static Shape repeats(size_t rank, size_t axis, std::int64_t tiles) {
    Shape all(rank, 1);
    all[axis] = tiles;
    return all;
  }

  static std::int64_t number(const Inputs& in, size_t i) {
    require_shape(in, i, {1});
    require(in[i].scalar_type() == at::kInt, ErrorCode::kType, "{}: expected int32, got {}", in.describe(i),
            c10::toString(in[i].scalar_type()));
    return integers_of(in[i]).front();
  }

  const std::int64_t tiles_, axis_;
};

class NumpyTile final : public Operator {
 public:
  enum Input { kX, kRepeats };

  explicit NumpyTile(const OperatorArgs& /*args*/) {}

  PartialShape shape(PartialShapes in) const {
    if (!in[kX]) return std::nullopt;
    require_compatible("input 1 'repeats'", in[kRepeats], vector_shape(in[kX]->size()));
    return Shape(in[kX]->size(), kUnknown);
  }

  void run(const Inputs& in, Outputs& out) const override {
    shape(shapes_of(in));
    out[0] = repeat(in[kX], integers_of(in[kRepeats]));
  }
};

REGISTER_OPERATOR(Tile)
    .says("X several times along an axis.")
    .input("X", "1 dimension or more, any type", Types::kAny)
    .optional_input("tiles", "(1) int32, instead of the argument", Types::kIndex)
    .optional_input("axis", "(1) int32, instead of the argument", Types::kIndex)
    .output("Y", "shape of X with the axis `tiles` times as long", infer::by(&Tile::shape))
    .arg("tiles", "how often")
    .arg("axis", "the axis, from the end where negative");

REGISTER_OPERATOR(NumpyTile)
    .says("X several times along every axis.")
    .input("X", "any shape, any type", Types::kAny)
    .input("repeats", "(rank of X) int32 or int64: how often along each axis", Types::kIndex)
    .output("Y", "shape of X times repeats", infer::by(&NumpyTile::shape));

}  // namespace
}  // namespace caffe2rt
