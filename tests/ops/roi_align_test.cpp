#include <cmath>

#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

float bilinear(const at::Tensor& x, int64_t n, int64_t c, float py, float px) {
  const auto h = static_cast<float>(x.size(2)), w = static_cast<float>(x.size(3));
  if (py < -1 || py > h || px < -1 || px > w) return 0;
  py = std::clamp(py, 0.0F, h - 1);
  px = std::clamp(px, 0.0F, w - 1);
  const auto y0 = static_cast<int64_t>(py), x0 = static_cast<int64_t>(px);
  const int64_t y1 = std::min(y0 + 1, x.size(2) - 1), x1 = std::min(x0 + 1, x.size(3) - 1);
  const float fy = py - static_cast<float>(y0), fx = px - static_cast<float>(x0);
  return (1 - fy) * ((1 - fx) * at(x, n, c, y0, x0) + fx * at(x, n, c, y0, x1)) +
         fy * ((1 - fx) * at(x, n, c, y1, x0) + fx * at(x, n, c, y1, x1));
}

// One output value: the mean over a grid of samples. `roi` is x, y, w, h, radians around the centre; no
// scale, no offset.
float slow_bin(const at::Tensor& x, int64_t n, int64_t c, const std::array<float, 5>& roi, int ph, int pw,
               int bins, int samples) {
  const float step_x = roi[2] / static_cast<float>(bins * samples),
              step_y = roi[3] / static_cast<float>(bins * samples);
  float sum = 0;
  for (int i = 0; i < samples; i++)
    for (int j = 0; j < samples; j++) {
      const float v = -roi[3] / 2 + (static_cast<float>(ph * samples + i) + 0.5F) * step_y;
      const float u = -roi[2] / 2 + (static_cast<float>(pw * samples + j) + 0.5F) * step_x;
      sum += bilinear(x, n, c, v * std::cos(roi[4]) - u * std::sin(roi[4]) + roi[1],
                      u * std::cos(roi[4]) + v * std::sin(roi[4]) + roi[0]);
    }
  return sum / static_cast<float>(samples * samples);
}

TEST(RoIAlign, AveragesSamplesOfABin) {
  const auto x = tensor({1, 1, 3, 3}, {0, 1, 2, 3, 4, 5, 6, 7, 8});
  EXPECT_TENSOR_NEAR(run_operator("RoIAlign", {x, tensor({1, 5}, {0, 0, 0, 2, 2})}),
                     tensor({1, 1, 1, 1}, {4}), 1e-6);
  EXPECT_TENSOR_NEAR(
      run_operator("RoIAlign", {x, tensor({1, 5}, {0, 0, 0, 2, 2})}, {{"pooled_h", 2}, {"pooled_w", 2}}),
      tensor({1, 1, 2, 2}, {2, 3, 5, 6}), 1e-6);
}

TEST(RoIAlign, AlignedPutsPixelCentresAtHalves) {
  const auto x = tensor({1, 1, 3, 3}, {0, 1, 2, 3, 4, 5, 6, 7, 8});
  const auto y = run_operator("RoIAlign", {x, tensor({1, 5}, {0, 2, 2, 4, 4})},
                              {{"aligned", 1}, {"spatial_scale", 0.5F}});
  EXPECT_TENSOR_NEAR(y, tensor({1, 1, 1, 1}, {4}), 1e-6);
}

TEST(RoIAlign, AgreesWithAPlainLoopInEveryLayout) {
  const auto x = random({2, 70, 9, 11});
  const auto rois = tensor({3, 5}, {1, 1.5F, 2, 9.25F, 7, 0, -3, -2, 12, 11, 1, 4, 4, 4.5F, 5});
  for (const int samples : {2, 3}) {
    const Args args = {{"pooled_h", 3}, {"pooled_w", 3}, {"sampling_ratio", samples}};
    const auto y = run_operator("RoIAlign", {x, rois}, args);
    for_each_index(y, [&](int64_t r, int64_t c, int64_t ph, int64_t pw) {
      const float x1 = at(rois, r, 1), y1 = at(rois, r, 2);
      const float w = std::max(at(rois, r, 3) - x1, 1.0F), h = std::max(at(rois, r, 4) - y1, 1.0F);
      ASSERT_NEAR(at(y, r, c, ph, pw),
                  slow_bin(x, static_cast<int64_t>(at(rois, r, 0)), c, {x1 + w / 2, y1 + h / 2, w, h, 0},
                           static_cast<int>(ph), static_cast<int>(pw), 3, samples),
                  1e-5);
    });
    EXPECT_TENSOR_EQ(run_operator("RoIAlign", {x.contiguous(at::MemoryFormat::ChannelsLast), rois}, args), y);
    Args nhwc = args;
    nhwc.emplace_back("order", "NHWC");
    EXPECT_TENSOR_EQ(run_operator("RoIAlign", {x.permute({0, 2, 3, 1}), rois}, nhwc),
                     y.permute({0, 2, 3, 1}));
  }
}

