#include "kernels/encoding.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace caffe2rt {
namespace {

constexpr float kNone = std::numeric_limits<float>::quiet_NaN(),
                kInfinite = std::numeric_limits<float>::infinity();

TEST(Encoding, Bfloat16IsTheUpperHalfRoundedToEven) {
  EXPECT_EQ(from_bfloat16(to_bfloat16(1.0F)), 1.0F);
  EXPECT_EQ(from_bfloat16(to_bfloat16(1 + 1.0F / 256)), 1.0F);
  EXPECT_EQ(from_bfloat16(to_bfloat16(1 + 3.0F / 256)), 1 + 4.0F / 256);
  EXPECT_EQ(from_bfloat16(to_bfloat16(-kInfinite)), -kInfinite);
  EXPECT_TRUE(std::isnan(from_bfloat16(to_bfloat16(kNone))));
}

TEST(Encoding, EightBitsEndWhereTheirRangeDoes) {
  EXPECT_EQ(to_uint8(1.0F, 2, 10), 12);
  EXPECT_EQ(to_uint8(0.25F, 2, 10), 10);  // a tie, to even
  EXPECT_EQ(to_uint8(0.75F, 2, 10), 12);
  EXPECT_EQ(to_uint8(-100.0F, 2, 10), 0);
  EXPECT_EQ(to_uint8(kInfinite, 2, 10), 255);
  EXPECT_EQ(to_uint8(kNone, 2, 10), 0);
}

TEST(Encoding, AnArrayGivesBackWhatItWasSet) {
  for (const Encoding& encoding :
       {Encoding{}, Encoding{.format = Format::kBfloat16}, Encoding{Format::kUint8, 0.5F, 100}}) {
    std::vector<float> memory(4, -1);
    const Target to(memory.data(), encoding);
    const Source from(memory.data(), encoding);
    to.set(0, 7);
    to.from(1).set(1, -3.5F);
    EXPECT_EQ(from[0], 7);
    EXPECT_EQ(from[2], -3.5F);
    EXPECT_EQ(from.from(2)[0], -3.5F);
  }
  EXPECT_FALSE(Source());
}

}  // namespace
}  // namespace caffe2rt
