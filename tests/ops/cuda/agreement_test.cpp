// Operators on a GPU against the CPU's, at sizes that nets have. The operators' own tests run there too, with
// CAFFE2RT_TEST_DEVICE=cuda in the environment. Where CAFFE2RT_CUDA_ON_HOST is defined, what computes on a
// GPU is in this program, its kernels as functions of the host (on_host/cuda_on_host.h).
#include <ATen/ops/cat.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/stack.h>

#include <limits>
#include <random>

#ifdef CAFFE2RT_CUDA_ON_HOST
#include <c10/core/InferenceMode.h>

#include "runtime/place_operator.h"
#endif
#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

// Numbers between low and high, the same in every run of the program.
at::Tensor uniform(const Shape& shape, float low, float high) {
  static std::mt19937 generator(7);
  std::uniform_real_distribution<float> numbers(low, high);
  at::Tensor t = random(shape);
  std::generate_n(t.data_ptr<float>(), t.numel(), [&] { return numbers(generator); });
  return t;
}

class OnGpu : public testing::Test {
 protected:
  enum Where { kCpu, kGpu };

#ifdef CAFFE2RT_CUDA_ON_HOST
  std::vector<at::Tensor> run(Where where, const std::string& type, const std::vector<at::Tensor>& in,
                              const Args& args, size_t outputs,
                              Precision precision = Precision::kFloat32) const {
    std::vector<at::Tensor> tensors = in;
    if (where == kGpu && is_dense(type) && precision != Precision::kFloat32)
      tensors[1] = tensors[1].to(precision == Precision::kFloat16 ? at::kHalf : at::kBFloat16);
    std::vector<const at::Tensor*> pointers;
    for (const auto& tensor : tensors) pointers.push_back(&tensor);
    const OperatorDef def = operator_def(type, in.size(), outputs, args);
    const OperatorArgs op_args(def, c10::DeviceType::CPU);
    const Schema& schema = *find_schema(type);
    const auto op = schema.make(op_args);
    const PlacedOperator placed = place_operator(schema, *op, op_args, {});
    EXPECT_FALSE(placed.on_host) << type << " runs on the host";
    Outputs out(outputs);
    const c10::InferenceMode no_gradients;
    (where == kGpu ? *placed.op : *op).run(Inputs(schema, pointers), out);
    for (at::Tensor& tensor : out)
      if (c10::isReducedFloatingType(tensor.scalar_type())) tensor = tensor.to(at::kFloat);
    return out;
  }
#else
  static std::string blob(const char* prefix, size_t i) { return prefix + std::to_string(i); }

  void SetUp() override {
    try {
      gpu_ = parse_device("cuda");
    } catch (const Error& e) {
      GTEST_SKIP() << e.what();
    }
  }

  std::vector<at::Tensor> run(Where where, const std::string& type, const std::vector<at::Tensor>& in,
                              const Args& args, size_t outputs,
                              Precision precision = Precision::kFloat32) const {
    NetDef net;
    net.ops.push_back(operator_def(type, in.size(), outputs, args));
    net.external_inputs = net.ops[0].inputs;
    net.external_outputs = net.ops[0].outputs;
    CompileOptions options;
    options.device = where == kGpu ? gpu_ : c10::Device(c10::DeviceType::CPU);
    options.precision = precision;
    // Filters are weights; all else is fed.
    Blobs weights, feeds;
    for (size_t i = 0; i < in.size(); i++)
      (is_dense(type) && (i == 1 || i == 2) ? weights : feeds)[blob("in", i)] = in[i];
    for (const auto& feed : feeds) options.graph.feeds.push_back(feed.first);
    const auto compiled = CompiledNet::compile(net, weights, options);
    EXPECT_TRUE(compiled.on_host().empty()) << type << " runs on the host";
    Workspace workspace;
    const Blobs results = compiled.run(feeds, workspace);
    std::vector<at::Tensor> out;
    for (size_t i = 0; i < outputs; i++) out.push_back(results.at(blob("out", i)));
    return out;
  }
#endif