TEST(RoIAlign, RegionsWithoutAnImageBelongToTheFirst) {
  const auto x = random({2, 3, 5, 5});
  EXPECT_TENSOR_EQ(run_operator("RoIAlign", {x, tensor({1, 4}, {1, 1, 3, 3})}),
                   run_operator("RoIAlign", {x, tensor({1, 5}, {0, 1, 1, 3, 3})}));
}

TEST(RoIAlign, AlignedEmptyRegionIsNotANumberAsInTheOriginal) {
  const auto y =
      run_operator("RoIAlign", {random({1, 1, 4, 4}), tensor({1, 5}, {0, 2, 1, 2, 3})}, {{"aligned", 1}});
  EXPECT_TRUE(std::isnan(at(y, 0, 0, 0, 0)));
}

TEST(RoIAlign, EmptyRoisGiveEmptyOutput) {
  const Args args = {{"pooled_h", 7}, {"pooled_w", 5}};
  EXPECT_SHAPE(run_operator("RoIAlign", {random({1, 3, 4, 4}), tensor({0, 5}, {})}, args), {0, 3, 7, 5});
  EXPECT_SHAPE(run_operator("RoIAlignRotated", {random({1, 3, 4, 4}), tensor({0, 6}, {})}, args),
               {0, 3, 7, 5});
}

TEST(RoIAlign, RefusesWhatDoesNotFit) {
  const auto x = random({1, 1, 4, 4});
  EXPECT_ERROR(run_operator("RoIAlign", {x, random({1, 6})}), ErrorCode::kShape,
               "expected 5 columns, or 4 without the image, got 6");
  EXPECT_ERROR(run_operator("RoIAlign", {random({1, 4, 4}), random({1, 5})}), ErrorCode::kShape,
               "expected 4 dimensions");
  EXPECT_ERROR(run_operator("RoIAlign", {x, tensor({1, 5}, {1, 0, 0, 1, 1})}), ErrorCode::kArgument,
               "region 0 belongs to image 1, of 1");
  EXPECT_ERROR(run_operator("RoIAlign", {x, tensor({1, 5}, {0, 2, 0, 1, 1})}, {{"aligned", 1}}),
               ErrorCode::kArgument, "a side of -1 pixels");
  EXPECT_ERROR(run_operator("RoIAlign", {x, tensor({1, 5}, {0, 0, 0, 1e30F, 1})}), ErrorCode::kArgument,
               "limit 65536");
  EXPECT_ERROR(run_operator("RoIAlign", {x, tensor({1, 5}, {0, NAN, 0, 1, 1})}), ErrorCode::kArgument,
               "a side of nan pixels");
  EXPECT_ERROR(run_operator("RoIAlign", {x, random({1, 5})}, {{"pooled_h", 0}}), ErrorCode::kArgument,
               "at least 1, got 0 and 1");
}

TEST(RoIAlignRotated, WithoutAnAngleIsRoIAlign) {
  const auto x = random({1, 3, 9, 9});
  const Args args = {{"pooled_h", 3}, {"pooled_w", 2}, {"aligned", 1}};
  EXPECT_TENSOR_NEAR(run_operator("RoIAlignRotated", {x, tensor({1, 6}, {0, 4, 4.5F, 5, 3, 0})}, args),
                     run_operator("RoIAlign", {x, tensor({1, 5}, {0, 1.5F, 3, 6.5F, 6})}, args), 1e-5);
}

TEST(RoIAlignRotated, AgreesWithAPlainLoop) {
  const auto x = random({2, 3, 9, 11});
  const auto rois = tensor({2, 6}, {1, 5, 4, 6, 3, 33, 0, 1, 8, 4, 9, -110});
  const auto y =
      run_operator("RoIAlignRotated", {x, rois}, {{"pooled_h", 2}, {"pooled_w", 2}, {"sampling_ratio", 3}});
  for_each_index(y, [&](int64_t r, int64_t c, int64_t ph, int64_t pw) {
    const std::array<float, 5> roi = {at(rois, r, 1), at(rois, r, 2), at(rois, r, 3), at(rois, r, 4),
                                      at(rois, r, 5) * 3.14159265F / 180};
    ASSERT_NEAR(at(y, r, c, ph, pw),
                slow_bin(x, static_cast<int64_t>(at(rois, r, 0)), c, roi, static_cast<int>(ph),
                         static_cast<int>(pw), 2, 3),
                1e-4);
  });
}

}  // namespace
}  // namespace caffe2rt
