#include "runtime/infer_shapes.h"

#include "testing/nets.h"
#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

// Shape of each blob of a net, printed.
std::map<std::string, std::string> shapes_of(const NetDef& def, const Blobs& weights) {
  const Graph graph = build_graph(def, weights, {.feeds = {"x"}});
  std::vector<std::unique_ptr<Operator>> owners;
  std::vector<const Operator*> ops;
  for (const Node& node : graph.nodes) {
    owners.push_back(find_schema(node.def.type)->make(OperatorArgs(node.def, c10::DeviceType::CPU)));
    ops.push_back(owners.back().get());
  }
  const auto shapes = infer_shapes(graph, ops);
  std::map<std::string, std::string> printed;
  for (size_t i = 0; i < shapes.size(); i++) printed[graph.values[i].blob] = to_string(shapes[i]);
  return printed;
}

TEST(InferShapes, FollowsConstantsThroughTheNet) {
  const auto shapes = shapes_of(net({op("Transpose", {"w"}, {"t"}), op("Concat", {"t", "t"}, {"y", "info"})}),
                                {{"w", tensor({2, 3}, {1, 2, 3, 4, 5, 6})}});
  EXPECT_EQ(shapes.at("t"), "(3,2)");
  EXPECT_EQ(shapes.at("y"), "(3,4)");
  EXPECT_EQ(shapes.at("info"), "(2)");
}

TEST(InferShapes, LeavesWhatIsFedUnknown) {
  const auto shapes = shapes_of(net({op("Relu", {"x"}, {"y"})}, {"x"}), {});
  EXPECT_EQ(shapes.at("y"), "(?)...");
}

TEST(InferShapes, RefusesShapesThatCannotFitWithTheirPlace) {
  const Blobs weights = {{"w", tensor({2}, {1, 2})}, {"v", tensor({3}, {1, 2, 3})}};
  EXPECT_ERROR(shapes_of(net({op("Relu", {"w"}, {"r"}), op("Add", {"r", "v"}, {"y"})}), weights),
               ErrorCode::kShape, "operator 1 'Add' (output 'y'): (2) and (3) cannot be broadcast together");
}

TEST(InferShapes, RefusesAWeightOfAnotherType) {
  EXPECT_ERROR(shapes_of(net({op("Relu", {"w"}, {"y"})}), {{"w", int32_tensor({1}, {1})}}), ErrorCode::kType,
               "operator 0 'Relu' (output 'y'): input 0 'X' (blob 'w'): unexpected element type Int");
}

// A weight off the CPU that was rounded to the net's precision still counts as float32.
TEST(InferShapes, TakesWeightsThatADeviceKeepsInLowPrecision) {
  const auto w = tensor({2}, {1, 2}).to(at::kHalf);
  EXPECT_EQ(shapes_of(net({op("Relu", {"w"}, {"y"})}), {{"w", w.to(c10::DeviceType::Meta)}}).at("y"), "(2)");
  EXPECT_ERROR(shapes_of(net({op("Relu", {"w"}, {"y"})}), {{"w", w}}), ErrorCode::kType,
               "unexpected element type Half");
}

}  // namespace
}  // namespace caffe2rt
