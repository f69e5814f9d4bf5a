#include <limits>
#include <set>

#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

at::Tensor call(const std::string& function, const std::vector<at::Tensor>& inputs, Args args = {}) {
  args.emplace_back("operator", function.c_str());
  return run_operator("ATen", inputs, args);
}

const auto x22 = [] { return tensor({2, 2}, {-1.5F, 0, 0.5F, 4}); };
const auto rows = [](std::vector<std::int64_t> r) {
  return int64_tensor({static_cast<std::int64_t>(r.size())}, r);
};
const auto bools = [](const Shape& shape, const std::vector<std::int32_t>& v) {
  return int32_tensor(shape, v).to(at::kBool);
};

struct Entry {
  const char* function;
  std::vector<at::Tensor> inputs;
  Args args;
  at::Tensor expected;
};

// One entry a function of the table, each small enough to check in the head.
std::vector<Entry> entries() {
  const auto x = x22(), y = tensor({2, 2}, {1, 2, 3, 4}), ramp = tensor({1, 1, 1, 2}, {0, 4});
  return {
      {"group_norm",
       {tensor({1, 2, 2}, {1, 3, 2, 6})},
       {{"num_groups", 2}, {"eps", 0.F}},
       tensor({1, 2, 2}, {-1, 1, -1, 1})},
      {"layer_norm",
       {tensor({1, 2}, {1, 3})},
       {{"normalized_shape", {2}}, {"eps", 0.F}},
       tensor({1, 2}, {-1, 1})},
      {"index", {y, rows({1, 0}), rows({0, 0})}, {}, tensor({2}, {3, 1})},
      {"index_put", {y, rows({1}), tensor({1, 2}, {7, 8})}, {}, tensor({2, 2}, {1, 2, 7, 8})},
      {"index_fill", {y, rows({1})}, {{"dim", 0}, {"value", 9.F}}, tensor({2, 2}, {1, 2, 9, 9})},
      {"index_copy", {y, rows({1}), tensor({1, 2}, {7, 8})}, {{"dim", 0}}, tensor({2, 2}, {1, 2, 7, 8})},
      {"index_select", {y, rows({1, 1})}, {{"dim", 1}}, tensor({2, 2}, {2, 2, 4, 4})},
      {"gather", {y, int64_tensor({2, 1}, {1, 0})}, {{"dim", 1}}, tensor({2, 1}, {2, 3})},
      {"cumsum", {y}, {{"dim", 1}}, tensor({2, 2}, {1, 3, 3, 7})},
      {"transpose", {y}, {{"dim0", 0}, {"dim1", 1}}, tensor({2, 2}, {1, 3, 2, 4})},
      {"unfold",
       {tensor({3}, {1, 2, 3})},
       {{"dimension", 0}, {"size", 2}, {"step", 1}},
       tensor({2, 2}, {1, 2, 2, 3})},
      {"type_as", {x, int32_tensor({1}, {0})}, {}, int32_tensor({2, 2}, {-1, 0, 0, 4})},
      {"cosine_similarity", {tensor({1, 2}, {1, 0}), tensor({1, 2}, {0, 2})}, {}, tensor({1}, {0})},
      {"atan2", {tensor({1}, {0}), tensor({1}, {1})}, {}, tensor({1}, {0})},
      {"expm1", {tensor({1}, {0})}, {}, tensor({1}, {0})},
      {"fmod", {tensor({1}, {-7}), tensor({1}, {4})}, {}, tensor({1}, {-3})},
      {"frac", {x}, {}, tensor({2, 2}, {-0.5F, 0, 0.5F, 0})},
      {"hardsigmoid", {tensor({3}, {-4, 0, 4})}, {}, tensor({3}, {0, 0.5F, 1})},
      {"hardswish", {tensor({3}, {-4, 0, 4})}, {}, tensor({3}, {0, 0, 4})},
      {"isfinite", {tensor({2}, {1, std::numeric_limits<float>::infinity()})}, {}, bools({2}, {1, 0})},
      {"logical_and", {x, y}, {}, bools({2, 2}, {1, 0, 1, 1})},
      {"logical_not", {x}, {}, bools({2, 2}, {0, 1, 0, 0})},
      {"logical_or", {x, x}, {}, bools({2, 2}, {1, 0, 1, 1})},
      {"logical_xor", {x, y}, {}, bools({2, 2}, {0, 1, 0, 0})},
      {"masked_select", {y, bools({2, 2}, {0, 1, 0, 1})}, {}, tensor({2}, {2, 4})},
      {"maximum", {x, y}, {}, tensor({2, 2}, {1, 2, 3, 4})},
      {"minimum", {x, y}, {}, tensor({2, 2}, {-1.5F, 0, 0.5F, 4})},
      {"round", {x}, {}, tensor({2, 2}, {-2, 0, 0, 4})},
      {"silu", {tensor({1}, {0})}, {}, tensor({1}, {0})},
      {"square", {x}, {}, tensor({2, 2}, {2.25F, 0, 0.25F, 16})},
      {"trunc", {x}, {}, tensor({2, 2}, {-1, 0, 0, 4})},
      {"add", {x, y}, {{"alpha", 2}}, tensor({2, 2}, {0.5F, 4, 6.5F, 12})},
      {"sub", {x}, {{"other", 1.5F}}, tensor({2, 2}, {-3, -1.5F, -1, 2.5F})},
      {"mul", {int64_tensor({1}, {3})}, {{"other", 2}}, int64_tensor({1}, {6})},
      {"div", {y, y}, {}, tensor({2, 2}, {1, 1, 1, 1})},
      {"expand", {tensor({1, 2}, {1, 2})}, {{"size", {2, -1}}}, tensor({2, 2}, {1, 2, 1, 2})},
      {"narrow", {y}, {{"dim", 0}, {"start", 1}, {"length", 1}}, tensor({1, 2}, {3, 4})},
      {"select", {y}, {{"dim", 1}, {"index", -1}}, tensor({2}, {2, 4})},
      {"slice", {tensor({4}, {1, 2, 3, 4})}, {{"start", 1}, {"step", 2}}, tensor({2}, {2, 4})},
      {"upsample_nearest2d", {ramp}, {{"output_size", {1, 4}}}, tensor({1, 1, 1, 4}, {0, 0, 4, 4})},
      {"upsample_bilinear2d", {ramp}, {{"output_size", {1, 4}}}, tensor({1, 1, 1, 4}, {0, 1, 3, 4})},
  };
}

