// ATen: Y = one of PyTorch's tensor functions, named by the argument `operator`.
//
// Source: the original's ATen operator, by which PyTorch's ONNX exporter hands on what ONNX cannot say
// (OperatorExportTypes.ONNX_ATEN_FALLBACK). Tensors are inputs, everything else are arguments under the names
// of the function's own parameters. A net may come from anywhere, and some functions read files or take
// memory by a number in the net: only what stands in the table below is called.
#include <ATen/ops/add.h>
#include <ATen/ops/atan2.h>
#include <ATen/ops/cosine_similarity.h>
#include <ATen/ops/cumsum.h>
#include <ATen/ops/div.h>
#include <ATen/ops/expm1.h>
#include <ATen/ops/fmod.h>
#include <ATen/ops/frac.h>
#include <ATen/ops/gather.h>
#include <ATen/ops/group_norm.h>
#include <ATen/ops/hardsigmoid.h>
#include <ATen/ops/hardswish.h>
#include <ATen/ops/index.h>
#include <ATen/ops/index_copy.h>
#include <ATen/ops/index_fill.h>
#include <ATen/ops/index_put.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/logical_and.h>
#include <ATen/ops/logical_not.h>
#include <ATen/ops/logical_or.h>
#include <ATen/ops/logical_xor.h>
#include <ATen/ops/masked_select.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/minimum.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/round.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/square.h>
#include <ATen/ops/sub.h>
#include <ATen/ops/trunc.h>
#include <ATen/ops/upsample_bilinear2d.h>
#include <ATen/ops/upsample_nearest2d.h>

#include <limits>

#include "runtime/operator.h"

