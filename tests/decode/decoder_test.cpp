#include "decode/decoder.h"

#include <fstream>
#include <iterator>

#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

constexpr ImageSizes kSameSize = {{100, 200}, {100, 200}};
constexpr ImageSizes kDoubleSize = {{100, 200}, {200, 400}};

// A net that ends in BoxWithNMSLimit and writes these blobs besides.
NetDef rcnn_net(const std::vector<std::string>& others = {}) {
  NetDef net;
  net.external_outputs = {"bbox_nms", "score_nms", "class_nms"};
  OperatorDef op{.type = "BoxWithNMSLimit", .outputs = {"score_nms", "bbox_nms", "class_nms", "splits"}};
  op.args.push_back({.name = "output_classes_include_bg_cls", .i = 0});
  net.ops.push_back(op);
  for (const auto& blob : others) {
    net.ops.push_back({.type = "Sigmoid", .inputs = {"x"}, .outputs = {blob}});
    net.external_outputs.push_back(blob);
  }
  return net;
}

// Three detections, the best one last.
Blobs three_boxes() {
  return {{"bbox_nms", tensor({3, 4}, {10, 10, 20, 30, 0, 0, 50, 50, 150, 60, 300, 90})},
          {"score_nms", tensor({3}, {0.5, 0.25, 0.75})},
          {"class_nms", tensor({3}, {2, 0, 1})},
          {"splits", tensor({1}, {3})}};
}

Detections decode_one(const NetDef& net, const Blobs& blobs, const ImageSizes& sizes = kSameSize,
                      const DetectOptions& options = {}) {
  return make_decoder(net)->decode(blobs, {&sizes, 1}, options).at(0);
}

void expect_box(const Box& box, float x1, float y1, float x2, float y2) {
  EXPECT_FLOAT_EQ(box.x1, x1);
  EXPECT_FLOAT_EQ(box.y1, y1);
  EXPECT_FLOAT_EQ(box.x2, x2);
  EXPECT_FLOAT_EQ(box.y2, y2);
}

TEST(RcnnDecoder, GivesTheBestFirstScaledAndClippedToTheFrame) {
  const Detections seen = decode_one(rcnn_net(), three_boxes(), kDoubleSize);
  ASSERT_EQ(seen.objects.size(), 3);
  EXPECT_EQ(seen.width, 400);
  EXPECT_EQ(seen.height, 200);
  EXPECT_EQ(seen.objects[0].class_id, 1);
  EXPECT_EQ(seen.objects[0].score, 0.75F);
  expect_box(seen.objects[0].box, 300, 120, 400, 180);
  expect_box(seen.objects[1].box, 20, 20, 40, 60);
}

TEST(RcnnDecoder, SaysHowMasksArePasted) {
  Blobs blobs = three_boxes();
  blobs["mask_fcn_probs"] = tensor({3, 1, 2, 2}, std::vector<float>(12, 1));
  NetDef net = rcnn_net({"mask_fcn_probs"});
  EXPECT_EQ(decode_one(net, blobs).masks.pasting, MaskPasting::kSubpixel);
  net.args.push_back({.name = "mask_pasting", .s = "integer_boxes"});
  EXPECT_EQ(decode_one(net, blobs).masks.pasting, MaskPasting::kIntegerBoxes);
  net.args.back().s = "glue";
  EXPECT_ERROR(make_decoder(net), ErrorCode::kArgument, "expected subpixel or integer_boxes, got 'glue'");
}

TEST(RcnnDecoder, LeavesOutBoxesThatAreEmptyOrNoNumber) {
  Blobs blobs = three_boxes();
  blobs["bbox_nms"] = tensor({3, 4}, {10, 10, 10, 30, 250, 0, 300, 50, NAN, 0, 5, 5});
  EXPECT_TRUE(decode_one(rcnn_net(), blobs).objects.empty());
}

TEST(RcnnDecoder, KeepsScoresFromTheThresholdUpAndTheBestSoMany) {
  EXPECT_EQ(decode_one(rcnn_net(), three_boxes(), kSameSize, {.threshold = 0.5F}).objects.size(), 2);
  const auto best = decode_one(rcnn_net(), three_boxes(), kSameSize, {.max_detections = 1});
  ASSERT_EQ(best.objects.size(), 1);
  EXPECT_EQ(best.objects[0].score, 0.75F);
}