  void expect_same(const std::string& type, const std::vector<at::Tensor>& in, const Args& args,
                   size_t outputs = 1, double tolerance = 0) const {
    const auto expected = run(kCpu, type, in, args, outputs), actual = run(kGpu, type, in, args, outputs);
    for (size_t i = 0; i < outputs; i++) {
      SCOPED_TRACE(type + " output " + std::to_string(i));
      EXPECT_TENSOR_NEAR(actual[i], expected[i], tolerance);
    }
  }

  static bool is_dense(const std::string& type) {
    return type == "Conv" || type == "FC" || type == "ConvTranspose";
  }

  c10::Device gpu_ = c10::DeviceType::CPU;
};

TEST_F(OnGpu, Convolutions) {
  const auto x = random({2, 64, 50, 67});
  expect_same("Conv", {x, random({96, 64, 1, 1}), random({96})}, {{"kernel", 1}}, 1, 1e-3);
  expect_same("Conv", {x, random({32, 64, 3, 3}), random({32})}, {{"kernel", 3}, {"pad", 1}}, 1, 1e-3);
  expect_same("Conv", {x, random({32, 64, 3, 3}), random({32}), random({2, 32, 25, 34})},
              {{"kernel", 3}, {"pad", 1}, {"stride", 2}, {"caffe2rt.relu", 1}}, 1, 1e-3);
  expect_same("Conv", {x, random({64, 8, 3, 3}), random({64})}, {{"kernel", 3}, {"pad", 1}, {"group", 8}}, 1,
              1e-3);
  expect_same("Conv", {x, random({5, 64, 3, 3}), random({5})}, {{"kernel", 3}, {"pad", 2}, {"dilation", 2}},
              1, 1e-3);
  expect_same("Conv", {random({1, 30, 41, 3}), random({16, 7, 7, 3}), random({16})},
              {{"kernel", 7}, {"pad", 3}, {"stride", 2}, {"order", "NHWC"}, {"caffe2rt.relu", 1}}, 1, 1e-3);
}

TEST_F(OnGpu, LowPrecisionConvolution) {
  const auto x = random({1, 64, 20, 30}), filter = random({32, 64, 3, 3}), bias = random({32});
  const Args args = {{"kernel", 3}, {"pad", 1}, {"caffe2rt.relu", 1}};
  const auto expected = run(kCpu, "Conv", {x, filter, bias}, args, 1)[0].div(100);
  EXPECT_TENSOR_NEAR(run(kGpu, "Conv", {x, filter, bias}, args, 1, Precision::kFloat16)[0].div(100), expected,
                     2e-3);
  EXPECT_TENSOR_NEAR(run(kGpu, "Conv", {x, filter, bias}, args, 1, Precision::kBfloat16)[0].div(100),
                     expected, 2e-2);
}

TEST_F(OnGpu, DeformableConvolution) {
  const auto x = random({2, 16, 23, 31});
  const auto offset = random({2, 36, 12, 16}).mul(2), mask = random({2, 18, 12, 16}).sigmoid();
  const Args args = {{"kernel", 3}, {"pad", 1}, {"stride", 2}, {"deformable_group", 2}};
  for (const auto& channels : {16, 12})  // in packs, and one by one
    expect_same(
        "caffe2rt.DeformConv",
        {x.slice(1, 0, channels).contiguous(), offset, random({24, channels, 3, 3}), random({24}), mask},
        args, 1, 1e-4);
  expect_same("caffe2rt.DeformConv", {x, random({2, 18, 19, 27}), random({24, 4, 3, 3})},
              {{"kernel", 3}, {"dilation", 2}, {"group", 4}}, 1, 1e-4);
  expect_same("caffe2rt.DeformConv", {x.slice(0, 0, 0), random({0, 18, 21, 29}), random({4, 16, 3, 3})},
              {{"kernel", 3}});
}

TEST_F(OnGpu, FullyConnected) {
  expect_same("FC", {random({100, 256, 7, 7}), random({128, 12544}), random({128})}, {{"caffe2rt.relu", 1}},
              1, 5e-3);
  expect_same("FC", {random({100, 16, 7, 7}), random({81, 784}), random({81})},
              {{"caffe2rt.channels_last", 1}}, 1, 1e-3);
}