namespace caffe2rt {
namespace {

using at::Tensor;
using Compute = std::function<Tensor(const Inputs&)>;

struct Call {
  const char* function;
  size_t least_inputs, most_inputs;
  std::vector<const char*> args;         // those it takes; one with a star must be given
  Compute (*bind)(const OperatorArgs&);  // reads the arguments
};

constexpr size_t kAnyNumber = std::numeric_limits<size_t>::max();

std::int64_t integer(const OperatorArgs& args, const char* name, std::int64_t otherwise = 0) {
  return args.get(name, otherwise);
}

// A number as the exporter wrote it: a floating-point one makes integer tensors floating-point.
at::Scalar scalar(const OperatorArgs& args, const char* name, std::int64_t otherwise = 0) {
  const Argument* arg = args.def().find(name);
  return arg && arg->f ? at::Scalar(*arg->f) : at::Scalar(args.get(name, otherwise));
}

Tensor optional(const Inputs& in, size_t i) { return in.has(i) ? in[i] : Tensor(); }

// Inputs `begin` to `end` as the indices of an advanced indexing.
c10::List<std::optional<Tensor>> indices(const Inputs& in, size_t begin, size_t end) {
  c10::List<std::optional<Tensor>> list;
  for (size_t i = begin; i < end; i++) list.push_back(in[i]);
  return list;
}

template <Tensor (*f)(const Tensor&)>
Compute unary(const OperatorArgs& /*args*/) {
  return [](const Inputs& in) { return f(in[0]); };
}

template <Tensor (*f)(const Tensor&, const Tensor&)>
Compute binary(const OperatorArgs& /*args*/) {
  return [](const Inputs& in) { return f(in[0], in[1]); };
}

// A value that is either the last of `inputs` tensors, or the argument `name`.
void require_one(const OperatorArgs& args, const char* name, size_t inputs) {
  const bool as_tensor = args.num_inputs() == inputs;
  require(args.has(name) != as_tensor, ErrorCode::kArgument,
          "expected '{}' as an argument or as a tensor, got {}", name, as_tensor ? "both" : "neither");
}

// X + alpha * other, where `other` is the second input or an argument.
template <Tensor (*of_tensor)(const Tensor&, const Tensor&, const at::Scalar&),
          Tensor (*of_number)(const Tensor&, const at::Scalar&, const at::Scalar&)>
Compute scaled(const OperatorArgs& args) {
  require_one(args, "other", 2);
  return [alpha = scalar(args, "alpha", 1), other = scalar(args, "other")](const Inputs& in) {
    return in.has(1) ? of_tensor(in[0], in[1], alpha) : of_number(in[0], other, alpha);
  };
}

template <Tensor (*of_tensor)(const Tensor&, const Tensor&),
          Tensor (*of_number)(const Tensor&, const at::Scalar&)>
Compute with_other(const OperatorArgs& args) {
  require_one(args, "other", 2);
  return [other = scalar(args, "other")](const Inputs& in) {
    return in.has(1) ? of_tensor(in[0], in[1]) : of_number(in[0], other);
  };
}

Compute group_norm(const OperatorArgs& args) {
  return [groups = integer(args, "num_groups"), eps = args.get("eps", 1e-5F)](const Inputs& in) {
    return at::group_norm(in[0], groups, optional(in, 1), optional(in, 2), eps);
  };
}

Compute layer_norm(const OperatorArgs& args) {
  return [shape = args.ints("normalized_shape"), eps = args.get("eps", 1e-5F)](const Inputs& in) {
    return at::layer_norm(in[0], shape, optional(in, 1), optional(in, 2), eps);
  };
}

Compute index(const OperatorArgs& /*args*/) {
  return [](const Inputs& in) { return at::index(in[0], indices(in, 1, in.size())); };
}

Compute index_put(const OperatorArgs& args) {
  return [accumulate = args.get("accumulate", false)](const Inputs& in) {
    return at::index_put(in[0], indices(in, 1, in.size() - 1), in[in.size() - 1], accumulate);
  };
}

Compute index_fill(const OperatorArgs& args) {
  require_one(args, "value", 3);
  return [dim = integer(args, "dim"), value = scalar(args, "value")](const Inputs& in) {
    return in.has(2) ? at::index_fill(in[0], dim, in[1], in[2]) : at::index_fill(in[0], dim, in[1], value);
  };
}

Compute index_copy(const OperatorArgs& args) {
  return [dim = integer(args, "dim")](const Inputs& in) { return at::index_copy(in[0], dim, in[1], in[2]); };
}

Compute index_select(const OperatorArgs& args) {
  return [dim = integer(args, "dim")](const Inputs& in) { return at::index_select(in[0], dim, in[1]); };
}

Compute gather(const OperatorArgs& args) {
  return [dim = integer(args, "dim")](const Inputs& in) { return at::gather(in[0], dim, in[1]); };
}

Compute narrow(const OperatorArgs& args) {
  return [dim = integer(args, "dim"), start = integer(args, "start"),
          length = integer(args, "length")](const Inputs& in) { return in[0].narrow(dim, start, length); };
}

Compute select(const OperatorArgs& args) {
  return [dim = integer(args, "dim"), i = integer(args, "index")](const Inputs& in) {
    return in[0].select(dim, i);
  };
}

Compute slice(const OperatorArgs& args) {
  return [dim = integer(args, "dim"), start = integer(args, "start"),
          end = integer(args, "end", std::numeric_limits<std::int64_t>::max()),
          step = integer(args, "step", 1)](const Inputs& in) { return in[0].slice(dim, start, end, step); };
}

Compute expand(const OperatorArgs& args) {
  return [size = args.ints("size")](const Inputs& in) { return in[0].expand(size); };
}

Compute transpose(const OperatorArgs& args) {
  return [a = integer(args, "dim0"), b = integer(args, "dim1")](const Inputs& in) {
    return in[0].transpose(a, b);
  };
}

Compute unfold(const OperatorArgs& args) {
  return [dim = integer(args, "dimension"), size = integer(args, "size"),
          step = integer(args, "step")](const Inputs& in) { return in[0].unfold(dim, size, step); };
}

Compute cumsum(const OperatorArgs& args) {
  return [dim = integer(args, "dim")](const Inputs& in) { return at::cumsum(in[0], dim); };
}

Compute cosine_similarity(const OperatorArgs& args) {
  return [dim = integer(args, "dim", 1), eps = args.get("eps", 1e-8F)](const Inputs& in) {
    return at::cosine_similarity(in[0], in[1], dim, eps);
  };
}

Compute type_as(const OperatorArgs& /*args*/) {
  return [](const Inputs& in) { return in[0].to(in[1].scalar_type()); };
}

Compute upsample_nearest2d(const OperatorArgs& args) {
  return [size = args.ints("output_size")](const Inputs& in) { return at::upsample_nearest2d(in[0], size); };
}

Compute upsample_bilinear2d(const OperatorArgs& args) {
  const size_t sizes = args.ints("output_size").size();
  require(sizes == 2, ErrorCode::kArgument, "argument 'output_size': expected 2 sizes, got {}", sizes);
  return [size = args.ints("output_size"), corners = args.get("align_corners", false)](const Inputs& in) {
    Tensor x = in[0];
    for (size_t d = 0; d < size.size();
         d++)  // one row or column is the first of X's; newer PyTorch takes the middle
      if (size[d] == 1) x = x.narrow(static_cast<std::int64_t>(d) + 2, 0, 1);
    return at::upsample_bilinear2d(x, size, corners);
  };
}

const std::vector<Call>& calls() {
  static const std::vector<Call> table = {
      // What the exporter of PyTorch 1.5 to 1.8 itself writes at opset 9, the one that Caffe2 reads.
      {"group_norm", 1, 3, {"*num_groups", "eps", "cudnn_enabled"}, group_norm},
      {"layer_norm", 1, 3, {"*normalized_shape", "eps", "cudnn_enable"}, layer_norm},
      {"index", 2, kAnyNumber, {}, index},
      {"index_put", 3, kAnyNumber, {"accumulate"}, index_put},
      {"index_fill", 2, 3, {"*dim", "value"}, index_fill},
      {"index_copy", 3, 3, {"*dim"}, index_copy},
      {"cumsum", 1, 1, {"*dim"}, cumsum},
      {"transpose", 1, 1, {"*dim0", "*dim1"}, transpose},
      {"unfold", 1, 1, {"*dimension", "*size", "*step"}, unfold},
      {"type_as", 2, 2, {}, type_as},
      {"cosine_similarity", 2, 2, {"dim", "eps"}, cosine_similarity},
      // What it does not know and hands on as it is, where all parameters are tensors.
      {"atan2", 2, 2, {}, binary<at::atan2>},
      {"expm1", 1, 1, {}, unary<at::expm1>},
      {"fmod", 2, 2, {}, binary<at::fmod>},
      {"frac", 1, 1, {}, unary<at::frac>},
      {"hardsigmoid", 1, 1, {}, unary<at::hardsigmoid>},
      {"hardswish", 1, 1, {}, unary<at::hardswish>},
      {"isfinite", 1, 1, {}, unary<at::isfinite>},
      {"logical_and", 2, 2, {}, binary<at::logical_and>},
      {"logical_not", 1, 1, {}, unary<at::logical_not>},
      {"logical_or", 2, 2, {}, binary<at::logical_or>},
      {"logical_xor", 2, 2, {}, binary<at::logical_xor>},
      {"masked_select", 2, 2, {}, binary<at::masked_select>},
      {"maximum", 2, 2, {}, binary<at::maximum>},
      {"minimum", 2, 2, {}, binary<at::minimum>},
      {"round", 1, 1, {}, unary<at::round>},
      {"silu", 1, 1, {}, unary<at::silu>},
      {"square", 1, 1, {}, unary<at::square>},
      {"trunc", 1, 1, {}, unary<at::trunc>},
      // What custom symbolics and rewritten nets use: the same functions under the names of their parameters.
      {"add", 1, 2, {"other", "alpha"}, scaled<at::add, at::add>},
      {"sub", 1, 2, {"other", "alpha"}, scaled<at::sub, at::sub>},
      {"mul", 1, 2, {"other"}, with_other<at::mul, at::mul>},
      {"div", 1, 2, {"other"}, with_other<at::div, at::div>},
      {"expand", 1, 1, {"*size", "implicit"}, expand},
      {"gather", 2, 2, {"*dim", "sparse_grad"}, gather},
      {"index_select", 2, 2, {"*dim"}, index_select},
      {"narrow", 1, 1, {"*dim", "*start", "*length"}, narrow},
      {"select", 1, 1, {"*dim", "*index"}, select},
      {"slice", 1, 1, {"dim", "start", "end", "step"}, slice},
      {"upsample_nearest2d", 1, 1, {"*output_size"}, upsample_nearest2d},
      {"upsample_bilinear2d", 1, 1, {"*output_size", "align_corners"}, upsample_bilinear2d},
  };
  return table;
}

const Call& find_call(const std::string& name) {
  std::string allowed;
  for (const Call& call : calls()) {
    if (name == call.function) return call;
    allowed += (allowed.empty() ? "" : ", ") + std::string(call.function);
  }
  fail(ErrorCode::kUnsupported, "function '{}' is not allowed; allowed are {}", name, allowed);
}

void check(const Call& call, const OperatorArgs& args) {
  const size_t inputs = args.num_inputs();
  require(inputs >= call.least_inputs && inputs <= call.most_inputs, ErrorCode::kGraph,
          "expected {}{} inputs, got {}", call.least_inputs,
          call.most_inputs == call.least_inputs ? "" : " or more", inputs);
  std::vector<std::string> known = {"operator", "overload_name"};
  for (const char* arg : call.args) {
    known.emplace_back(*arg == '*' ? arg + 1 : arg);
    require(*arg != '*' || args.has(arg + 1), ErrorCode::kArgument, "argument '{}' is missing", arg + 1);
  }
  for (const Argument& arg : args.def().args)
    require(std::find(known.begin(), known.end(), arg.name) != known.end(), ErrorCode::kArgument,
            "argument '{}' is none of this function's", arg.name);
}

class Aten final : public Operator {
 public:
  explicit Aten(const OperatorArgs& args) {
    const std::string name = args.get("operator", "");
    const Call& call = find_call(name);
    at_place([&] { return fmt::format("function '{}'", call.function); },
             [&] {
               check(call, args);
               compute_ = call.bind(args);
             });
  }

  void run(const Inputs& in, Outputs& out) const override { out[0] = compute_(in); }

 private:
  Compute compute_;
};

REGISTER_OPERATOR_AS("ATen", Aten)
    .says("One of PyTorch's tensor functions, from a list of allowed ones.")
    .inputs("X", "the function's tensors in its own order, any type", Types::kAny)
    .output("Y", "the function's result")
    .arg("operator", "the function's name")
    .arg("overload_name", "not used: the arguments tell overloads apart");

}  // namespace
}  // namespace caffe2rt
