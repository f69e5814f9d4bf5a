// The C API beyond boxes, on metadata made by hand.
#include "gst_test.h"
#include "meta.h"

namespace caffe2rt::gst {
namespace {

Buffer carrying(Detections detections, const Affine& map = {}, int width = 4, int height = 2) {
  Buffer buffer(gst_buffer_new());
  attach(buffer.get(), {std::make_shared<const Detections>(std::move(detections)), GST_CAFFE2_LOOK_INFERRED,
                        map, width, height});
  return buffer;
}

template <class T>
std::vector<T> values(GBytes* bytes) {
  const Owned<GBytes> owned(bytes);
  if (!bytes) return {};
  gsize size = 0;
  const auto* data = static_cast<const T*>(g_bytes_get_data(bytes, &size));
  return {data, data + size / sizeof(T)};
}

TEST(MetaApi, HasNothingWhereTheModelGaveNothing) {
  const Buffer buffer = carrying({});
  const GstCaffe2Meta* meta = gst_buffer_get_caffe2_meta(buffer.get());
  GstCaffe2Object object;
  GstCaffe2Segment segment;
  GstCaffe2Tensor tensor;
  GstVideoRectangle rect;
  int class_id = 0;
  double score = 0;
  EXPECT_EQ(gst_caffe2_meta_get_n_objects(meta), 0U);
  EXPECT_FALSE(gst_caffe2_meta_get_object(meta, 0, &object));
  EXPECT_FALSE(gst_caffe2_meta_get_mask(meta, 0, 0.5, &rect));
  EXPECT_FALSE(gst_caffe2_meta_get_semantic_map(meta));
  EXPECT_FALSE(gst_caffe2_meta_get_panoptic_map(meta));
  EXPECT_FALSE(gst_caffe2_meta_get_segment(meta, 0, &segment));
  EXPECT_FALSE(gst_caffe2_meta_get_class(meta, 0, &class_id, &score));
  EXPECT_FALSE(gst_caffe2_meta_get_tensor(meta, 0, &tensor));
}

TEST(MetaApi, GivesRotatedBoxes) {
  Detections d;
  d.objects = {{{0, 0, 4, 4}, RotatedBox{2, 2, 3, 1, 30}, 0.5F, 1, {}}};
  const Buffer buffer = carrying(d, Affine::scale(2, 2));
  double cx = 0, cy = 0, width = 0, height = 0, angle = 0;
  ASSERT_TRUE(gst_caffe2_meta_get_rotated_box(gst_buffer_get_caffe2_meta(buffer.get()), 0, &cx, &cy, &width,
                                              &height, &angle));
  EXPECT_NEAR(cx, 4, 1e-5);
  EXPECT_NEAR(width, 6, 1e-5);
  EXPECT_NEAR(height, 2, 1e-5);
  EXPECT_NEAR(angle, 30, 1e-4);
}

TEST(MetaApi, GivesMapsInTheSizeOfTheFrameNow) {
  Detections d;
  d.width = 2;
  d.height = 1;
  d.semantic = LabelMap{2, 1, {3, 4}};
  d.panoptic = LabelMap{2, 1, {1, 2}};
  d.segments = {{1, true, 17, 0, 0.75F, 0}, {2, false, 4, -1, 0, 1}};
  const Buffer buffer = carrying(d, Affine::scale(2, 2), 4, 2);
  const GstCaffe2Meta* meta = gst_buffer_get_caffe2_meta(buffer.get());
  EXPECT_EQ(values<gint32>(gst_caffe2_meta_get_semantic_map(meta)),
            (std::vector<gint32>{3, 3, 4, 4, 3, 3, 4, 4}));
  EXPECT_EQ(values<gint32>(gst_caffe2_meta_get_panoptic_map(meta)),
            (std::vector<gint32>{1, 1, 2, 2, 1, 1, 2, 2}));
  ASSERT_EQ(gst_caffe2_meta_get_n_segments(meta), 2U);
  GstCaffe2Segment thing, stuff;
  ASSERT_TRUE(gst_caffe2_meta_get_segment(meta, 0, &thing));
  ASSERT_TRUE(gst_caffe2_meta_get_segment(meta, 1, &stuff));
  EXPECT_TRUE(thing.is_thing);
  EXPECT_EQ(thing.category_id, 17);
  EXPECT_EQ(thing.score, 0.75);
  EXPECT_FALSE(stuff.is_thing);
  EXPECT_EQ(stuff.object, -1);
}

TEST(MetaApi, GivesClassesAndTensors) {
  Detections d;
  d.classes = {{7, 0.5F}, {3, 0.25F}};
  d.raw = {{"prob", {1, 2}, {0.25F, 0.5F}}};
  const Buffer buffer = carrying(d);
  const GstCaffe2Meta* meta = gst_buffer_get_caffe2_meta(buffer.get());
  int class_id = 0;
  double score = 0;
  EXPECT_EQ(gst_caffe2_meta_get_n_classes(meta), 2U);
  ASSERT_TRUE(gst_caffe2_meta_get_class(meta, 1, &class_id, &score));
  EXPECT_EQ(class_id, 3);
  EXPECT_EQ(score, 0.25);
  GstCaffe2Tensor tensor;
  ASSERT_TRUE(gst_caffe2_meta_get_tensor(meta, 0, &tensor));
  EXPECT_STREQ(tensor.name, "prob");
  ASSERT_EQ(tensor.n_dims, 2U);
  EXPECT_EQ(tensor.shape[1], 2);
  ASSERT_EQ(tensor.n_values, 2U);
  EXPECT_EQ(tensor.values[1], 0.5F);
}

TEST(MetaApi, IsTaggedAsMetadataThatDependsOnSizeAndOrientation) {
  for (const char* tag :
       {GST_META_TAG_VIDEO_STR, GST_META_TAG_VIDEO_SIZE_STR, GST_META_TAG_VIDEO_ORIENTATION_STR})
    EXPECT_TRUE(gst_meta_api_type_has_tag(GST_CAFFE2_META_API_TYPE, g_quark_from_string(tag))) << tag;
}

TEST(MetaApi, KnowsTheMetadataOfSeveralModels) {
  const Buffer buffer = carrying({});
  Detections second;
  second.classes = {{1, 1}};
  attach(buffer.get(), {std::make_shared<const Detections>(second), GST_CAFFE2_LOOK_INFERRED, {}, 4, 2});
  EXPECT_EQ(gst_buffer_get_n_meta(buffer.get(), GST_CAFFE2_META_API_TYPE), 2U);
  EXPECT_EQ(gst_caffe2_meta_get_n_classes(gst_buffer_get_caffe2_meta(buffer.get())), 0U);
}

}  // namespace
}  // namespace caffe2rt::gst