TEST(Aten, EachAllowedFunctionComputes) {
  for (const Entry& e : entries()) {
    SCOPED_TRACE(e.function);
    EXPECT_TENSOR_NEAR(call(e.function, e.inputs, e.args), e.expected, 1e-6);
  }
}

TEST(Aten, EachAllowedFunctionHasAnEntryHere) {
  std::set<std::string> tested;
  for (const Entry& e : entries()) tested.insert(e.function);
  std::string list;
  try {
    call("none", {x22()});
  } catch (const Error& e) {
    list = e.message().substr(e.message().find("allowed are ") + 12) + ", ";
  }
  ASSERT_FALSE(list.empty());
  for (size_t at = 0, comma = 0; (comma = list.find(", ", at)) != std::string::npos; at = comma + 2)
    EXPECT_EQ(tested.count(list.substr(at, comma - at)), 1) << list.substr(at, comma - at);
}

TEST(Aten, GroupNormNormalisesEachGroup) {
  const auto x = random({2, 6, 3, 4}), scale = random({6}), bias = random({6});
  const auto y =
      call("group_norm", {x, scale, bias}, {{"num_groups", 3}, {"eps", 1e-3F}, {"cudnn_enabled", 1}});
  for_each_index(x, [&](int64_t n, int64_t c, int64_t h, int64_t w) {
    const auto group = x[n].narrow(0, c / 2 * 2, 2).to(at::kDouble);
    const double mean = group.mean().item<double>(), variance = (group - mean).square().mean().item<double>();
    ASSERT_NEAR(at(y, n, c, h, w),
                (at(x, n, c, h, w) - mean) / std::sqrt(variance + 1e-3) * at(scale, c) + at(bias, c), 1e-5);
  });
}

TEST(Aten, BilinearResizeToOneRowTakesTheFirst) {
  EXPECT_TENSOR_EQ(call("upsample_bilinear2d", {tensor({1, 1, 3, 1}, {1, 2, 3})}, {{"output_size", {1, 1}}}),
                   tensor({1, 1, 1, 1}, {1}));
}

TEST(Aten, IndexTakesMasks) {
  EXPECT_TENSOR_EQ(call("index", {tensor({3}, {1, 2, 3}), bools({3}, {1, 0, 1})}), tensor({2}, {1, 3}));
}

TEST(Aten, FloatNumbersMakeIntegerTensorsFloat) {
  EXPECT_TENSOR_EQ(call("add", {int64_tensor({2}, {1, 2})}, {{"other", 0.5F}}), tensor({2}, {1.5F, 2.5F}));
}

TEST(Aten, InputsStayAsTheyAre) {
  const auto x = tensor({2}, {1, 2});
  call("index_put", {x, rows({0}), tensor({1}, {9})});
  EXPECT_TENSOR_EQ(x, tensor({2}, {1, 2}));
}

TEST(Aten, EmptyInputGivesEmptyOutput) {
  EXPECT_SHAPE(call("index_select", {tensor({3, 2}, {1, 2, 3, 4, 5, 6}), rows({})}, {{"dim", 0}}), {0, 2});
  EXPECT_SHAPE(call("add", {tensor({0, 2}, {}), tensor({2}, {1, 2})}), {0, 2});
}

TEST(Aten, RefusesEverythingElseByName) {
  for (const char* function : {"from_file", "empty", "arange", "", "_cufft_set_plan_cache_max_size"})
    EXPECT_ERROR(call(function, {x22()}), ErrorCode::kUnsupported,
                 fmt::format("function '{}' is not allowed; allowed are group_norm, ", function));
}

TEST(Aten, RefusesArgumentsThatAreMissingOrUnknown) {
  EXPECT_ERROR(call("cumsum", {x22()}), ErrorCode::kArgument, "function 'cumsum': argument 'dim' is missing");
  EXPECT_ERROR(call("cumsum", {x22()}, {{"dim", 0}, {"dtype", 7}}), ErrorCode::kArgument,
               "argument 'dtype' is none of this function's");
  EXPECT_ERROR(call("add", {x22()}), ErrorCode::kArgument,
               "expected 'other' as an argument or as a tensor, got neither");
  EXPECT_ERROR(call("upsample_bilinear2d", {x22()}, {{"output_size", {3}}}), ErrorCode::kArgument,
               "expected 2 sizes");
}

TEST(Aten, RefusesAnotherNumberOfInputs) {
  EXPECT_ERROR(call("maximum", {x22()}), ErrorCode::kGraph, "expected 2 inputs, got 1");
  EXPECT_ERROR(call("index", {x22()}), ErrorCode::kGraph, "expected 2 or more inputs, got 1");
}

}  // namespace
}  // namespace caffe2rt
