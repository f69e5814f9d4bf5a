// What pipelines leave behind in the process.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "gst_test.h"

namespace caffe2rt::gst {

inline size_t resident_bytes() {
  size_t total = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return resident * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

inline ptrdiff_t threads() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/task"), {});
}

// Threads of the process when those that GLib's pools keep have ended, and those that were joined: the kernel
// lists them a moment longer. Waits until there are no more than so many, or none has ended for a while.
inline ptrdiff_t settled_threads(ptrdiff_t most) {
  ptrdiff_t now = threads();
  for (int quiet = 0; now > most && quiet < 50; quiet++) {
    g_thread_pool_stop_unused_threads();
    g_usleep(10000);
    if (threads() < now) quiet = 0;
    now = threads();
  }
  return now;
}

// Runs a pipeline to its end, from NULL and back.
inline void cycle(GstElement* pipeline) {
  ASSERT_NE(gst_element_set_state(pipeline, GST_STATE_PLAYING), GST_STATE_CHANGE_FAILURE);
  const Owned<GstBus> bus(gst_element_get_bus(pipeline));
  GstMessage* message = gst_bus_timed_pop_filtered(
      bus.get(), 20 * GST_SECOND, static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR));
  ASSERT_TRUE(message);
  EXPECT_EQ(GST_MESSAGE_TYPE(message), GST_MESSAGE_EOS);
  gst_message_unref(message);
  ASSERT_EQ(gst_element_set_state(pipeline, GST_STATE_NULL), GST_STATE_CHANGE_SUCCESS);
}

// Cycles the pipeline that often: after the hundredth time, memory grows by less than 5 MiB, and threads do
// not.
inline void expect_no_growth(GstElement* pipeline, int times) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer keeps memory that was freed";
  for (int i = 0; i < 100 && !testing::Test::HasFailure(); i++) cycle(pipeline);
  const size_t bytes = resident_bytes();
  const ptrdiff_t count = threads();
  for (int i = 100; i < times && !testing::Test::HasFailure(); i++) cycle(pipeline);
  EXPECT_LT(resident_bytes(), bytes + 5 * 1024 * 1024);
  EXPECT_LE(threads(), count + 16);  // GLib's pools keep a few, more on a busy machine
}

}  // namespace caffe2rt::gst
