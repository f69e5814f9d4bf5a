// What stays behind in the process: nothing before a model is wanted, nothing that grows after it was let go.
#include <fstream>
#include <iterator>

#include "gst_test.h"
#include "process.h"

namespace caffe2rt::gst {
namespace {

std::string maps() {
  std::ifstream file("/proc/self/maps");
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(Lifecycle, ThePluginComesWithoutTheEngine) {
  const Owned<GstElement> inference(gst_element_factory_make("caffe2inference", nullptr));
  const Owned<GstElement> overlay(gst_element_factory_make("caffe2overlay", nullptr));
  ASSERT_TRUE(inference);
  ASSERT_TRUE(overlay);
  EXPECT_NE(maps().find("libgstcaffe2"), std::string::npos);
  EXPECT_EQ(maps().find("libtorch"), std::string::npos);
  EXPECT_EQ(maps().find("libcaffe2rt.so"), std::string::npos);
}

TEST(Lifecycle, AThousandCyclesLeaveNothing) {
  const Owned<GstElement> pipeline(gst_parse_launch(
      "videotestsrc num-buffers=2 ! video/x-raw,format=NV12,width=64,height=48 ! caffe2inference "
      "predict-net=fake init-net=fake ! videoconvert ! videoscale ! caffe2overlay ! fakesink",
      nullptr));
  expect_no_growth(pipeline.get(), 1000);
}

TEST(Lifecycle, LoadingLeavesNoThread) {
  const ptrdiff_t before = settled_threads(0);
  for (int i = 0; i < 10; i++) {
    const Owned<GstElement> element(gst_parse_launch(kInference, nullptr));
    EXPECT_NE(gst_element_set_state(element.get(), GST_STATE_READY), GST_STATE_CHANGE_FAILURE);
  }
  EXPECT_LE(settled_threads(before), before);
}

}  // namespace
}  // namespace caffe2rt::gst