TEST(RcnnDecoder, AsksOfAClassItsOwnThresholdWhereItHasOne) {
  const DetectOptions options{.threshold = 0.4F, .class_thresholds = {-1, 0.8F, 0.45F}};
  const Detections seen = decode_one(rcnn_net(), three_boxes(), kSameSize, options);
  ASSERT_EQ(seen.objects.size(), 1);
  EXPECT_EQ(seen.objects[0].class_id, 2);
}

TEST(RcnnDecoder, SharesTheDetectionsOfABatchOut) {
  Blobs blobs = three_boxes();
  blobs["splits"] = tensor({3}, {1, 0, 2});
  const std::vector<ImageSizes> sizes = {kSameSize, kSameSize, kDoubleSize};
  const auto seen = make_decoder(rcnn_net())->decode(blobs, sizes);
  ASSERT_EQ(seen[0].objects.size(), 1);
  EXPECT_EQ(seen[0].objects[0].score, 0.5F);
  EXPECT_TRUE(seen[1].objects.empty());
  ASSERT_EQ(seen[2].objects.size(), 2);
  expect_box(seen[2].objects[1].box, 0, 0, 100, 100);
}

TEST(RcnnDecoder, CountsClassesFromZeroWhereTheFileCountsTheBackground) {
  NetDef net = rcnn_net();
  net.ops[0].args[0].i = 1;
  Blobs blobs = three_boxes();
  blobs["class_nms"] = tensor({3}, {2, 1, 1});
  EXPECT_EQ(decode_one(net, blobs).objects[1].class_id, 1);
}

TEST(RcnnDecoder, TakesTheMaskOfThePredictedClass) {
  Blobs blobs = three_boxes();
  std::vector<float> probs(3 * 3 * 4);
  for (size_t i = 0; i < probs.size(); i++) probs[i] = static_cast<float>(i);
  blobs["mask_fcn_probs"] = tensor({3, 3, 2, 2}, probs);
  const Detections seen = decode_one(rcnn_net({"mask_fcn_probs"}), blobs);
  EXPECT_EQ(seen.masks.size, 2);
  // Row 2 class 1, row 0 class 2, row 1 class 0.
  EXPECT_EQ(seen.masks.probs, (std::vector<float>{28, 29, 30, 31, 8, 9, 10, 11, 12, 13, 14, 15}));
  EXPECT_TRUE(decode_one(rcnn_net({"mask_fcn_probs"}), blobs, kSameSize, {.output = Output::kBoxes})
                  .masks.probs.empty());
}

TEST(RcnnDecoder, TakesTheOnlyMaskWhereMasksAreClassAgnostic) {
  Blobs blobs = three_boxes();
  blobs["mask_fcn_probs"] = tensor({3, 1, 1, 1}, {1, 2, 3});
  EXPECT_EQ(decode_one(rcnn_net({"mask_fcn_probs"}), blobs).masks.probs, (std::vector<float>{3, 1, 2}));
}

TEST(RcnnDecoder, ReadsKeypointsOfHeatMaps) {
  Blobs blobs = three_boxes();
  std::vector<float> maps(3 * 16);
  maps[2 * 16 + 1 * 4 + 2] = 50;  // of the box (150,60)-(300,90): second row, third column
  blobs["kps_score"] = tensor({3, 1, 4, 4}, maps);
  const Detections seen = decode_one(rcnn_net({"kps_score"}), blobs, kDoubleSize);
  ASSERT_EQ(seen.objects[0].keypoints.size(), 1);
  const Keypoint& point = seen.objects[0].keypoints[0];
  EXPECT_NEAR(point.x, 2 * (150 + 150 * 2.5 / 4), 2);
  EXPECT_NEAR(point.y, 2 * (60 + 30 * 1.5 / 4), 2);
  EXPECT_GT(point.score, 0.8);
}

