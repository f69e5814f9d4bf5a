// With CAFFE2RT_TEST_DEVICE=cuda in the environment operators are tested on that device (operator_test.h).
#include <gtest/gtest.h>

#include "testing/operator_test.h"

namespace {

class Device final : public testing::Environment {
 public:
  void SetUp() override {
    try {
      caffe2rt::test_device();
    } catch (const caffe2rt::Error& e) {
      GTEST_SKIP() << e.what();
    }
  }
};

}  // namespace

int main(int argc, char** argv) {
  testing::AddGlobalTestEnvironment(new Device);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