TEST_F(OnGpu, TransposedConvolution) {
  expect_same("ConvTranspose", {random({10, 64, 14, 14}), random({64, 32, 2, 2}), random({32})},
              {{"kernel", 2}, {"stride", 2}, {"caffe2rt.relu", 1}}, 1, 1e-3);
  expect_same("ConvTranspose", {random({3, 17, 14, 14}), random({17, 1, 4, 4}), random({17})},
              {{"kernel", 4}, {"stride", 2}, {"pad", 1}, {"group", 17}}, 1, 1e-3);
}

TEST_F(OnGpu, Elementwise) {
  expect_same("Relu", {random({3, 7, 11, 5})}, {});
  expect_same("ResizeNearest", {random({2, 64, 13, 21})}, {{"height_scale", 2.0F}, {"width_scale", 2.0F}});
  expect_same("ResizeNearest", {random({2, 64, 13, 21}).contiguous(at::MemoryFormat::ChannelsLast)},
              {{"height_scale", 1.7F}, {"width_scale", 0.6F}});
  expect_same("MaxPool", {random({1, 64, 101, 87})}, {{"kernel", 3}, {"stride", 2}, {"pad", 1}});
  expect_same("Softmax", {random({500, 81})}, {}, 1, 1e-6);
}

TEST_F(OnGpu, MaxPool) {
  at::Tensor x = random({2, 16, 21, 30});
  x.view(-1)[99] = std::numeric_limits<float>::quiet_NaN();
  x = x.contiguous(at::MemoryFormat::ChannelsLast);
  for (const std::int64_t channels : {16, 7})
    for (const Args& args :
         {Args{{"kernel", 3}, {"stride", 2}, {"pad", 1}}, Args{{"kernel", 2}, {"stride", 2}},
          Args{{"kernel", 1}, {"stride", 2}}, Args{{"kernel", 3}, {"stride", 2}, {"legacy_pad", 3}}})
      expect_same("MaxPool", {x.slice(1, 0, channels)}, args);
  expect_same("MaxPool", {x.permute({0, 2, 3, 1})}, {{"kernel", 3}, {"order", "NHWC"}});
  expect_same("MaxPool", {x}, {{"global_pooling", 1}});
}

TEST_F(OnGpu, MaskOfClass) {
  for (const std::int64_t channels : {32, 13})
    expect_same("caffe2rt.MaskOfClass",
                {random({5, channels, 28, 28}), random({7, channels, 1, 1}), random({7}),
                 tensor({5}, {0, 6, 3, 3, 1})},
                {}, 1, 1e-4);
  expect_same("caffe2rt.MaskOfClass",
              {random({0, 8, 28, 28}), random({7, 8, 1, 1}), random({7}), random({0})}, {});
}

TEST_F(OnGpu, WhatAtenDoes) {
  const at::Tensor x = random({2, 6, 9, 11});
  expect_same("UpsampleBilinear", {x}, {{"height_scale", 2.0F}, {"width_scale", 1.5F}}, 1, 1e-5);
  expect_same("UpsampleBilinear", {x, tensor({2}, {2, 3})}, {}, 1, 1e-5);
  for (const char* mode : {"constant", "reflect", "edge"})
    expect_same("PadImage", {x}, {{"pads", {1, 2, 3, 0}}, {"mode", mode}});
  expect_same("BatchPermutation", {x, int32_tensor({2}, {1, 0})}, {});
}

TEST_F(OnGpu, Activations) {
  const at::Tensor x = random({3, 8, 7, 5}).mul(4);
  x.view(-1)[17] = std::numeric_limits<float>::quiet_NaN();
  for (const char* type : {"Relu", "Clip", "HardSigmoid"}) expect_same(type, {x}, {});
  expect_same("Clip", {x}, {{"min", -1.5F}, {"max", 2.0F}});
  expect_same("Clip", {x}, {{"min", 2.0F}, {"max", -1.0F}});
  expect_same("HardSigmoid", {x}, {{"alpha", 0.3F}, {"beta", 0.1F}}, 1, 1e-6);
  expect_same("caffe2rt.HardSwish", {x.nan_to_num()}, {{"alpha", 1.0F / 6}, {"beta", 0.5F}}, 1, 1e-6);
  expect_same("Conv", {x.nan_to_num(), random({16, 8, 3, 3}), random({16})},
              {{"kernel", 3}, {"caffe2rt.alpha", 1.0F / 6}, {"caffe2rt.beta", 0.5F}}, 1, 1e-4);
}

