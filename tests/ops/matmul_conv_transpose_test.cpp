#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

using Ints = std::vector<std::int64_t>;

// Y of a transposed convolution with weights as products of matrices, and as the plain operator computes it.
struct Both {
  Both(const std::vector<at::Tensor>& inputs, const Args& args)
      : plain(run_with_weights("ConvTranspose", inputs, args, {"all"})),
        packed(run_with_weights("ConvTranspose", inputs, args)) {}
  at::Tensor plain, packed;
};

TEST(MatMulConvTranspose, AgreesWithThePlainOne) {
  for (const std::int64_t filters : {1, 20, 64})
    for (const int relu : {0, 1}) {
      const Both y({random({2, 12, 5, 17}), random({12, filters, 2, 2}), random({filters})},
                   {{"kernel", 2}, {"stride", 2}, {"caffe2rt.relu", relu}});
      EXPECT_SHAPE(y.packed, {2, filters, 10, 34});
      EXPECT_TENSOR_NEAR(y.packed, y.plain, 1e-5);
    }
}

TEST(MatMulConvTranspose, AgreesWithoutABias) {
  const Both y({random({1, 30, 14, 14}), random({30, 33, 2, 2})},
               {{"kernels", Ints{2, 2}}, {"strides", Ints{2, 2}}});
  EXPECT_TENSOR_NEAR(y.packed, y.plain, 1e-5);
}

TEST(MatMulConvTranspose, EmptyBatchGivesEmptyOutput) {
  const Both y({tensor({0, 2, 5, 5}, {}), random({2, 3, 2, 2})}, {{"kernel", 2}, {"stride", 2}});
  EXPECT_SHAPE(y.packed, {0, 3, 10, 10});
}

TEST(MatMulConvTranspose, LeavesOtherWindowsToThePlainOne) {
  const Both wide({random({1, 4, 5, 6}), random({4, 3, 4, 4})}, {{"kernel", 4}, {"stride", 2}, {"pad", 1}});
  EXPECT_TENSOR_EQ(wide.packed, wide.plain);
  const Both groups({random({1, 4, 5, 6}), random({4, 3, 2, 2})},
                    {{"kernel", 2}, {"stride", 2}, {"group", 2}});
  EXPECT_TENSOR_EQ(groups.packed, groups.plain);
}

TEST(MatMulConvTranspose, RefusesAnInputThatDoesNotFit) {
  EXPECT_ERROR(run_with_weights("ConvTranspose", {random({1, 5, 4, 4}), random({4, 3, 2, 2})},
                                {{"kernel", 2}, {"stride", 2}}),
               ErrorCode::kShape, "input 0 'X': expected (?,4,?,?), got (1,5,4,4)");
}

}  // namespace
}  // namespace caffe2rt
