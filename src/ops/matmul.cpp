// MatMul: Y = A B, where the axes of A before `axis_a` are its rows and the others its columns, and those of
// B by `axis_b` likewise. BatchMatMul: the same for each matrix of two batches, the last two axes being rows
// and columns.
//
// Source: the original's operators. With a third input MatMul's Y has that one's shape (which its gradients
// use). In BatchMatMul a vector is a row on the left and a column on the right, whatever `trans_a` and
// `trans_b` say; its axis is missing in Y, but the product of two vectors has the shape (1). Beside a vector
// the original gives a transposed matrix that is not square the wrong number of rows or columns: here it is
// the right one.
#include <ATen/ops/matmul.h>
#include <ATen/ops/mm.h>

#include "ops/broadcast.h"
#include "ops/shape_args.h"
#include "runtime/operator.h"

namespace caffe2rt {
namespace {

using Shape = std::vector<std::int64_t>;

class MatMul final : public Operator {
 public:
  enum Input { kA, kB, kLike };

  explicit MatMul(const OperatorArgs& args)
      : axis_a_(args.get("axis_a", std::int64_t{1})),
        axis_b_(args.get("axis_b", std::int64_t{1})),
        trans_a_(args.get("trans_a", false)),
        trans_b_(args.get("trans_b", false)) {}

  PartialShape shape(PartialShapes in) const {
    Matrix a = matrix("input 0 'A'", in[kA], axis_a_), b = matrix("input 1 'B'", in[kB], axis_b_);
    if (trans_a_) std::swap(a.rows, a.columns);
    if (trans_b_) std::swap(b.rows, b.columns);
    require(compatible({{a.columns}}, {{b.rows}}), ErrorCode::kShape,
            "input 1 'B': expected {} rows, as A {} has columns, got {}", a.columns, to_string(in[kA]),
            to_string(in[kB]));
    if (in.size() <= kLike) return Shape{a.rows, b.columns};
    const PartialShape& like = in[kLike];
    const std::int64_t expected = product(Shape{a.rows, b.columns}), got = like ? product(*like) : kUnknown;
    require(compatible({{expected}}, {{got}}), ErrorCode::kShape,
            "input 2 'like': expected {} elements, got {}", expected, to_string(like));
    return like;
  }

  void run(const Inputs& in, Outputs& out) const override {
    const auto shapes = shapes_of(in);
    const Shape y_shape = *shape(shapes);
    const Matrix a = matrix("input 0 'A'", shapes[kA], axis_a_),
                 b = matrix("input 1 'B'", shapes[kB], axis_b_);
    at::Tensor left = in[kA].reshape({a.rows, a.columns}), right = in[kB].reshape({b.rows, b.columns});
    if (trans_a_) left = left.t();
    if (trans_b_) right = right.t();
    element_count(Shape{left.size(0), right.size(1)});
    out[0] = at::mm(left, right).view(y_shape);
  }

 private:
  struct Matrix {
    std::int64_t rows = kUnknown, columns = kUnknown;
  };

  static Matrix matrix(const char* input, const PartialShape& shape, std::int64_t axis) {
    if (!shape) return {};
    const auto rank = static_cast<std::int64_t>(shape->size());
    require(axis < rank && axis >= -rank, ErrorCode::kShape, "{}: expected an axis {}, got {}", input, axis,
            to_string(shape));
    const std::span<const std::int64_t> dims(*shape);
    const auto split = static_cast<size_t>(axis < 0 ? axis + rank : axis);
    return {product(dims.first(split)), product(dims.subspan(split))};
  }

  const std::int64_t axis_a_, axis_b_;
  const bool trans_a_, trans_b_;
};

class BatchMatMul final : public Operator {
 public:
  enum Input { kA, kB };

  explicit BatchMatMul(const OperatorArgs& args)
      : trans_a_(args.get("trans_a", false)),
        trans_b_(args.get("trans_b", false)),
        broadcast_(args.get("broadcast", false)) {}

  PartialShape shape(PartialShapes in) const {
    if (!in[kA] || !in[kB]) return std::nullopt;
    Shape a = *in[kA], b = *in[kB];
    const bool a_is_vector = a.size() == 1, b_is_vector = b.size() == 1;
    require(!a.empty() && !b.empty(), ErrorCode::kShape, "expected matrices or vectors, got {} and {}",
            to_string(in[kA]), to_string(in[kB]));
    if (a_is_vector) a.insert(a.begin(), 1);
    if (b_is_vector) b.push_back(1);
    if (trans_a_ && !a_is_vector) std::swap(a.back(), a[a.size() - 2]);
    if (trans_b_ && !b_is_vector) std::swap(b.back(), b[b.size() - 2]);
    const std::int64_t rows = a[a.size() - 2], columns = b.back();
    require(compatible({{a.back()}}, {{b[b.size() - 2]}}), ErrorCode::kShape,
            "input 1 'B': expected {} rows, as A {} has columns, got {}", a.back(), to_string(in[kA]),
            to_string(in[kB]));
    a.resize(a.size() - 2);
    b.resize(b.size() - 2);
    require(broadcast_ || a_is_vector || b_is_vector || compatible(a, b), ErrorCode::kShape,
            "expected batches of one shape without 'broadcast', got {} and {}", to_string(in[kA]),
            to_string(in[kB]));
    if (a_is_vector && b_is_vector) return Shape{1};
    Shape y = broadcast_shape(a, b);
    if (!a_is_vector) y.push_back(rows);
    if (!b_is_vector) y.push_back(columns);
    return y;
  }

  void run(const Inputs& in, Outputs& out) const override {
    const Shape y_shape = *shape(shapes_of(in));
    element_count(y_shape);
    const at::Tensor a = trans_a_ && in[kA].dim() > 1 ? in[kA].transpose(-1, -2) : in[kA];
    const at::Tensor b = trans_b_ && in[kB].dim() > 1 ? in[kB].transpose(-1, -2) : in[kB];
    out[0] = at::matmul(a, b).reshape(y_shape);
  }

 private:
  const bool trans_a_, trans_b_, broadcast_;
};

REGISTER_OPERATOR(MatMul)
    .says("Product of two matrices.")
    .input("A", "(M...,K...) float32")
    .input("B", "(K...,N...) float32")
    .optional_input("like", "M*N elements: gives its shape to Y")
    .output("Y", "(M,N) float32, with all axes of a side as one", infer::by(&MatMul::shape))
    .arg("axis_a", "first axis of A that belongs to its columns, from the end where negative; default 1")
    .arg("axis_b", "first axis of B that belongs to its columns, likewise")
    .arg("trans_a", "1: A is given as (K...,M...)")
    .arg("trans_b", "1: B is given as (N...,K...)")
    .runs_on_any_device();

REGISTER_OPERATOR(BatchMatMul)
    .says("Product of the matrices of two batches.")
    .input("A", "(...,M,K) or (K) float32")
    .input("B", "(...,K,N) or (K) float32")
    .output("Y", "(...,M,N) float32; without the axis of a vector", infer::by(&BatchMatMul::shape))
    .arg("trans_a", "1: A is given as (...,K,M)")
    .arg("trans_b", "1: B is given as (...,N,K)")
    .arg("broadcast", "1: the axes before the last two broadcast as numpy's; 0 (default): they are the same")
    .runs_on_any_device();

}  // namespace
}  // namespace caffe2rt