TEST_F(OnGpu, Normalisations) {
  const auto x = random({2, 64, 25, 34}), scale = random({64}), shift = random({64});
  for (const auto& in : {x, x.contiguous(at::MemoryFormat::ChannelsLast)}) {
    expect_same("GroupNorm", {in, scale, shift}, {{"group", 32}}, 3, 1e-4);
    expect_same("InstanceNorm", {in, scale, shift}, {}, 3, 1e-4);
  }
}

// (count,5) regions of `images` images of the size that levels of 200x336 pixels have at stride 4.
at::Tensor some_regions(std::int64_t count, int images) {
  const at::Tensor corner = uniform({count, 2}, -20, 700), size = uniform({count, 2}, 0, 600);
  const at::Tensor image = uniform({count, 1}, 0, static_cast<float>(images)).floor();
  return at::cat({image, corner, corner + size}, 1);
}

TEST_F(OnGpu, RoIAlign) {
  const auto x = random({2, 64, 50, 84}).contiguous(at::MemoryFormat::ChannelsLast),
             rois = some_regions(200, 2);
  for (const int aligned : {0, 1})
    for (const int sampling : {0, 2})
      expect_same("RoIAlign", {x, rois},
                  {{"spatial_scale", 0.0625F},
                   {"pooled_h", 7},
                   {"pooled_w", 7},
                   {"aligned", aligned},
                   {"sampling_ratio", sampling}},
                  1, 1e-5);
  expect_same("RoIAlign", {random({1, 5, 30, 40}), some_regions(20, 1).slice(1, 1).contiguous()},
              {{"spatial_scale", 0.05F}, {"pooled_h", 3}, {"pooled_w", 14}, {"aligned", 1}}, 1, 1e-5);
  // More samples a bin than a block of threads keeps.
  expect_same("RoIAlign", {random({1, 8, 300, 300}), tensor({1, 5}, {0, 0, 0, 299, 299})},
              {{"pooled_h", 2}, {"pooled_w", 2}, {"aligned", 1}}, 1, 1e-4);
}

TEST_F(OnGpu, PyramidRoIAlign) {
  std::vector<at::Tensor> in;
  for (const int side : {80, 40, 20, 10})
    in.push_back(random({2, 64, side, side + 4}).contiguous(at::MemoryFormat::ChannelsLast));
  const std::vector<std::int64_t> counts = {50, 0, 30, 20};
  for (const auto count : counts) in.push_back(some_regions(count, 2));
  std::vector<std::int32_t> order(100);
  std::iota(order.begin(), order.end(), 0);
  std::shuffle(order.begin(), order.end(), std::mt19937(3));
  in.push_back(int32_tensor({100}, order));
  expect_same("caffe2rt.PyramidRoIAlign", in,
              {{"caffe2rt.spatial_scales", {0.25F, 0.125F, 0.0625F, 0.03125F}},
               {"pooled_h", 14},
               {"pooled_w", 14},
               {"aligned", 1},
               {"sampling_ratio", 0}},
              1, 1e-5);
}

TEST_F(OnGpu, GenerateProposals) {
  const auto scores = random({2, 3, 50, 68}), deltas = random({2, 12, 50, 68}).mul(0.3);
  const auto info = tensor({2, 3}, {800, 1088, 1, 700, 900, 2});
  const auto anchors = tensor({3, 4}, {-64, -32, 64, 32, -45, -45, 45, 45, -32, -64, 32, 64});
  for (const int one : {0, 1})
    for (const int limit : {1000, 100})
      expect_same("GenerateProposals", {scores, deltas, info, anchors},
                  {{"spatial_scale", 0.0625F},
                   {"pre_nms_topN", 1000},
                   {"post_nms_topN", limit},
                   {"nms_thresh", 0.7F},
                   {"min_size", 0.0F},
                   {"legacy_plus_one", one}},
                  2, 1e-5);
  expect_same("GenerateProposals",
              {scores.contiguous(at::MemoryFormat::ChannelsLast),
               deltas.contiguous(at::MemoryFormat::ChannelsLast), info, anchors},
              {{"spatial_scale", 0.0625F},
               {"pre_nms_topN", 6000},
               {"post_nms_topN", 0},
               {"nms_thresh", 0.5F},
               {"min_size", 16.0F}},
              2, 1e-5);
}

