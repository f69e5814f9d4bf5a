// All passes together change no result: nets in which one of them has its edges.
#include "graph/passes/passes.h"

#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

struct Case {
  std::string name, net;
  Blobs weights, feeds;
};

std::string arg(const char* name, int value) {
  return fmt::format(R"( arg {{ name: "{}" i: {} }})", name, value);
}
std::string number(const char* name, float value) {
  return fmt::format(R"( arg {{ name: "{}" f: {} }})", name, value);
}
std::string ints(const char* name, const std::vector<int>& values) {
  return fmt::format(R"( arg {{ name: "{}" ints: {} }})", name, fmt::join(values, " ints: "));
}
// type(inputs, ...) -> outputs, names with blanks between them.
std::string op(const std::string& type, const std::string& inputs, const std::string& outputs,
               const std::string& args = "") {
  const auto each = [](const char* field, const std::string& names) {
    std::string all;
    std::istringstream in(names);
    for (std::string name; in >> name;) all += fmt::format(R"( {}: "{}")", field, name);
    return all;
  };
  return fmt::format("op {{ type: \"{}\"{}{}{} }}\n", type, each("input", inputs), each("output", outputs),
                     args);
}
std::string inputs(const std::string& names) {
  std::string all;
  std::istringstream in(names);
  for (std::string name; in >> name;) all += fmt::format("external_input: \"{}\"\n", name);
  return all;
}
const std::string kResult = "external_output: \"y\"\n";

at::Tensor with_nan(at::Tensor x) {
  x.view(-1)[7] = std::numeric_limits<float>::quiet_NaN();
  return x;
}

const at::Tensor regions = tensor({3, 5}, {0, 0, 0, 5, 4, 0, 1, 1, 3, 5, 0, 2, 0, 5, 5});
// What makes `rois` of up to a thousand regions, for pool_later.
const std::string proposals =
    op("GenerateProposals", "scores deltas im_info anchors", "rois probs",
       arg("post_nms_topN", 1000) + number("min_size", 0) + number("nms_thresh", 1));
const Blobs proposal_feeds = {{"scores", random({1, 1, 4, 4})},
                              {"deltas", random({1, 4, 4, 4})},
                              {"im_info", tensor({1, 3}, {40, 40, 1})},
                              {"anchors", tensor({1, 4}, {-8, -8, 8, 8})}};

Blobs join(Blobs a, const Blobs& b) {
  a.insert(b.begin(), b.end());
  return a;
}

std::vector<Case> cases() {
  const std::string column = op("Slice", "columns", "one", ints("starts", {0, 1}) + ints("ends", {-1, 2})) +
                             op("Squeeze", "one", "b", ints("dims", {1}));
  const std::string bins = arg("pooled_h", 7) + arg("pooled_w", 7) + number("spatial_scale", 0.1F);
  return {
      {"a bias that is a column of a matrix, of a product",
       inputs("x columns") + column + op("Conv", "x w b", "y", arg("kernel", 1)) + kResult,
       {{"w", random({8, 6, 1, 1})}},
       {{"x", random({1, 6, 5, 7})}, {"columns", random({8, 3})}}},
      {"and of Winograd's convolution",
       inputs("x columns") + column + op("Conv", "x w b", "y", arg("kernel", 3) + arg("pad", 1)) + kResult,
       {{"w", random({16, 16, 3, 3})}},
       {{"x", random({1, 16, 9, 9})}, {"columns", random({16, 3})}}},
      {"and of a fully connected layer",
       inputs("x columns") + column + op("FC", "x w b", "y") + kResult,
       {{"w", random({8, 6})}},
       {{"x", random({4, 6})}, {"columns", random({8, 3})}}},
      {"RoIPool whose second output nothing reads",
       inputs("x rois") +
           op("RoIPool", "x rois", "y unread", arg("pooled_h", 2) + arg("pooled_w", 2) + arg("is_test", 0)) +
           kResult,
       {},
       {{"x", random({1, 4, 6, 6})}, {"rois", regions}}},
      {"two pooled maps whose convolutions are added",
       inputs("x z scores deltas im_info anchors") + proposals + op("RoIAlign", "x rois", "p", bins) +
           op("RoIAlign", "z rois", "q", bins) + op("Conv", "p w b", "c", arg("kernel", 1)) +
           op("Conv", "q v b", "d", arg("kernel", 1)) + op("Sum", "c d", "y") + kResult,
       {{"w", random({8, 8, 1, 1})}, {"v", random({8, 8, 1, 1})}, {"b", random({8})}},
       join({{"x", random({1, 8, 4, 4})}, {"z", random({1, 8, 4, 4})}}, proposal_feeds)},
      {"one filter read in groups and without",
       inputs("x z") + op("Conv", "x w", "a", arg("kernel", 3)) +
           op("Conv", "z w", "c", arg("kernel", 3) + arg("group", 2)) + op("Sum", "a c", "y") + kResult,
       {{"w", random({32, 32, 3, 3})}},
       {{"x", random({1, 32, 8, 8})}, {"z", random({1, 64, 8, 8})}}},
      {"bins written as floats",
       inputs("x rois") + op("RoIAlign", "x rois", "p", number("pooled_h", 3) + number("pooled_w", 3)) +
           op("Flatten", "p", "f") + op("FC", "f w b", "y") + kResult,
       {{"w", random({4, 5 * 9})}, {"b", random({4})}},
       {{"x", random({1, 5, 6, 6})}, {"rois", regions}}},
      {"an epsilon written as an integer",
       inputs("x") + op("Conv", "x w", "c", arg("kernel", 1)) +
           op("SpatialBN", "c s t m v", "y", arg("epsilon", 1) + arg("is_test", 1)) + kResult,
       {{"w", random({4, 5, 1, 1})},
        {"s", random({4})},
        {"t", random({4})},
        {"m", random({4})},
        {"v", random({4}).abs()}},
       {{"x", random({1, 5, 6, 6})}}},
      {"padding that cuts pixels off, in groups",
       inputs("x") +
           op("Conv", "x w", "y", arg("kernel", 3) + arg("group", 2) + ints("pads", {-1, -1, -1, -1})) +
           kResult,
       {{"w", random({8, 4, 3, 3})}},
       {{"x", random({1, 8, 9, 9})}}},
      {"what is not a number, with a relu",
       inputs("x") + op("Conv", "x w", "c", arg("kernel", 3) + arg("pad", 1) + arg("group", 4)) +
           op("Relu", "c", "y") + kResult,
       {{"w", random({8, 2, 3, 3})}},
       {{"x", with_nan(random({1, 8, 6, 6}))}}},
      {"and in a sum",
       inputs("x r") + op("Conv", "x w", "c", arg("kernel", 3) + arg("pad", 1) + arg("group", 4)) +
           op("Add", "c r", "s") + op("Relu", "s", "y") + kResult,
       {{"w", random({8, 2, 3, 3})}},
       {{"x", with_nan(random({1, 8, 6, 6}))}, {"r", random({1, 8, 6, 6})}}},
  };
}