TEST(RcnnDecoder, TakesKeypointsThatAGpuFoundInPlaceOfHeatMaps) {
  const auto decoder = make_decoder(rcnn_net({"kps_score"}));
  ASSERT_EQ(decoder->operators_for_gpu().size(), 1);
  const OperatorDef& op = decoder->operators_for_gpu()[0];
  EXPECT_EQ(op.inputs, (std::vector<std::string>{"kps_score", "bbox_nms"}));
  Blobs blobs = three_boxes();
  blobs[op.outputs[0]] = tensor({3, 1, 3}, {0, 0, 0, 0, 0, 0, 160, 70, 0.5});
  const auto points = decode_one(rcnn_net({"kps_score"}), blobs, kDoubleSize).objects[0].keypoints;
  ASSERT_EQ(points.size(), 1);
  EXPECT_EQ(std::tuple(points[0].x, points[0].y, points[0].score), std::tuple(320, 140, 0.5));
}

TEST(RcnnDecoder, ReadsLargeBlobsOnlyWhereTheyAreAskedFor) {
  const auto decoder = make_decoder(rcnn_net({"mask_fcn_probs", "kps_score"}));
  const auto reads = [&](const std::string& blob, Output output, bool on_gpu) {
    return std::ranges::count(decoder->blobs_read(output, on_gpu), blob) == 1;
  };
  for (const bool on_gpu : {false, true}) {
    for (const Output output : {Output::kBoxes, Output::kMasks, Output::kRaw}) {
      EXPECT_TRUE(reads("bbox_nms", output, on_gpu));
      EXPECT_EQ(reads("mask_fcn_probs", output, on_gpu), output != Output::kBoxes);
      EXPECT_EQ(reads("kps_score", output, on_gpu), !on_gpu || output == Output::kRaw);
      EXPECT_EQ(reads("caffe2rt.keypoints", output, on_gpu), on_gpu);
    }
  }
}

TEST(RcnnDecoder, ReadsKeypointsOfHeatmapMaxKeypoint) {
  Blobs blobs = three_boxes();
  blobs["keypoints_out"] = tensor({3, 4, 1}, {0, 0, 0, 0, 0, 0, 0, 0, 160, 70, 5, 0.5});
  const auto points = decode_one(rcnn_net({"keypoints_out"}), blobs, kDoubleSize).objects[0].keypoints;
  ASSERT_EQ(points.size(), 1);
  EXPECT_EQ(std::tuple(points[0].x, points[0].y, points[0].score), std::tuple(320, 140, 5));
}

TEST(RcnnDecoder, ScalesRotatedBoxes) {
  Blobs blobs = {{"bbox_nms", tensor({1, 5}, {50, 50, 20, 10, 90})},
                 {"score_nms", tensor({1}, {0.5})},
                 {"class_nms", tensor({1}, {0})},
                 {"splits", tensor({1}, {1})}};
  const Detections seen =
      decode_one(rcnn_net(), blobs, {{100, 200}, {300, 400}});  // three times as high, twice as wide
  const RotatedBox box = seen.objects.at(0).rotated.value();
  EXPECT_FLOAT_EQ(box.cx, 100);
  EXPECT_FLOAT_EQ(box.cy, 150);
  EXPECT_FLOAT_EQ(box.width, 60);
  EXPECT_FLOAT_EQ(box.height, 20);
  EXPECT_FLOAT_EQ(box.angle, 90);
  EXPECT_NEAR(seen.objects[0].box.width(), 20, 1e-4);
  EXPECT_NEAR(seen.objects[0].box.height(), 60, 1e-4);
}

TEST(RcnnDecoder, NoDetectionsGiveNoObjects) {
  const Blobs blobs = {{"bbox_nms", tensor({0, 4}, {})},
                       {"score_nms", tensor({0}, {})},
                       {"class_nms", tensor({0}, {})},
                       {"splits", tensor({1}, {0})},
                       {"mask_fcn_probs", tensor({0, 3, 28, 28}, {})}};
  EXPECT_TRUE(
      decode_one(rcnn_net({"mask_fcn_probs"}), blobs, kSameSize, {.output = Output::kRaw}).objects.empty());
}

TEST(RcnnDecoder, GivesRawOutputsOfEachImage) {
  Blobs blobs = three_boxes();
  blobs["splits"] = tensor({2}, {1, 2});
  const std::vector<ImageSizes> sizes = {kSameSize, kSameSize};
  const auto seen = make_decoder(rcnn_net())->decode(blobs, sizes, {.output = Output::kRaw});
  ASSERT_EQ(seen[1].raw.size(), 3);
  EXPECT_EQ(seen[1].raw[1].name, "score_nms");
  EXPECT_EQ(seen[1].raw[1].values, (std::vector<float>{0.25, 0.75}));
}