TEST_F(OnGpu, CollectAndDistribute) {
  std::vector<at::Tensor> in;
  const std::vector<std::int64_t> counts = {300, 200, 0, 100, 50};
  for (const auto count : counts) in.push_back(some_regions(count, 2));
  for (const auto count : counts) in.push_back(uniform({count}, -5, 5));
  for (const int most : {0, 1000, 150})
    expect_same("CollectRpnProposals", in,
                {{"rpn_min_level", 2}, {"rpn_max_level", 6}, {"rpn_post_nms_topN", most}});
  const auto rois = some_regions(1000, 2);
  for (const int one : {0, 1}) {
    const Args args = {{"roi_min_level", 2}, {"roi_max_level", 5}, {"legacy_plus_one", one}};
    expect_same("DistributeFpnProposals", {rois}, args, 5);
    expect_same("DistributeFpnProposals", {rois.slice(1, 1).contiguous()}, args, 5);
  }
}

TEST_F(OnGpu, BBoxTransform) {
  const auto rois = some_regions(500, 2), info = tensor({2, 3}, {800, 1088, 1.5F, 700, 900, 2});
  for (const int one : {0, 1})
    expect_same("BBoxTransform", {rois, random({500, 320}), info},
                {{"weights", {10.0F, 10.0F, 5.0F, 5.0F}}, {"apply_scale", one}, {"legacy_plus_one", one}}, 2,
                1e-5);
}

TEST_F(OnGpu, BoxWithNMSLimit) {
  const auto scores = at::softmax(random({600, 81}).mul(3), 1);
  const auto corner = uniform({600, 81, 2}, 0, 300), size = uniform({600, 81, 2}, 10, 300);
  const auto boxes = at::cat({corner, corner + size}, 2).reshape({600, 324});
  const auto splits = tensor({2}, {250, 350});
  for (const int most : {100, 20, 0})
    expect_same("BoxWithNMSLimit", {scores, boxes, splits},
                {{"score_thresh", 0.05F}, {"nms", 0.5F}, {"detections_per_im", most}, {"legacy_plus_one", 0}},
                6);
  expect_same("BoxWithNMSLimit", {scores, boxes.slice(1, 0, 4).contiguous()},
              {{"score_thresh", 0.02F}, {"nms", 0.3F}, {"cls_agnostic_bbox_reg", 1}}, 4);
  expect_same("BoxWithNMSLimit", {scores, boxes.slice(1, 0, 320).contiguous()},
              {{"score_thresh", 0.02F},
               {"nms", 0.5F},
               {"input_boxes_include_bg_cls", 0},
               {"output_classes_include_bg_cls", 0}},
              6);
  for (const int most : {100, 0})
    for (const char* method : {"linear", "gaussian"})
      expect_same("BoxWithNMSLimit", {scores, boxes, splits},
                  {{"score_thresh", 0.05F},
                   {"nms", 0.4F},
                   {"detections_per_im", most},
                   {"soft_nms_enabled", 1},
                   {"soft_nms_method", method},
                   {"soft_nms_min_score_thres", 0.04F}},
                  6, 1e-6);
  // Nothing above the threshold, and no rows at all.
  expect_same("BoxWithNMSLimit", {scores, boxes}, {{"score_thresh", 1.5F}}, 6);
  expect_same("BoxWithNMSLimit", {scores.slice(0, 0, 0), boxes.slice(0, 0, 0)}, {}, 6);
}

// Regions as RoIAlignRotated takes them: image, x, y, w, h, degrees.
at::Tensor some_rotated_regions(std::int64_t count, int images) {
  std::vector<float> image;
  for (std::int64_t i = 0; i < count; i++) image.push_back(static_cast<float>(i * images / count));
  return at::cat({tensor({count, 1}, image), uniform({count, 2}, 0, 700), uniform({count, 2}, 5, 300),
                  uniform({count, 1}, -180, 180)},
                 1);
}

