// What stays behind in the process: nothing before a model is wanted, nothing that grows after it was let go.
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "gst_test.h"

namespace caffe2rt::gst {
namespace {

std::string maps() {
  std::ifstream file("/proc/self/maps");
  return {std::istreambuf_iterator<char>(file), {}};
}

size_t resident_bytes() {
  size_t total = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return resident * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

ptrdiff_t threads() { return std::distance(std::filesystem::directory_iterator("/proc/self/task"), {}); }

// Runs a pipeline to its end, from NULL and back.
void cycle(GstElement* pipeline) {
  ASSERT_NE(gst_element_set_state(pipeline, GST_STATE_PLAYING), GST_STATE_CHANGE_FAILURE);
  const Owned<GstBus> bus(gst_element_get_bus(pipeline));
  GstMessage* message = gst_bus_timed_pop_filtered(
      bus.get(), 20 * GST_SECOND, static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR));
  ASSERT_TRUE(message);
  EXPECT_EQ(GST_MESSAGE_TYPE(message), GST_MESSAGE_EOS);
  gst_message_unref(message);
  ASSERT_EQ(gst_element_set_state(pipeline, GST_STATE_NULL), GST_STATE_CHANGE_SUCCESS);
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
  for (int i = 0; i < 100; i++) cycle(pipeline.get());
  const size_t bytes = resident_bytes();
  const ptrdiff_t count = threads();
  for (int i = 100; i < 1000; i++) cycle(pipeline.get());
  EXPECT_LT(resident_bytes(), bytes + 5 * 1024 * 1024);
  EXPECT_LE(threads(), count + 4);  // GLib's pools keep a few
}

TEST(Lifecycle, LoadingLeavesNoThread) {
  const ptrdiff_t before = threads();
  for (int i = 0; i < 10; i++) {
    const Owned<GstElement> element(gst_parse_launch(kInference, nullptr));
    EXPECT_NE(gst_element_set_state(element.get(), GST_STATE_READY), GST_STATE_CHANGE_FAILURE);
  }
  EXPECT_EQ(threads(), before);
}

}  // namespace
}  // namespace caffe2rt::gst