TEST(RcnnDecoder, RefusesBlobsThatDoNotFit) {
  const auto refused = [](const std::string& blob, const at::Tensor& value, const std::string& text) {
    Blobs blobs = three_boxes();
    blobs[blob] = value;
    return throws_error([&] { decode_one(rcnn_net(), blobs); }, ErrorCode::kShape, text);
  };
  EXPECT_TRUE(
      refused("bbox_nms", tensor({3, 3}, std::vector<float>(9)), "expected (R,4) or (R,5), got (3,3)"));
  EXPECT_TRUE(refused("score_nms", tensor({2}, {1, 1}), "blob 'score_nms': expected (3), got (2)"));
  EXPECT_TRUE(refused("class_nms", tensor({3}, {0, NAN, 0}), "blob 'class_nms': expected classes from 0"));
  EXPECT_TRUE(refused("splits", tensor({1}, {2}), "expected 3 detections in all, got 2"));
  EXPECT_TRUE(refused("splits", tensor({2}, {2, 1}), "blob 'splits': expected (1), got (2)"));
  Blobs without = three_boxes();
  without.erase("bbox_nms");
  EXPECT_ERROR(decode_one(rcnn_net(), without), ErrorCode::kNotFound, "blob 'bbox_nms' is missing");
}

TEST(RcnnDecoder, NeedsTheSplitsThatNoExporterLists) {
  const auto needed = make_decoder(rcnn_net())->blobs_needed();
  EXPECT_EQ(needed, (std::vector<std::string>{"bbox_nms", "score_nms", "class_nms", "splits"}));
}

// A RetinaNet whose anchors are tests/data/decode/anchors.stream: strides 8 and 16, two and one anchors.
NetDef retinanet() {
  std::ifstream file(CAFFE2RT_TEST_DATA "/decode/anchors.stream", std::ios::binary);
  NetDef net;
  net.args.push_back({.name = "meta_architecture", .s = "RetinaNet"});
  net.args.push_back(
      {.name = "serialized_anchor_generator", .s = std::string(std::istreambuf_iterator<char>(file), {})});
  net.args.push_back({.name = "bbox_reg_weights", .floats = {1, 1, 2, 2}});
  return net;
}

// Feature maps of 2x2 and 1x1 cells, two classes, no detection anywhere.
Blobs nothing_seen() {
  return {{"box_cls_0", tensor({1, 4, 2, 2}, std::vector<float>(16, -9))},
          {"box_delta_0", tensor({1, 8, 2, 2}, std::vector<float>(32, 0))},
          {"box_cls_1", tensor({1, 2, 1, 1}, {-9, -9})},
          {"box_delta_1", tensor({1, 4, 1, 1}, {0, 0, 0, 0})}};
}

constexpr ImageSizes kSmall = {{16, 16}, {32, 32}};

TEST(RetinaNetDecoder, MovesAnchorsByTheirDeltas) {
  Blobs blobs = nothing_seen();
  float* logits = blobs["box_cls_0"].data_ptr<float>();
  logits[3 * 4 + 2] = 2;  // anchor 1, class 1, row 1, column 0: (0,4)-(8,20) around (4,12)
  float* deltas = blobs["box_delta_0"].data_ptr<float>();
  deltas[4 * 4 + 2] = 0.25F;               // dx of anchor 1: a quarter of 8 pixels
  deltas[7 * 4 + 2] = 2 * std::log(0.5F);  // dh, of weight 2: half as high
  const Detections seen = decode_one(retinanet(), blobs, kSmall);
  ASSERT_EQ(seen.objects.size(), 1);
  EXPECT_FLOAT_EQ(seen.objects[0].score, 1 / (1 + std::exp(-2.0F)));
  EXPECT_EQ(seen.objects[0].class_id, 1);
  expect_box(seen.objects[0].box, 4, 16, 20, 32);
}

