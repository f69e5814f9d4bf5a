#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

const char* const kType = "caffe2rt.MaskOfClass";

TEST(MaskOfClass, MultipliesWithTheFilterOfTheClass) {
  const auto x = tensor({2, 2, 1, 2}, {1, 2, 3, 4, 5, 6, 7, 8}),
             filter = tensor({3, 2, 1, 1}, {1, 0, 0, 1, 2, -1}), bias = tensor({3}, {0, 10, 100});
  EXPECT_TENSOR_NEAR(run_operator(kType, {x, filter, bias, tensor({2}, {2, 1})}),
                     tensor({2, 1, 1, 2}, {99, 100, 17, 18}), 1e-5);
}

TEST(MaskOfClass, AgreesWithAConvolutionForEveryClass) {
  const auto x = random({6, 16, 5, 7}), filter = random({4, 16, 1, 1}), bias = random({4});
  const auto all = run_operator("Conv", {x, filter, bias}, {{"kernel", 1}});
  const std::vector<float> classes = {0, 1, 2, 3, 2, 0};
  for (const auto& laid_out : {x, x.contiguous(at::MemoryFormat::ChannelsLast)}) {
    const auto y = run_operator(kType, {laid_out, filter, bias, tensor({6}, classes)});
    EXPECT_SHAPE(y, {6, 1, 5, 7});
    for (int r = 0; r < 6; r++)
      EXPECT_TENSOR_NEAR(y[r][0], all[r][static_cast<std::int64_t>(classes[r])], 1e-5);
  }
}

TEST(MaskOfClass, OfNoRegionsIsEmpty) {
  const auto y =
      run_operator(kType, {tensor({0, 2, 3, 4}, {}), random({3, 2, 1, 1}), random({3}), tensor({0}, {})});
  EXPECT_SHAPE(y, {0, 1, 3, 4});
}

TEST(MaskOfClass, RefusesClassesWithoutAFilter) {
  const auto x = random({1, 2, 3, 4}), filter = random({3, 2, 1, 1}), bias = random({3});
  for (const float k : {-1.0F, 3.0F})
    EXPECT_ERROR(run_operator(kType, {x, filter, bias, tensor({1}, {k})}), ErrorCode::kShape,
                 "classes from 0 to 2");
}

TEST(MaskOfClass, RefusesShapesThatDoNotFit) {
  const auto x = random({1, 2, 3, 4}), filter = random({3, 2, 1, 1}), bias = random({3});
  EXPECT_ERROR(run_operator(kType, {x, filter, bias, tensor({2}, {0, 1})}), ErrorCode::kShape,
               "input 3 'classes'");
  EXPECT_ERROR(run_operator(kType, {x, random({3, 4, 1, 1}), bias, tensor({1}, {0})}), ErrorCode::kShape,
               "input 1 'filter'");
}

}  // namespace
}  // namespace caffe2rt
