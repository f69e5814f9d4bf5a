// Small nets written the way other people's are, and what the original Caffe2 computed with them, recorded by
// tests/oracle/wild.py.
#include "runtime/npz.h"
#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

NetDef parse(const at::Tensor& text) {
  return parse_net_text({static_cast<const char*>(text.const_data_ptr()), static_cast<size_t>(text.numel())});
}

void expect_recorded_outputs(const std::string& name) {
  const auto recorded = read_npz(CAFFE2RT_TEST_DATA "/wild/" + name + ".npz");
  const Blobs weights = run_init_net(parse(recorded.at("init_net")));
  const auto net = CompiledNet::compile(parse(recorded.at("predict_net")), weights);
  EXPECT_EQ(net.input_names(), std::vector<std::string>{"data"});
  Workspace workspace;
  const Blobs results = net.run({{"data", recorded.at("in/data")}}, workspace);
  size_t outputs = 0;
  for (const auto& [key, expected] : recorded) {
    if (!key.starts_with("out/")) continue;
    EXPECT_TENSOR_NEAR(results.at(key.substr(4)), expected, 1e-6);
    outputs++;
  }
  EXPECT_EQ(results.size(), outputs);
}

TEST(WildNets, LeNetComesOutAsInTheOriginal) { expect_recorded_outputs("lenet"); }

TEST(WildNets, CifarWithAPlaceholderAndNoNamedOutputsComesOutAsInTheOriginal) {
  expect_recorded_outputs("cifar");
}

TEST(WildNets, SqueezeNetComesOutAsInTheOriginal) { expect_recorded_outputs("squeezenet"); }

}  // namespace
}  // namespace caffe2rt