TEST_F(OnGpu, RotatedProposals) {
  const auto scores = random({2, 3, 30, 40}), deltas = random({2, 15, 30, 40}).mul(0.3);
  const auto info = tensor({2, 3}, {480, 640, 1, 400, 600, 2});
  const auto anchors = tensor({3, 5}, {0, 0, 64, 32, 0, 0, 0, 45, 45, 45, 0, 0, 32, 90, -60});
  expect_same("GenerateProposals", {scores, deltas, info, anchors},
              {{"spatial_scale", 0.0625F},
               {"pre_nms_topN", 500},
               {"post_nms_topN", 200},
               {"nms_thresh", 0.7F},
               {"min_size", 16.0F},
               {"legacy_plus_one", 0}},
              2, 1e-4);
}

TEST_F(OnGpu, RotatedRegionsOfLevels) {
  std::vector<at::Tensor> in;
  const std::vector<std::int64_t> counts = {60, 0, 30};
  for (const auto count : counts) in.push_back(some_rotated_regions(count, 2));
  for (const auto count : counts) in.push_back(uniform({count}, -5, 5));
  for (const int most : {0, 20})
    expect_same("caffe2rt.CollectRotatedRpnProposals", in,
                {{"rpn_min_level", 2}, {"rpn_max_level", 4}, {"rpn_post_nms_topN", most}});
  const auto rois = some_rotated_regions(100, 2);
  const Args args = {{"roi_min_level", 2}, {"roi_max_level", 5}};
  expect_same("caffe2rt.DistributeRotatedFpnProposals", {rois}, args, 5);
  expect_same("caffe2rt.DistributeRotatedFpnProposals", {rois.slice(1, 1).contiguous()}, args, 5);
}

TEST_F(OnGpu, RotatedBoxesMoved) {
  const auto rois = some_rotated_regions(200, 2), info = tensor({2, 3}, {800, 1088, 1.5F, 700, 900, 2});
  for (const int one : {0, 1})
    expect_same("BBoxTransform", {rois, random({200, 35}), info},
                {{"weights", {10.0F, 10.0F, 5.0F, 5.0F}},
                 {"apply_scale", one},
                 {"legacy_plus_one", one},
                 {"rotated", 1}},
                2, 1e-3);
}

TEST_F(OnGpu, RotatedDetections) {
  const auto scores = at::softmax(random({200, 6}).mul(3), 1);
  const auto boxes =
      at::cat({uniform({200, 6, 2}, 0, 300), uniform({200, 6, 2}, 20, 200), uniform({200, 6, 1}, -90, 90)}, 2)
          .reshape({200, 30});
  for (const int most : {50, 0})
    expect_same("BoxWithNMSLimit", {scores, boxes, tensor({2}, {80, 120})},
                {{"score_thresh", 0.05F},
                 {"nms", 0.3F},
                 {"detections_per_im", most},
                 {"legacy_plus_one", 0},
                 {"rotated", 1}},
                6);
}

TEST_F(OnGpu, RotatedRoIAlign) {
  const auto x = random({2, 64, 50, 44}).contiguous(at::MemoryFormat::ChannelsLast),
             rois = some_rotated_regions(60, 2);
  for (const int aligned : {0, 1})
    for (const int sampling : {0, 2})
      expect_same("RoIAlignRotated", {x, rois},
                  {{"spatial_scale", 0.0625F},
                   {"pooled_h", 7},
                   {"pooled_w", 5},
                   {"aligned", aligned},
                   {"sampling_ratio", sampling}},
                  1, 1e-4);
  expect_same("RoIAlignRotated",
              {random({1, 5, 30, 40}), some_rotated_regions(20, 1).slice(1, 1).contiguous()},
              {{"spatial_scale", 0.05F}, {"pooled_h", 3}, {"pooled_w", 14}, {"aligned", 1}}, 1, 1e-4);
}