// What the decoder's operators for a GPU write, here on the CPU.
Blobs written_on_gpu(const NetDef& net, const Blobs& blobs) {
  Blobs read;
  const auto decoder = make_decoder(net);
  for (const OperatorDef& op : decoder->operators_for_gpu()) {
    std::vector<const at::Tensor*> in;
    for (const auto& blob : op.inputs) in.push_back(&(read.contains(blob) ? read : blobs).at(blob));
    const Schema& schema = *find_schema(op.type);
    Outputs out(op.outputs.size());
    schema.make(OperatorArgs(op, c10::DeviceType::CPU))->run(Inputs(schema, in), out);
    for (size_t i = 0; i < out.size(); i++) read[op.outputs[i]] = out[i];
  }
  return read;
}

// The blobs that decode() reads where those ran, and no others.
Blobs as_of_gpu(const NetDef& net, const Blobs& blobs) {
  Blobs all = written_on_gpu(net, blobs), read;
  all.insert(blobs.begin(), blobs.end());
  for (const auto& blob : make_decoder(net)->blobs_read(Output::kMasks, /*with_operators_for_gpu=*/true))
    read[blob] = all.at(blob);
  return read;
}

TEST(RetinaNetDecoder, FindsTheSameInWhatAGpuPicked) {
  for (const bool by_grid : {false, true}) {
    NetDef net = retinanet();
    if (by_grid) net.args.push_back({.name = "anchor_strides", .s = "of_grid"});
    net.args.push_back({.name = "topk_candidates", .i = 20});
    const Blobs blobs = {{"box_cls_0", random({1, 4, 6, 6}).mul(3)},
                         {"box_delta_0", random({1, 8, 6, 6})},
                         {"box_cls_1", random({1, 2, 3, 3}).mul(3)},
                         {"box_delta_1", random({1, 4, 3, 3})}};
    constexpr ImageSizes size = {{48, 48}, {96, 48}};
    const Detections expected = decode_one(net, blobs, size),
                     actual = decode_one(net, as_of_gpu(net, blobs), size);
    ASSERT_GT(expected.objects.size(), 5U);
    ASSERT_EQ(actual.objects.size(), expected.objects.size());
    for (size_t i = 0; i < expected.objects.size(); i++) {
      const Object &a = actual.objects[i], &e = expected.objects[i];
      EXPECT_EQ(std::tuple(a.score, a.class_id), std::tuple(e.score, e.class_id));
      expect_box(a.box, e.box.x1, e.box.y1, e.box.x2, e.box.y2);
    }
  }
}

TEST(RetinaNetDecoder, SuppressesOverlapWithinAClassOnly) {
  Blobs blobs = nothing_seen();
  float* logits = blobs["box_cls_0"].data_ptr<float>();
  float* deltas = blobs["box_delta_0"].data_ptr<float>();
  for (int column : {0, 1}) logits[column] = 2 + static_cast<float>(column);  // both cells, anchor 0, class 0
  deltas[1] = -0.5F;      // the right one moves onto the left one
  logits[1 * 4 + 0] = 1;  // and the left one is of class 1 as well
  const Detections seen = decode_one(retinanet(), blobs, kSmall);
  ASSERT_EQ(seen.objects.size(), 2);
  EXPECT_FLOAT_EQ(seen.objects[0].score, 1 / (1 + std::exp(-3.0F)));
  EXPECT_EQ(seen.objects[1].class_id, 1);
  const Detections second = decode_one(retinanet(), blobs, kSmall, {.class_thresholds = {0.99F}});
  ASSERT_EQ(second.objects.size(), 1);
  EXPECT_EQ(second.objects[0].class_id, 1);
}

TEST(RetinaNetDecoder, KeepsTheBestCandidatesOfALevelAndDetectionsOfAnImage) {
  Blobs blobs = nothing_seen();
  for (int i = 0; i < 16; i++) blobs["box_cls_0"].data_ptr<float>()[i] = 1 + 0.1F * static_cast<float>(i);
  blobs["box_cls_1"].data_ptr<float>()[0] = 0;
  NetDef net = retinanet();
  net.args.push_back({.name = "nms_threshold", .f = 1.0F});
  net.args.push_back({.name = "topk_candidates", .i = 3});
  EXPECT_EQ(decode_one(net, blobs, kSmall).objects.size(), 4);
  net.args.push_back({.name = "max_detections_per_image", .i = 2});
  EXPECT_EQ(decode_one(net, blobs, kSmall).objects.size(), 2);
}