class AllPasses : public testing::TestWithParam<size_t> {};

TEST_P(AllPasses, GiveTheSame) {
  const Case given = cases()[GetParam()];
  SCOPED_TRACE(given.name);
  const NetDef net = parse_net_text(given.net);
  CompileOptions plain;
  plain.without_passes = parse_passes({"all"});
  Workspace workspace, other;
  const at::Tensor y = CompiledNet::compile(net, given.weights).run(given.feeds, workspace).at("y"),
                   expected = CompiledNet::compile(net, given.weights, plain).run(given.feeds, other).at("y");
  EXPECT_TENSOR_NEAR(y, expected, 1e-3);  // Winograd's way rounds more coarsely
}

INSTANTIATE_TEST_SUITE_P(, AllPasses, testing::Range(size_t{0}, cases().size()));

TEST(Passes, ASumStaysOneOfEqualShapes) {
  const std::string conv = op("Conv", "x w", "c", arg("kernel", 1));
  const NetDef small = parse_net_text(inputs("x r") + conv + op("Sum", "c r", "y") + kResult),
               odd = parse_net_text(
                   inputs("x r") + conv +
                   op("ResizeNearest", "r", "u", number("width_scale", 2) + number("height_scale", 2)) +
                   op("Sum", "c u", "y") + kResult);
  const Blobs weights = {{"w", random({8, 4, 1, 1})}};
  Workspace workspace;
  EXPECT_ERROR(CompiledNet::compile(small, weights)
                   .run({{"x", random({2, 4, 4, 4})}, {"r", random({1, 8, 1, 1})}}, workspace),
               ErrorCode::kShape, "expected (2,8,4,4), got (1,8,1,1)");
  EXPECT_ERROR(CompiledNet::compile(odd, weights)
                   .run({{"x", random({2, 4, 11, 14})}, {"r", random({2, 8, 5, 7})}}, workspace),
               ErrorCode::kShape, "odd");
}

// The layers that Winograd's way took count, too.
TEST(Passes, ACalibrationFitsItsNetWhateverBecomesOfTheLayers) {
  const NetDef net = parse_net_text(
      inputs("x") + op("Conv", "x w b", "a", arg("kernel", 3)) + op("Conv", "a v b", "c", arg("kernel", 3)) +
      op("AveragePool", "c", "p", arg("global_pooling", 1)) + op("FC", "p u e", "y") + kResult);
  const Blobs weights = {{"w", random({256, 256, 3, 3})},
                         {"v", random({256, 256, 3, 3})},
                         {"b", random({256})},
                         {"u", random({8, 256})},
                         {"e", random({8})}};
  CompileOptions options;
  options.precision = Precision::kInt8;
  options.calibration = Calibration{{{"x", {0, 1}}, {"a", {-9, 9}}, {"p", {-9, 9}}}};
  EXPECT_NO_THROW(CompiledNet::compile(net, weights, options));
  options.calibration = Calibration{{{"of another", {0, 1}}}};
  EXPECT_ERROR(CompiledNet::compile(net, weights, options), ErrorCode::kGraph, "another net's");
}

}  // namespace
}  // namespace caffe2rt
