#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

const Args pooling = {{"pooled_h", 2}, {"pooled_w", 3}, {"aligned", 1}, {"sampling_ratio", 2}};

Args with(Args args, const Args& more) {
  args.insert(args.end(), more.begin(), more.end());
  return args;
}

const Args levels = {{"roi_min_level", 2},
                     {"roi_max_level", 3},
                     {"roi_canonical_scale", 16.0F},
                     {"roi_canonical_level", 3.0F}};

TEST(LeveledRoIAlign, IsWhatItsPartsCompute) {
  const auto x2 = random({2, 5, 16, 20}), x3 = random({2, 5, 8, 10});
  const auto rois = tensor({4, 5}, {1, 3, 3, 40, 38, 0, 1, 2, 9, 7, 1, 0, 0, 39, 31, 0, 5, 5, 11, 11});
  const auto by_level = run_operator_outputs("DistributeFpnProposals", {rois}, levels, 3);
  ASSERT_EQ(by_level[0].size(0), 2);
  ASSERT_EQ(by_level[1].size(0), 2);
  const Args scales = {{"caffe2rt.spatial_scales", {0.5F, 0.25F}}};
  EXPECT_TENSOR_EQ(
      run_operator("caffe2rt.LeveledRoIAlign", {x2, x3, rois}, with(with(pooling, levels), scales)),
      run_operator("caffe2rt.PyramidRoIAlign", {x2, x3, by_level[0], by_level[1], by_level[2]},
                   with(pooling, scales)));
}

TEST(LeveledRoIAlign, OfNoRegionsIsEmpty) {
  EXPECT_SHAPE(run_operator("caffe2rt.LeveledRoIAlign",
                            {random({1, 5, 8, 10}), random({1, 5, 4, 5}), tensor({0, 5}, {})},
                            with(with(pooling, levels), {{"caffe2rt.spatial_scales", {0.5F, 0.25F}}})),
               {0, 5, 2, 3});
}

TEST(LeveledRoIAlign, RefusesWhatDoesNotFit) {
  const auto x = random({1, 5, 8, 10});
  const auto run = [&](const at::Tensor& rois, const Args& args) {
    return run_operator("caffe2rt.LeveledRoIAlign", {x, x, rois}, with(with(pooling, levels), args));
  };
  EXPECT_ERROR(run(tensor({1, 5}, {1, 3, 3, 11, 8}), {{"caffe2rt.spatial_scales", {0.5F, 0.25F}}}),
               ErrorCode::kArgument, "region 0 belongs to image 1, of 1");
  EXPECT_ERROR(run(tensor({1, 5}, {0, 3, 3, 11, 8}), {{"caffe2rt.spatial_scales", {0.5F}}}),
               ErrorCode::kArgument, "expected 2 numbers, one a level, got 1");
}

}  // namespace
}  // namespace caffe2rt
