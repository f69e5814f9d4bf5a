// Tests of the elements: GStreamer finds the plugin of this build alone besides the system's, in a registry
// of its own, and the plugin opens the engine that the build names.
#include <cstdlib>

#include "gst_test.h"

namespace {

class GStreamer final : public testing::Environment {
 public:
  void SetUp() override {
    setenv("GST_PLUGIN_PATH", CAFFE2RT_PLUGIN_PATH, 1);
    setenv("GST_REGISTRY", CAFFE2RT_REGISTRY, 1);
    setenv("CAFFE2RT_LIBRARY", CAFFE2RT_ENGINE, 1);
    // The scanner, another program, could not load a plugin that wants a sanitizer's runtime.
    if (caffe2rt::gst::kSanitized) setenv("GST_REGISTRY_FORK", "no", 1);
    gst_init(nullptr, nullptr);
  }
  void TearDown() override { gst_deinit(); }  // where the tracer of leaks says what it found
};

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  testing::AddGlobalTestEnvironment(new GStreamer);
  return RUN_ALL_TESTS();
}
