// Frames in a GPU's memory, as far as that goes where no GPU is: what the element says that it takes, and
// frames whose memory is the host's although their caps say otherwise.
#include "gst_test.h"

namespace caffe2rt::gst {
namespace {

#ifdef CAFFE2RT_GSTCUDA
constexpr bool kBuiltWithGstCuda = true;
#else
constexpr bool kBuiltWithGstCuda = false;
#endif

const std::string kOnGpu = "video/x-raw(memory:CUDAMemory),format=GRAY8,width=8,height=8,framerate=30/1";

std::string inference(const std::string& device) {
  return "caffe2inference predict-net=fake init-net=fake drop-policy=block device=" + device;
}

bool accepts(const std::string& device, const std::string& caps) {
  const Owned<GstElement> element(gst_parse_launch(inference(device).c_str(), nullptr));
  const Owned<GstCaps> wanted(gst_caps_from_string(caps.c_str()));
  bool both = true;
  for (const char* name : {"sink", "src"}) {
    GstPad* pad = gst_element_get_static_pad(element.get(), name);
    both &= gst_pad_query_accept_caps(pad, wanted.get()) != FALSE;
    gst_object_unref(pad);
  }
  return both;
}

TEST(GpuMemory, IsTakenWhereTheModelMayRunOnAGpu) {
  for (const char* device : {"cuda", "cuda:1", "gpu", "auto", "cuda:0,cuda:1"})
    EXPECT_EQ(accepts(device, kOnGpu), kBuiltWithGstCuda) << device;
  EXPECT_FALSE(accepts("cpu", kOnGpu));
}

TEST(GpuMemory, OfTheHostIsTakenAlways) {
  for (const char* device : {"cpu", "cuda", "auto"}) EXPECT_TRUE(accepts(device, video("GRAY8", 8, 8)));
}

TEST(GpuMemory, GoesBeforeTheHosts) {
  if (!kBuiltWithGstCuda) GTEST_SKIP() << "built without GstCuda 1.24";
  const Owned<GstElement> element(gst_parse_launch(inference("cuda").c_str(), nullptr));
  GstPad* pad = gst_element_get_static_pad(element.get(), "sink");
  const Owned<GstCaps> caps(gst_pad_query_caps(pad, nullptr));
  gst_object_unref(pad);
  ASSERT_EQ(gst_caps_get_size(caps.get()), 2U);
  EXPECT_TRUE(gst_caps_features_contains(gst_caps_get_features(caps.get(), 0), "memory:CUDAMemory"));
  EXPECT_FALSE(gst_caps_features_contains(gst_caps_get_features(caps.get(), 1), "memory:CUDAMemory"));
}

TEST(GpuMemory, FramesThatAreNotThereAreReadOnTheHost) {
  if (!kBuiltWithGstCuda) GTEST_SKIP() << "built without GstCuda 1.24";
  const Harness h = harness(inference("cuda"), kOnGpu);
  EXPECT_EQ(objects_in(push_and_pull(h.get(), flat_frame(video("GRAY8", 8, 8), 1)).get()), 2U);
  const Owned<GstCaps> caps(gst_pad_get_current_caps(h->sinkpad));
  EXPECT_TRUE(gst_caps_features_contains(gst_caps_get_features(caps.get(), 0), "memory:CUDAMemory"));
}

}  // namespace
}  // namespace caffe2rt::gst
