// Operators that write slots, and whole nets of them, beside the CPU's, which has as many rows as there are.
#include <ATen/ops/cat.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>

#include <filesystem>
#include <functional>
#include <random>

#include "decode/decoder.h"
#include "graph/passes/passes.h"
#include "runtime/filled_slots.h"
#include "runtime/place_operator.h"
#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

using Tensors = std::vector<at::Tensor>;

// Runs what computes an operator on a GPU on the host's tensors.
Tensors run_on_gpu(const OperatorDef& def, const Tensors& in, size_t outputs) {
  const OperatorArgs args(def, c10::DeviceType::CPU);
  const Schema& schema = *find_schema(def.type);
  const auto op = schema.make(args);
  const PlacedOperator placed = place_operator(schema, *op, args, {});
  std::vector<const at::Tensor*> pointers;
  for (const auto& tensor : in) pointers.push_back(&tensor);
  Outputs out(outputs);
  (placed.op ? *placed.op : *op).run(Inputs(schema, pointers), out);
  return out;
}

Tensors run_on_gpu(const std::string& type, const Tensors& in, const Args& args, size_t outputs) {
  const c10::InferenceMode no_gradients;
  return run_on_gpu(operator_def(type, in.size(), outputs, args), in, outputs);
}

Args in_slots(Args args) {
  args.push_back({"caffe2rt.slots", 1});
  return args;
}

at::Tensor uniform(const Shape& shape, float low, float high) {
  static std::mt19937 generator(11);
  std::uniform_real_distribution<float> numbers(low, high);
  at::Tensor t = random(shape);
  std::generate_n(t.data_ptr<float>(), t.numel(), [&] { return numbers(generator); });
  return t;
}

// The filled ones of slots that begin with the number of an image.
at::Tensor filled(const at::Tensor& rois) { return rois.index({rois.select(1, 0) >= 0}); }

TEST(Slots, ProposalsFillTheFirstOnesOfTheirImage) {
  const Tensors in = {random({2, 3, 20, 30}), random({2, 12, 20, 30}).mul(0.3),
                      tensor({2, 3}, {320, 480, 1, 200, 300, 1}),
                      tensor({3, 4}, {-64, -32, 64, 32, -45, -45, 45, 45, -32, -64, 32, 64})};
  const Args args = {
      {"spatial_scale", 0.0625F}, {"pre_nms_topN", 300}, {"post_nms_topN", 250}, {"nms_thresh", 0.5F}};
  const Tensors all = run_on_gpu("GenerateProposals", in, in_slots(args), 2),
                found = run_operator_outputs("GenerateProposals", in, args, 2);
  EXPECT_SHAPE(all[0], {500, 5});
  ASSERT_LT(found[0].size(0), 500);
  EXPECT_TENSOR_NEAR(filled(all[0]), found[0], 1e-4);
  EXPECT_EQ(all[0][499][0].item<float>(), -1);
  EXPECT_TENSOR_EQ(all[1].index({all[0].select(1, 0) >= 0}), found[1]);
}

// Slots of two images, 40 each, of which some are filled.
at::Tensor some_slots(std::int64_t of_first, std::int64_t of_second) {
  const at::Tensor corner = uniform({80, 2}, 0, 300), size = uniform({80, 2}, 5, 400);
  at::Tensor rois = at::cat({at::zeros({80, 1}), corner, corner + size}, 1);
  rois.select(1, 0).slice(0, 40).fill_(1);
  rois.slice(0, of_first, 40).fill_(0).select(1, 0).fill_(-1);
  rois.slice(0, 40 + of_second).fill_(0).select(1, 0).fill_(-1);
  return rois;
}

TEST(Slots, CollectsTheBestOfEachImage) {
  const Tensors levels = {some_slots(40, 30), some_slots(0, 10), some_slots(25, 40)};
  const Tensors scores = {uniform({80}, -5, 5), uniform({80}, -5, 5), uniform({80}, -5, 5)};
  for (const int most : {30, 100, 500}) {
    const Args args = {{"rpn_min_level", 2}, {"rpn_max_level", 4}, {"rpn_post_nms_topN", most}};
    Tensors in = levels, found_in;
    in.insert(in.end(), scores.begin(), scores.end());
    in.push_back(at::zeros({2, 3}));  // im_info
    for (const auto& rois : levels) found_in.push_back(filled(rois));
    for (size_t i = 0; i < 3; i++) found_in.push_back(scores[i].index({levels[i].select(1, 0) >= 0}));
    const at::Tensor all = run_on_gpu("CollectRpnProposals", in, in_slots(args), 1)[0];
    EXPECT_SHAPE(all, {2 * std::min(most, 120), 5});
    EXPECT_TENSOR_EQ(filled(all), run_operator("CollectRpnProposals", found_in, args));
  }
}