TEST(RetinaNetDecoder, TakesStridesFromTheGridWhereTheNetAsksForThem) {
  // 40x40 pixels are 5x5 places 8 apart, and 3x3 that are 13 apart.
  const Blobs blobs = {{"box_cls_0", tensor({1, 4, 5, 5}, std::vector<float>(100, -9))},
                       {"box_delta_0", tensor({1, 8, 5, 5}, std::vector<float>(200, 0))},
                       {"box_cls_1", tensor({1, 2, 3, 3}, std::vector<float>(18, -9))},
                       {"box_delta_1", tensor({1, 4, 3, 3}, std::vector<float>(36, 0))}};
  blobs.at("box_cls_1").data_ptr<float>()[4] = 2;  // class 0, row 1, column 1
  constexpr ImageSizes size = {{40, 40}, {40, 40}};
  const Box by_level = decode_one(retinanet(), blobs, size).objects.at(0).box;
  NetDef net = retinanet();
  net.args.push_back({.name = "anchor_strides", .s = "of_grid"});
  const Box by_grid = decode_one(net, blobs, size).objects.at(0).box;
  EXPECT_FLOAT_EQ((by_level.x1 + by_level.x2) / 2, 1.5F * 16);
  EXPECT_FLOAT_EQ((by_grid.x1 + by_grid.x2) / 2, 1.5F * 13);
  EXPECT_FLOAT_EQ((by_grid.y1 + by_grid.y2) / 2, 1.5F * 13);
}

TEST(RetinaNetDecoder, ClipsBeforeItSuppressesWhereTheNetAsksForIt) {
  Blobs blobs = nothing_seen();
  float* logits = blobs["box_cls_0"].data_ptr<float>();
  float* deltas = blobs["box_delta_0"].data_ptr<float>();
  logits[2 * 4 + 2] = 2;      // anchor 1, class 0, row 1, column 0: (0,4)-(8,20), by a quarter
  deltas[5 * 4 + 2] = 0.25F;  // of its height further down: (0,8)-(8,24), half of it in the image
  logits[2 * 4 + 3] = 1;      // and the next column's,
  deltas[4 * 4 + 3] = -1;     // a width to the left
  deltas[7 * 4 + 3] = 2 * std::log(0.5F);  // and half as high: (0,8)-(8,16)
  NetDef net = retinanet();
  net.args.push_back({.name = "nms_threshold", .f = 0.6F});
  EXPECT_EQ(decode_one(net, blobs, kSmall).objects.size(), 2);
  net.args.push_back({.name = "clip_before_nms", .i = 1});
  const Detections seen = decode_one(net, blobs, kSmall);
  ASSERT_EQ(seen.objects.size(), 1);
  expect_box(seen.objects[0].box, 0, 16, 16, 32);
}

TEST(RetinaNetDecoder, RefusesMapsThatDoNotFitTheAnchors) {
  Blobs blobs = nothing_seen();
  blobs["box_cls_0"] = tensor({1, 3, 2, 2}, std::vector<float>(12));
  EXPECT_ERROR(decode_one(retinanet(), blobs, kSmall), ErrorCode::kShape,
               "expected a multiple of 2 anchors, got 3 channels");
  blobs = nothing_seen();
  blobs["box_delta_1"] = tensor({1, 8, 1, 1}, std::vector<float>(8));
  EXPECT_ERROR(decode_one(retinanet(), blobs, kSmall), ErrorCode::kShape,
               "blob 'box_delta_1': expected (1,4,1,1), got (1,8,1,1)");
}

TEST(RetinaNetDecoder, RefusesArgumentsThatMakeNoSense) {
  NetDef net = retinanet();
  net.args.push_back({.name = "score_threshold", .f = 1.5F});
  EXPECT_ERROR(make_decoder(net), ErrorCode::kArgument, "expected 0 to 1, got 1.5");
  net = retinanet();
  net.args[1].s = "nothing";
  EXPECT_ERROR(make_decoder(net), ErrorCode::kFormat, "serialized_anchor_generator");
  net = retinanet();
  net.args[2].floats = {1, 1};
  EXPECT_ERROR(make_decoder(net), ErrorCode::kArgument,
               "net argument 'bbox_reg_weights': expected 4 numbers");
  net = retinanet();
  net.args.push_back({.name = "anchor_strides", .s = "long"});
  EXPECT_ERROR(make_decoder(net), ErrorCode::kArgument, "expected of_level or of_grid, got 'long'");
}

