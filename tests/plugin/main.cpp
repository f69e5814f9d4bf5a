// Tests of the elements: GStreamer finds the plugin of this build alone besides the system's, in a registry
// of its own, and the plugin finds the engine of fake_engine.cpp, unless a test says otherwise.
#include <gst/gst.h>
#include <gtest/gtest.h>

#include <cstdlib>

namespace {

class GStreamer final : public testing::Environment {
 public:
  void SetUp() override {
    setenv("GST_PLUGIN_PATH", CAFFE2RT_PLUGIN_PATH, 1);
    setenv("GST_REGISTRY", CAFFE2RT_REGISTRY, 1);
    setenv("CAFFE2RT_LIBRARY", CAFFE2RT_FAKE_ENGINE, 0);
    gst_init(nullptr, nullptr);
  }
};

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  testing::AddGlobalTestEnvironment(new GStreamer);
  return RUN_ALL_TESTS();
}
