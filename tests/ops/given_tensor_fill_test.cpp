#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

using Ints = std::vector<std::int64_t>;
using Floats = std::vector<float>;

// Runs a fill whose values are strings, which Arg does not know.
at::Tensor fill_strings(const std::string& type, const Ints& shape, const std::vector<std::string>& strings) {
  NetDef net;
  net.ops.push_back(operator_def(type, 0, 1, {{"shape", shape}}));
  Argument values;
  values.name = "values";
  values.strings = strings;
  net.ops.front().args.push_back(values);
  return run_init_net(net).at("out0");
}

TEST(GivenTensorFill, HoldsItsValuesInTheShape) {
  EXPECT_TENSOR_EQ(
      run_operator("GivenTensorFill", {}, {{"shape", Ints{2, 2}}, {"values", Floats{1, 2, 3, 4}}}),
      tensor({2, 2}, {1, 2, 3, 4}));
}

TEST(GivenTensorFill, DtypeNamesTheType) {
  const auto fill = [](int dtype) {
    return run_operator("GivenTensorFill", {},
                        {{"shape", Ints{2}}, {"values", Ints{1, 0}}, {"dtype", dtype}});
  };
  EXPECT_TENSOR_EQ(fill(1), tensor({2}, {1, 0}));
  EXPECT_TENSOR_EQ(fill(2), int32_tensor({2}, {1, 0}));
  EXPECT_TENSOR_EQ(fill(5), tensor({2}, {1, 0}).to(at::kBool));
  EXPECT_TENSOR_EQ(fill(10), int64_tensor({2}, {1, 0}));
  EXPECT_TENSOR_EQ(fill(13), tensor({2}, {1, 0}).to(at::kDouble));
  EXPECT_ERROR(fill(6), ErrorCode::kUnsupported, "argument 'dtype'");
}

TEST(GivenTensorFill, KinHaveTheirOwnTypes) {
  const auto fill = [](const char* type, const Ints& values) {
    return run_operator(type, {}, {{"shape", Ints{2}}, {"values", values}});
  };
  EXPECT_TENSOR_EQ(fill("GivenTensorIntFill", {7, -8}), int32_tensor({2}, {7, -8}));
  EXPECT_TENSOR_EQ(fill("GivenTensorInt64Fill", {7, INT64_MIN}), int64_tensor({2}, {7, INT64_MIN}));
  EXPECT_TENSOR_EQ(fill("GivenTensorBoolFill", {2, 0}), tensor({2}, {1, 0}).to(at::kBool));
  EXPECT_TENSOR_EQ(run_operator("GivenTensorDoubleFill", {}, {{"shape", Ints{1}}, {"values", Floats{0.5F}}}),
                   tensor({1}, {0.5F}).to(at::kDouble));
}

TEST(GivenTensorFill, StringsAreRowsOfBytes) {
  EXPECT_TENSOR_EQ(fill_strings("GivenTensorStringFill", {2}, {"ab", "c"}),
                   tensor({2, 2}, {'a', 'b', 'c', 0}).to(at::kByte));
  EXPECT_SHAPE(fill_strings("GivenTensorStringFill", {2, 1}, {"", ""}), {2, 1, 0});
}

TEST(GivenTensorFill, AByteStringIsATensorOfBytes) {
  EXPECT_TENSOR_EQ(fill_strings("GivenTensorByteStringToUInt8Fill", {2, 2}, {std::string("a\0\xff!", 4)}),
                   tensor({2, 2}, {'a', 0, 255, '!'}).to(at::kByte));
  EXPECT_SHAPE(fill_strings("GivenTensorByteStringToUInt8Fill", {2}, {"abc"}), {2});
}

TEST(GivenTensorFill, TakesItsShapeFromAnInput) {
  const Args values = {{"values", Floats{1, 2, 3, 4}}};
  EXPECT_TENSOR_EQ(run_operator("GivenTensorFill", {random({2, 2})}, values), tensor({2, 2}, {1, 2, 3, 4}));
  EXPECT_ERROR(run_operator("GivenTensorFill", {random({3})}, values), ErrorCode::kShape,
               "expected 3 for shape (3), got 4");
}

TEST(GivenTensorFill, MayBeEmpty) {
  EXPECT_SHAPE(run_operator("GivenTensorFill", {}, {{"shape", Ints{0, 3}}}), {0, 3});
}

TEST(GivenTensorFill, RefusesAnotherNumberOfValues) {
  EXPECT_ERROR(run_operator("GivenTensorFill", {}, {{"shape", Ints{2, 2}}, {"values", Floats{1, 2, 3}}}),
               ErrorCode::kShape, "argument 'values': expected 4 for shape (2,2), got 3");
  EXPECT_ERROR(fill_strings("GivenTensorByteStringToUInt8Fill", {2, 2}, {"abc"}), ErrorCode::kShape,
               "argument 'values': expected 4 for shape (2,2), got 3");
  EXPECT_ERROR(fill_strings("GivenTensorByteStringToUInt8Fill", {2}, {"a", "b"}), ErrorCode::kArgument,
               "expected 1 string, got 2");
}

TEST(GivenTensorFill, RefusesValuesOfAnotherKind) {
  EXPECT_ERROR(fill_strings("GivenTensorFill", {1}, {"a"}), ErrorCode::kArgument, "expected numbers");
  EXPECT_ERROR(run_operator("GivenTensorIntFill", {}, {{"shape", Ints{1}}, {"values", Floats{1.5F}}}),
               ErrorCode::kArgument, "expected integers");
  EXPECT_ERROR(
      run_operator("GivenTensorIntFill", {}, {{"shape", Ints{1}}, {"values", Ints{std::int64_t{1} << 31}}}),
      ErrorCode::kArgument, "expected int32, got 2147483648");
}

}  // namespace
}  // namespace caffe2rt
