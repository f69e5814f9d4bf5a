#include "kernels/hard_swish.h"

#include <gtest/gtest.h>

#include "kernels/arrays.h"

namespace caffe2rt {
namespace {

TEST(HardSwishOnArrays, GatesWhatItReads) {
  const HardSwish f{0.5F, 0.25F};
  const Aligned<float> x = {-3, -0.5F, -0.25F, 0, 0.5F, 1.5F, 4}, y = {0, 0, -0.03125F, 0, 0.25F, 1.5F, 4};
  Aligned<float> to(x.size());
  hard_swish(f, x.data(), x.size(), to.data());
  EXPECT_EQ(to, y);
  to = x;
  hard_swish(f, to.size(), to.data());
  EXPECT_EQ(to, y);
}

TEST(HardSwishOnArrays, IsNoneWithoutASlope) {
  EXPECT_FALSE(HardSwish());
  EXPECT_TRUE((HardSwish{0.2F, 0.5F}));
}

}  // namespace
}  // namespace caffe2rt
