// GstCaffe2Meta on its way to another process, where GStreamer serialises metadata (1.24).
#include <glib/gstdio.h>

#include "gst_test.h"
#include "meta.h"

#if GST_CHECK_VERSION(1, 24, 0)

namespace caffe2rt::gst {
namespace {

std::vector<guint8> serialized(const GstCaffe2Meta* meta) {
  GByteArray* array = g_byte_array_new();
  EXPECT_TRUE(gst_meta_serialize_simple(reinterpret_cast<const GstMeta*>(meta), array));
  const std::vector<guint8> bytes(array->data, array->data + array->len);
  g_byte_array_unref(array);
  return bytes;
}

const GstCaffe2Meta* deserialize(GstBuffer* to, const std::vector<guint8>& bytes) {
  guint32 consumed = 0;
  return reinterpret_cast<const GstCaffe2Meta*>(
      gst_meta_deserialize(to, bytes.data(), bytes.size(), &consumed));
}

TEST(Serialize, TheMetadataIsReadAsItWasWritten) {
  const std::string caps = video("BGR", 160, 80);
  const Harness h =
      harness(std::string(kInference) +
                  " drop-policy=block ! videoscale ! capsfilter caps=video/x-raw,width=80,height=40",
              caps);
  const Buffer out = push_and_pull(h.get(), flat_frame(caps, 7));
  const GstCaffe2Meta* meta = gst_buffer_get_caffe2_meta(out.get());
  ASSERT_TRUE(meta);
  const Buffer there(gst_buffer_new());
  const GstCaffe2Meta* copy = deserialize(there.get(), serialized(meta));
  ASSERT_TRUE(copy);
  EXPECT_EQ(gst_caffe2_meta_get_n_objects(copy), 2U);
  EXPECT_TRUE(gst_caffe2_meta_get_inferred(copy));
  GstCaffe2Object before, after;
  ASSERT_TRUE(gst_caffe2_meta_get_object(meta, 0, &before));
  ASSERT_TRUE(gst_caffe2_meta_get_object(copy, 0, &after));
  EXPECT_EQ(after.x2, before.x2);
  EXPECT_EQ(after.x2, 40);
  EXPECT_EQ(after.n_keypoints, before.n_keypoints);
  EXPECT_STREQ(Owned<gchar>(gst_caffe2_meta_dup_label(copy, 2)).get(), "car");
  GstVideoRectangle rect;
  EXPECT_TRUE(Owned<GBytes>(gst_caffe2_meta_get_mask(copy, 0, 0.5, &rect)));
  EXPECT_EQ(serialized(copy), serialized(meta));
}

TEST(Serialize, BrokenBytesAreNoMetadata) {
  const Buffer from(gst_buffer_new()), to(gst_buffer_new());
  SeenFrame seen{std::make_shared<const Detections>(), GST_CAFFE2_LOOK_OVERRUN, {}, 0, 0};
  const auto bytes = serialized(attach(from.get(), std::move(seen)));
  ASSERT_TRUE(deserialize(to.get(), bytes));
  EXPECT_EQ(gst_caffe2_meta_get_look(gst_buffer_get_caffe2_meta(to.get())), GST_CAFFE2_LOOK_OVERRUN);
  for (size_t i = 0; i < bytes.size(); i++) {
    auto changed = bytes;
    changed[i] ^= 0x55;
    const Buffer other(gst_buffer_new());
    deserialize(other.get(), changed);  // whatever comes of it
  }
}

TEST(Serialize, CrossesToWhoeverReadsASocket) {
  gchar* directory = g_dir_make_tmp("caffe2-XXXXXX", nullptr);
  const std::string socket = std::string(directory) + "/s";
  const Owned<GstElement> sender(gst_parse_launch(
      ("videotestsrc num-buffers=3 ! video/x-raw,format=BGR,width=64,height=48 ! " + std::string(kInference) +
       " drop-policy=block ! unixfdsink wait-for-connection=true socket-path=" + socket)
          .c_str(),
      nullptr));
  const Owned<GstElement> receiver(gst_parse_launch(
      ("unixfdsrc socket-path=" + socket + " ! appsink name=out sync=false").c_str(), nullptr));
  if (!sender || !receiver) GTEST_SKIP() << "no unixfd plugin";
  gst_element_set_state(sender.get(), GST_STATE_PLAYING);
  gst_element_set_state(receiver.get(), GST_STATE_PLAYING);
  GstElement* out = gst_bin_get_by_name(GST_BIN(receiver.get()), "out");
  GstSample* sample = nullptr;
  g_signal_emit_by_name(out, "try-pull-sample", 60 * GST_SECOND, &sample);
  gst_object_unref(out);
  ASSERT_TRUE(sample);
  const Owned<GstSample> owned(sample);
  const GstCaffe2Meta* meta = gst_buffer_get_caffe2_meta(gst_sample_get_buffer(sample));
  ASSERT_TRUE(meta);
  EXPECT_EQ(gst_caffe2_meta_get_n_objects(meta), 2U);
  g_remove(socket.c_str());
  g_rmdir(directory);
  g_free(directory);
}

}  // namespace
}  // namespace caffe2rt::gst

#endif