TEST(Slots, PoolsFromTheLevelOfEachSizeAndNothingForEmptyOnes) {
  const at::Tensor rois = some_slots(33, 12);
  const Args args = {{"caffe2rt.spatial_scales", {0.25F, 0.125F, 0.0625F, 0.03125F}},
                     {"pooled_h", 7},
                     {"pooled_w", 7},
                     {"aligned", 1},
                     {"sampling_ratio", 0}};
  Tensors in, found_in;
  for (const int side : {160, 80, 40, 20})
    in.push_back(random({2, 8, side, side}).contiguous(at::MemoryFormat::ChannelsLast));
  found_in = in;
  in.push_back(rois);
  found_in.push_back(filled(rois));
  const at::Tensor all = run_on_gpu("caffe2rt.LeveledRoIAlign", in, args, 1)[0];
  EXPECT_TENSOR_NEAR(all.index({rois.select(1, 0) >= 0}),
                     run_operator("caffe2rt.LeveledRoIAlign", found_in, args), 1e-5);
  EXPECT_EQ(all.index({rois.select(1, 0) < 0}).abs().sum().item<float>(), 0);
}

TEST(Slots, BoxesAreMovedAndCounted) {
  const at::Tensor rois = some_slots(33, 0), deltas = random({80, 12}),
                   info = tensor({2, 3}, {700, 700, 1, 700, 600, 2});
  const Tensors all = run_on_gpu("BBoxTransform", {rois, deltas, info}, {}, 2),
                found = run_operator_outputs("BBoxTransform", {filled(rois), deltas.slice(0, 0, 33), info},
                                             {}, 2);
  EXPECT_TENSOR_NEAR(all[0].slice(0, 0, 33), found[0], 1e-4);
  EXPECT_EQ(all[0].slice(0, 33).abs().sum().item<float>(), 0);
  EXPECT_TENSOR_EQ(all[1], tensor({2}, {33, 0}));
}

TEST(Slots, DetectionsFillTheFirstOnesOfTheirImage) {
  const at::Tensor scores = at::softmax(random({80, 11}).mul(3), 1), corner = uniform({80, 11, 2}, 0, 300),
                   boxes = at::cat({corner, corner + uniform({80, 11, 2}, 10, 200)}, 2).reshape({80, 44});
  const auto rows = [](const at::Tensor& t, std::int64_t a, std::int64_t b) {
    return at::cat({t.slice(0, 0, a), t.slice(0, 40, 40 + b)});
  };
  for (const auto& [first, second] : {std::pair{40, 17}, {0, 25}, {9, 0}})
    for (const auto& [most, soft] : {std::pair{100, 0}, {10, 0}, {100, 1}, {10, 1}}) {
      const Args args = {{"score_thresh", 0.05F},
                         {"nms", 0.5F},
                         {"detections_per_im", most},
                         {"soft_nms_enabled", soft},
                         {"soft_nms_min_score_thres", 0.05F}};
      const at::Tensor splits = tensor({2}, {static_cast<float>(first), static_cast<float>(second)});
      const Tensors all = run_on_gpu("BoxWithNMSLimit", {scores, boxes, splits}, in_slots(args), 6),
                    found = run_operator_outputs(
                        "BoxWithNMSLimit", {rows(scores, first, second), rows(boxes, first, second), splits},
                        args, 6);
      EXPECT_SHAPE(all[0], {2 * most});
      EXPECT_TENSOR_EQ(all[3], found[3]);
      const auto a = static_cast<std::int64_t>(found[3][0].item<float>()),
                 b = static_cast<std::int64_t>(found[3][1].item<float>());
      for (const size_t i : {0, 1, 2, 4})
        EXPECT_TENSOR_EQ(at::cat({all[i].slice(0, 0, a), all[i].slice(0, most, most + b)}), found[i]);
      EXPECT_TENSOR_EQ(all[5], found[5]);
      // Numbered, empty ones are of no image.
      const at::Tensor numbered = run_on_gpu("caffe2rt.NumberRegions", {all[1], all[3]}, in_slots({}), 1)[0];
      EXPECT_TENSOR_EQ(filled(numbered).slice(1, 1), found[1]);
      EXPECT_EQ((numbered.select(1, 0) == -1).sum().item<std::int64_t>(), 2 * most - a - b);
    }
}

bool can_be_recorded(const OperatorDef& def) {
  const OperatorArgs args(def, c10::DeviceType::CPU);
  const Schema& schema = *find_schema(def.type);
  const auto op = schema.make(args);
  return place_operator(schema, *op, args, {}).op->can_be_recorded();
}

