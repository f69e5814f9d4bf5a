#include "geometry/heat_map.h"

#include <ATen/ops/upsample_bicubic2d.h>

#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

TEST(CubicValue, IsWhatTheTensorLibraryInterpolates) {
  const at::Tensor map = random({1, 1, 7, 5});
  for (const auto& [height, width] : {std::pair{7, 5}, {20, 33}, {3, 2}, {2, 9}}) {
    SCOPED_TRACE(fmt::format("{}x{}", height, width));
    const at::Tensor expected = at::upsample_bicubic2d(map, {height, width}, /*align_corners=*/false);
    at::Tensor actual = random({1, 1, height, width});
    const CubicAxis down(7, height), across(5, width);
    for (int y = 0; y < height; y++)
      for (int x = 0; x < width; x++)
        actual[0][0][y][x] = cubic_value(map.const_data_ptr<float>(), 5, across.place(x), down.place(y));
    EXPECT_TENSOR_NEAR(actual, expected, 1e-5);
  }
}

TEST(CubicAxis, ASinglePixelLiesHalfACellBeforeTheMap) {
  const CubicAxis::Place place = CubicAxis(4, 1).place(0);
  EXPECT_EQ(std::vector(place.cells, place.cells + 4), (std::vector{0, 0, 0, 1}));
  EXPECT_FLOAT_EQ(place.weights[0] + place.weights[1] + place.weights[2] + place.weights[3], 1);
}

TEST(RefinedPeak, IsThatOfAParabola) {
  // 5 - (x - 1.75)^2 - 2 (y - 1.25)^2 at the centres of 3x3 cells.
  float map[9];
  for (int i = 0; i < 9; i++) {
    const float dx = static_cast<float>(i % 3) + 0.5F - 1.75F, dy = static_cast<float>(i / 3) + 0.5F - 1.25F;
    map[i] = 5 - dx * dx - 2 * dy * dy;
  }
  const Peak peak = refined_peak(Neighbourhood(map, 3, 1, 1), 1, 1);
  EXPECT_NEAR(peak.x, 1.75, 1e-5);
  EXPECT_NEAR(peak.y, 1.25, 1e-5);
  EXPECT_NEAR(peak.score, 5, 1e-5);
}

}  // namespace
}  // namespace caffe2rt
