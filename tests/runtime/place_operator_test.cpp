#include "runtime/place_operator.h"

#include "runtime/cuda_operator.h"
#include "testing/nets.h"
#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

const c10::Device kGpu{c10::DeviceType::CUDA, 0};

PlacedOperator place(const std::string& type, const std::set<std::string>& on_host = {}) {
  const OperatorDef def = op(type, {"x", "w"}, {"y"});
  const Schema& schema = *find_schema(type);
  const OperatorArgs args(def, kGpu);
  // Outlived by nothing: these are not run.
  const auto host = schema.make(args);
  return place_operator(schema, *host, args, on_host);
}

TEST(PlaceOperator, RunsOnTheDeviceWhatAtenAloneComputes) { EXPECT_FALSE(place("Add").on_host); }

TEST(PlaceOperator, LeavesTheRestToTheHost) {
  EXPECT_EQ(find_cuda_operator("Gather"), nullptr);
  const PlacedOperator placed = place("Gather");
  EXPECT_TRUE(placed.on_host);
  EXPECT_NE(placed.op, nullptr);
}

TEST(PlaceOperator, LeavesToTheHostWhatIsAskedFor) {
  EXPECT_TRUE(place("Add", {"Add"}).on_host);
  EXPECT_TRUE(place("Add", {"all"}).on_host);
  EXPECT_FALSE(place("Add", {"Sub"}).on_host);
}

TEST(PlaceOperator, SaysWhetherAGpuCanRecordIt) {
  EXPECT_TRUE(place("Add").op->can_be_recorded());
  EXPECT_FALSE(place("Add", {"Add"}).op->can_be_recorded());  // on the host
  EXPECT_FALSE(place("Gather").op->can_be_recorded());
  EXPECT_FALSE(place("Reshape").op->can_be_recorded());  // reads its shape on the host
}

TEST(ToHost, LeavesTensorsOfTheHostAlone) {
  const at::Tensor x = tensor({2}, {1, 2});
  EXPECT_EQ(to_host(x).const_data_ptr(), x.const_data_ptr());
}

TEST(ToHost, WidensLowPrecision) {
  EXPECT_TENSOR_EQ(to_host(tensor({2}, {1, 2}).to(at::kHalf)), tensor({2}, {1, 2}));
}

}  // namespace
}  // namespace caffe2rt