TEST_F(OnGpu, Keypoints) {
  const auto corner = uniform({40, 2}, 0, 300),
             boxes = at::cat({corner, corner + uniform({40, 2}, 0, 90)}, 1);
  const auto maps = random({40, 17, 56, 56}).mul(4), small = random({40, 3, 9, 9});
  expect_same("HeatmapMaxKeypoint", {maps, boxes}, {{"should_output_softmax", 1}}, 1, 2e-3);
  expect_same("HeatmapMaxKeypoint", {small, boxes}, {}, 1, 2e-3);
  expect_same("caffe2rt.HeatmapsToKeypoints", {maps.narrow(0, 0, 12), boxes.narrow(0, 0, 12)}, {}, 1, 1e-4);
  expect_same("caffe2rt.HeatmapsToKeypoints", {random({12, 3, 9, 14}), boxes.narrow(0, 0, 12)}, {}, 1, 1e-4);
  expect_same("caffe2rt.HeatmapsToKeypoints", {small.narrow(0, 0, 0), boxes.narrow(0, 0, 0)}, {});
}

TEST_F(OnGpu, BestAnchors) {
  for (const int images : {1, 2}) {
    const auto scores = random({images, 9 * 20, 25, 42}), deltas = random({images, 36, 25, 42});
    expect_same("caffe2rt.BestAnchors", {scores, deltas}, {{"anchors", 9}}, 3);
    expect_same("caffe2rt.BestAnchors",
                {scores.contiguous(at::MemoryFormat::ChannelsLast),
                 deltas.contiguous(at::MemoryFormat::ChannelsLast)},
                {{"anchors", 9}, {"most", 33}}, 3);
  }
  expect_same("caffe2rt.BestAnchors", {random({2, 4, 2, 3}), random({2, 8, 2, 3})}, {{"anchors", 2}}, 3);
}

TEST_F(OnGpu, SemanticLabels) {
  const auto logits = random({2, 20, 50, 70}), sizes = tensor({2, 4}, {50, 66, 90, 130, 40, 70, 30, 35});
  expect_same("caffe2rt.SemanticLabels", {logits, sizes}, {});
  expect_same("caffe2rt.SemanticLabels", {logits.contiguous(at::MemoryFormat::ChannelsLast), sizes}, {});
}

// Overlapping objects of two frames, which are larger and smaller than the net's input.
TEST_F(OnGpu, PanopticMap) {
  const std::int64_t rows = 60;
  const at::Tensor corner = uniform({rows, 2}, -10, 120),
                   boxes = at::cat({corner, corner + uniform({rows, 2}, 2, 90)}, 1);
  const std::vector<float> sizes = {100, 131, 205, 307, 90, 140, 61, 70};
  std::vector<std::int32_t> labels(205 * 307 + 61 * 70);
  std::mt19937 generator(3);
  std::ranges::generate(labels, [&] { return static_cast<std::int32_t>(generator() % 17); });
  std::vector<float> classes;
  for (std::int64_t i = 0; i < rows; i++) classes.push_back(static_cast<float>(i % 5));
  std::vector<at::Tensor> in = {int32_tensor({std::ssize(labels)}, labels),
                                random({2, 17, 100, 140}),
                                boxes,
                                uniform({rows}, 0, 1),
                                tensor({rows}, classes),
                                uniform({rows, 5, 14, 14}, 0, 1),
                                tensor({2, 4}, sizes),
                                tensor({5}, {0.2F, 25, -1, 0.6F, 0.1F}),
                                tensor({2}, {33, 27})};
  for (const Args& args : {Args{{"stuff_area", 300}}, Args{{"integer_boxes", 1}, {"object_threshold", 0.1F}},
                           Args{{"overlap_threshold", 0.2F}, {"stuff_area", 3000}}, Args{{"background", 1}}})
    expect_same("caffe2rt.PanopticMap", in, args, 3);
  in[8] = tensor({2}, {0, 60});
  expect_same("caffe2rt.PanopticMap", in, {{"stuff_area", 1}}, 3);
  in[8] = tensor({2}, {0, 0});
  for (const size_t i : {2, 3, 4, 5}) in[i] = in[i].slice(0, 0, 0);
  expect_same("caffe2rt.PanopticMap", in, {}, 3);
}

TEST_F(OnGpu, NumberRegions) {
  expect_same("caffe2rt.NumberRegions", {random({10, 4}), tensor({3}, {4, 0, 6})}, {});
  expect_same("caffe2rt.NumberRegions", {random({0, 4}), tensor({1}, {0})}, {});
}

}  // namespace
}  // namespace caffe2rt
