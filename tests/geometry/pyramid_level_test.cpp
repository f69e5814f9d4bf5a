#include "geometry/pyramid_level.h"

#include <gtest/gtest.h>

namespace caffe2rt {
namespace {

TEST(PyramidLevels, SendTheCanonicalSizeToTheCanonicalLevel) {
  const PyramidLevels levels;
  EXPECT_EQ(levels.of(224), 2);  // level 4, counted from 2
  EXPECT_EQ(levels.of(223.9F), 1);
  EXPECT_EQ(levels.of(448), 3);
}

TEST(PyramidLevels, EndAtTheLowestAndTheHighest) {
  const PyramidLevels levels;
  EXPECT_EQ(levels.of(0), 0);
  EXPECT_EQ(levels.of(1), 0);
  EXPECT_EQ(levels.of(1e9F), 3);
  EXPECT_EQ((PyramidLevels{3, 3}.of(500)), 0);
}

TEST(PyramidLevels, SendNotANumberToTheLowest) {
  EXPECT_EQ(PyramidLevels().of(std::numeric_limits<float>::quiet_NaN()), 0);
}

}  // namespace
}  // namespace caffe2rt