// A whole net as a GPU runs it, on the host's tensors.
Blobs run_net_on_gpu(const NetDef& net, const Blobs& weights, const Blobs& feeds, bool slots) {
  const c10::InferenceMode no_gradients;
  Graph graph = build_graph(net, weights);
  run_passes(graph, rearranging_passes());
  if (slots) run_passes(graph, gpu_passes());
  EXPECT_EQ(graph.slots.empty(), !slots);
  std::map<ValueId, at::Tensor> values(graph.constants.begin(), graph.constants.end());
  for (const ValueId id : graph.inputs) values[id] = feeds.at(graph.values[id].blob);
  for (const Node& node : graph.nodes) {
    // So that a GPU records the whole run.
    EXPECT_TRUE(!slots || can_be_recorded(node.def)) << node.place();
    Tensors in;
    for (const ValueId id : node.inputs) in.push_back(values.at(id));
    const Tensors out = run_on_gpu(node.def, in, node.outputs.size());
    for (size_t i = 0; i < out.size(); i++) values[node.outputs[i]] = out[i];
  }
  Blobs results;
  for (const ValueId id : graph.outputs) {
    const auto found = graph.slots.find(id);
    results[graph.values[id].blob] =
        found == graph.slots.end() ? values.at(id) : filled_slots(values.at(id), values.at(found->second));
  }
  return results;
}

// Noise has detections where the least score is low. `with`: what else runs the net.
void expect_same(const std::string& folder, std::int64_t images,
                 const std::function<Blobs(const NetDef&, const Blobs&, const Blobs&)>& with) {
  NetDef net = read_net(folder + "/model.pb");
  for (OperatorDef& op : net.ops)
    for (Argument& arg : op.args)
      if (arg.name == "score_thresh") arg.f = 0.002F;
  std::erase_if(net.args, [](const Argument& arg) { return arg.name.starts_with("combine_"); });
  net.args.push_back({.name = "combine_instances_confidence_threshold", .f = 0.002F});
  net.args.push_back({.name = "combine_stuff_area_limit", .i = 50});
  const auto decoder = make_decoder(net);
  for (const OperatorDef& op : decoder->operators_for_gpu()) {
    net.ops.push_back(op);
    net.external_outputs.insert(net.external_outputs.end(), op.outputs.begin(), op.outputs.end());
  }
  net.external_inputs.emplace_back(kImageSizesBlob);
  net.external_inputs.emplace_back(kDetectionLimitsBlob);
  const Blobs weights = read_weights(folder + "/model_init.pb");
  at::Tensor data = random({images, 3, 96, 160}), info = at::zeros({images, 3});
  std::mt19937 generator(images);
  std::generate_n(data.data_ptr<float>(), data.numel(),
                  [&] { return static_cast<float>(generator() % 256); });
  at::Tensor sizes = at::zeros({images, 4});
  for (std::int64_t n = 0; n < images; n++) {
    info[n] = tensor({3}, {96, 160, 1});
    sizes[n] = tensor({4}, {96, 160, 48, 100});
  }
  const Blobs feeds = {{"data", data},
                       {"im_info", info},
                       {kImageSizesBlob, sizes},
                       {kDetectionLimitsBlob, tensor_of(DetectOptions())}};
  const Blobs expected = with(net, weights, feeds),
              actual = run_net_on_gpu(net, weights, feeds, /*slots=*/true);
  ASSERT_EQ(actual.size(), expected.size());
  for (const auto& [name, blob] : expected) {
    SCOPED_TRACE(name);
    EXPECT_GT(blob.numel(), 0);
    if (name == "caffe2rt.panoptic_things") {
      EXPECT_GT(blob.max().item<int>(), 1) << "too few to merge";
    }
    EXPECT_TENSOR_NEAR(actual.at(name), blob, 2e-2);
  }
}

TEST(Slots, AWholeNetFindsWhatTheCpuFinds) {
  const auto on_cpu = [](const NetDef& net, const Blobs& weights, const Blobs& feeds) {
    Workspace workspace;
    return CompiledNet::compile(net, weights).run(feeds, workspace);
  };
  for (const std::int64_t images : {1, 2}) expect_same(CAFFE2RT_DEMO_MODEL, images, on_cpu);
}

// Their weights are such that a rounding may decide between two detections: nothing else is to differ.
TEST(Slots, RecordedNetsFindTheSameWithAndWithout) {
  const std::filesystem::path shared = CAFFE2RT_SHARED;
  if (!std::filesystem::exists(shared)) GTEST_SKIP() << "no recorded nets in " << shared;
  const auto without = [](const NetDef& net, const Blobs& weights, const Blobs& feeds) {
    return run_net_on_gpu(net, weights, feeds, /*slots=*/false);
  };
  for (const char* name :
       {"models/d2go_faster_rcnn", "golden/faster_rcnn_agnostic", "golden/faster_rcnn_fpn",
        "golden/faster_rcnn_x101", "golden/keypoint_rcnn_fpn", "golden/mask_rcnn_c4", "golden/mask_rcnn_dc5",
        "golden/mask_rcnn_fpn", "golden/mask_rcnn_gn", "golden/panoptic_fpn",
        "golden/keypoint_rcnn_fpn_maxop", "golden/rotated_faster_rcnn_c4"}) {
    SCOPED_TRACE(name);
    expect_same(shared / name, 1, without);
  }
}

}  // namespace
}  // namespace caffe2rt