// A net that ends in an operator of that type with output `prob`.
NetDef ends_in(const std::string& type) {
  NetDef net;
  net.ops.push_back({.type = type, .inputs = {"x"}, .outputs = {"prob"}});
  return net;
}

TEST(Classifier, GivesTheFiveBestClassesOfEachImage) {
  const Blobs blobs = {{"prob", tensor({2, 6, 1, 1}, {.1F, .2F, .3F, .05F, .15F, .2F, 0, 0, 0, 0, 1, 0})}};
  const std::vector<ImageSizes> sizes = {kSameSize, kSameSize};
  const auto seen = make_decoder(ends_in("Softmax"))->decode(blobs, sizes);
  ASSERT_EQ(seen[0].classes.size(), 5);
  EXPECT_EQ(seen[0].classes[0].class_id, 2);
  EXPECT_EQ(seen[0].classes[1].class_id, 1);
  EXPECT_EQ(seen[0].classes[2].class_id, 5);
  EXPECT_EQ(seen[1].classes[0].class_id, 4);
  ASSERT_EQ(seen[1].raw.size(), 1);
  EXPECT_EQ(seen[1].raw[0].shape, (Shape{1, 6, 1, 1}));
}

TEST(Classifier, LeavesOutputsOfOtherNetsAsTheyAre) {
  const Detections seen = decode_one(ends_in("Relu"), {{"prob", tensor({1, 2, 2}, {1, 2, 3, 4})}});
  EXPECT_TRUE(seen.classes.empty());
  EXPECT_EQ(seen.raw.at(0).values, (std::vector<float>{1, 2, 3, 4}));
}

NetDef net_of(const std::string& meta_architecture, const std::vector<std::string>& outputs) {
  NetDef net;
  net.ops.push_back({.type = "Relu", .inputs = {"data"}, .outputs = outputs});
  net.external_outputs = outputs;
  net.args.push_back({.name = "meta_architecture", .s = meta_architecture});
  return net;
}

TEST(SemanticDecoder, TakesLabelsThatAGpuFound) {
  const NetDef net = net_of("SemanticSegmentor", {"sem_seg"});
  const std::vector<ImageSizes> sizes = {{{9, 12}, {18, 30}}, {{8, 8}, {5, 7}}};
  const Blobs blobs = {{"sem_seg", random({2, 4, 10, 12})},
                       {kImageSizesBlob, tensor({2, 4}, {9, 12, 18, 30, 8, 8, 5, 7})}};
  const auto expected = make_decoder(net)->decode(blobs, sizes),
             actual = make_decoder(net)->decode(as_of_gpu(net, blobs), sizes);
  for (size_t i = 0; i < sizes.size(); i++) {
    EXPECT_EQ(actual[i].semantic->width, sizes[i].frame.width);
    EXPECT_EQ(actual[i].semantic->ids, expected[i].semantic->ids);
  }
  EXPECT_ERROR(make_decoder(net)->decode(as_of_gpu(net, blobs), std::vector{sizes[0], sizes[0]}),
               ErrorCode::kShape, "labels of 540 more pixels, got 35");
}

// Of two images, the second without detections.
TEST(PanopticDecoder, TakesMapsThatAGpuMerged) {
  NetDef net = rcnn_net({"mask_fcn_probs", "sem_seg"});
  net.args.push_back({.name = "meta_architecture", .s = "PanopticFPN"});
  net.args.push_back({.name = "combine_stuff_area_limit", .i = 900});
  const std::vector<ImageSizes> sizes = {{{50, 100}, {80, 160}}, {{40, 90}, {20, 30}}};
  DetectOptions options{.class_thresholds = {-1, 0.7F}};
  const Blobs blobs = {
      {"bbox_nms", tensor({4, 4}, {10, 10, 60, 40, 20, 5, 70, 45, 0, 0, 90, 50, 55, 10, 90, 30})},
      {"score_nms", tensor({4}, {0.6F, 0.65F, 0.9F, 0.8F})},
      {"class_nms", tensor({4}, {0, 1, 2, 0})},
      {"splits", tensor({2}, {4, 0})},
      {"mask_fcn_probs", random({4, 3, 28, 28}).sigmoid()},
      {"sem_seg", random({2, 5, 50, 100}).mul(tensor({1, 5, 1, 1}, {1, 2, 2, 1, 1}))},
      {kImageSizesBlob, tensor({2, 4}, {50, 100, 80, 160, 40, 90, 20, 30})},
      {kDetectionLimitsBlob, tensor_of(options)}};
  const auto decoder = make_decoder(net);
  EXPECT_EQ(decoder->operators_for_gpu().size(), 2U);
  const auto expected = decoder->decode(blobs, sizes, options),
             actual = decoder->decode(as_of_gpu(net, blobs), sizes, options);
  EXPECT_EQ(expected[0].objects.size(), 3U);
  EXPECT_GT(expected[0].segments.size(), 3U);
  for (size_t i = 0; i < sizes.size(); i++) {
    EXPECT_EQ(actual[i].panoptic->ids, expected[i].panoptic->ids);
    ASSERT_EQ(actual[i].segments.size(), expected[i].segments.size());
    for (size_t k = 0; k < expected[i].segments.size(); k++) {
      const PanopticSegment &a = actual[i].segments[k], &e = expected[i].segments[k];
      EXPECT_EQ(std::tuple(a.id, a.is_thing, a.category_id, a.object, a.score, a.area),
                std::tuple(e.id, e.is_thing, e.category_id, e.object, e.score, e.area));
    }
  }
}

TEST(SemanticDecoder, GivesTheBestClassOfEachPixel) {
  const NetDef net = net_of("SemanticSegmentor", {"sem_seg"});
  const Blobs blobs = {{"sem_seg", tensor({1, 2, 1, 2}, {1, 2, 3, 0})}};
  const Detections seen = decode_one(net, blobs, {{1, 2}, {1, 2}});
  ASSERT_TRUE(seen.semantic);
  EXPECT_EQ(seen.semantic->ids, (std::vector<std::int32_t>{1, 0}));
  EXPECT_TRUE(seen.objects.empty());
}

TEST(ProposalDecoder, GivesTheBestOfAllLevelsToTheirImages) {
  NetDef net = net_of("ProposalNetwork", {"rpn_rois_0", "rpn_roi_probs_0", "rpn_rois_1", "rpn_roi_probs_1"});
  net.args.push_back({.name = "post_nms_topk", .i = 2});
  const Blobs blobs = {{"rpn_rois_0", tensor({3, 5}, {0, 1, 2, 3, 4, 0, 5, 5, 9, 9, 1, 0, 0, 7, 7})},
                       {"rpn_roi_probs_0", tensor({3}, {0, -1, 3})},
                       {"rpn_rois_1", tensor({1, 5}, {0, 20, 20, 40, 30})},
                       {"rpn_roi_probs_1", tensor({1}, {2})}};
  const std::vector<ImageSizes> sizes = {kDoubleSize, kSameSize};
  const auto seen = make_decoder(net)->decode(blobs, sizes, {});
  ASSERT_EQ(seen[0].objects.size(), 2);
  expect_box(seen[0].objects[0].box, 40, 40, 80, 60);
  EXPECT_NEAR(seen[0].objects[0].score, 0.8808, 1e-4);  // the sigmoid of 2
  expect_box(seen[0].objects[1].box, 2, 4, 6, 8);
  EXPECT_EQ(seen[1].objects.size(), 1);
}

TEST(ProposalDecoder, RefusesRegionsOfNoImage) {
  const NetDef net = net_of("ProposalNetwork", {"rpn_rois", "rpn_roi_probs"});
  const Blobs blobs = {{"rpn_rois", tensor({1, 5}, {3, 1, 2, 3, 4})}, {"rpn_roi_probs", tensor({1}, {0})}};
  EXPECT_ERROR(decode_one(net, blobs), ErrorCode::kShape, "blob 'rpn_rois': a region of image 3");
}

}  // namespace
}  // namespace caffe2rt
