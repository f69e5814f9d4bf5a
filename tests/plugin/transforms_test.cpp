// What becomes of the metadata in other people's elements: right coordinates, or none.
#include "gst_test.h"

namespace caffe2rt::gst {
namespace {

constexpr int kWidth = 64, kHeight = 48;

// A frame that went through caffe2inference and then through `chain`, which may need a second frame to give
// the first.
Buffer after(const std::string& chain, const char* format = "BGRA") {
  const std::string caps = video(format, kWidth, kHeight);
  const Harness h = harness(std::string(kInference) + " drop-policy=block ! " + chain, caps);
  for (int i = 0; i < 3; i++) {
    Buffer frame = flat_frame(caps, 7);
    GST_BUFFER_PTS(frame.get()) = i * GST_SECOND / 10;
    GST_BUFFER_DURATION(frame.get()) = GST_SECOND / 10;
    EXPECT_EQ(gst_harness_push(h.get(), frame.release()), GST_FLOW_OK) << chain;
  }
  return Buffer(gst_harness_pull(h.get()));
}

// The fake model's car, in a frame of that size.
void expect_car_at(GstBuffer* frame, int width, int height, double x1, double y1, double x2, double y2) {
  const GstCaffe2Meta* meta = gst_buffer_get_caffe2_meta(frame);
  ASSERT_TRUE(meta);
  int w = 0, h = 0;
  gst_caffe2_meta_get_frame_size(meta, &w, &h);
  EXPECT_EQ(w, width);
  EXPECT_EQ(h, height);
  GstCaffe2Object car;
  ASSERT_TRUE(gst_caffe2_meta_get_object(meta, 0, &car));
  EXPECT_NEAR(car.x1, x1, 1e-4);
  EXPECT_NEAR(car.y1, y1, 1e-4);
  EXPECT_NEAR(car.x2, x2, 1e-4);
  EXPECT_NEAR(car.y2, y2, 1e-4);
}

// From a quarter to half of the frame.
void expect_car(GstBuffer* frame, int width, int height) {
  expect_car_at(frame, width, height, width / 4.0, height / 4.0, width / 2.0, height / 2.0);
}

TEST(MetaTransforms, StaysWhereThePictureDoesNotMove) {
  for (const char* chain :
       {"queue", "identity", "tee ! queue", "videoconvert ! capsfilter caps=video/x-raw,format=I420",
        "videobalance brightness=0.1", "timeoverlay", "videorate", "caffe2overlay",
        "tee name=t t. ! queue ! fakesink async=false t. ! queue ! caffe2overlay"}) {
    SCOPED_TRACE(chain);
    expect_car(after(chain).get(), kWidth, kHeight);
  }
}

TEST(MetaTransforms, FollowsScaling) {
  for (const char* scaler : {"videoscale", "videoconvertscale", "videoconvert ! videoscale"}) {
    SCOPED_TRACE(scaler);
    expect_car(after(std::string(scaler) + " ! capsfilter caps=video/x-raw,width=128,height=24").get(), 128,
               24);
    expect_car(after(std::string(scaler) + " ! capsfilter caps=video/x-raw,width=16").get(), 16, 48);
  }
}

TEST(MetaTransforms, FollowsScalingTwice) {
  const Buffer frame = after(
      "videoscale ! video/x-raw,width=128,height=96 ! videoscale name=again ! "
      "capsfilter caps=video/x-raw,width=320,height=120");
  expect_car(frame.get(), 320, 120);
  gdouble map[6];
  gst_caffe2_meta_get_map(gst_buffer_get_caffe2_meta(frame.get()), map);
  EXPECT_DOUBLE_EQ(map[0], 5);
  EXPECT_DOUBLE_EQ(map[4], 2.5);
}

TEST(MetaTransforms, ScalesMasksAndKeypoints) {
  const Buffer frame = after("videoscale ! capsfilter caps=video/x-raw,width=128,height=96");
  const GstCaffe2Meta* meta = gst_buffer_get_caffe2_meta(frame.get());
  ASSERT_TRUE(meta);
  GstVideoRectangle rect;
  const Owned<GBytes> mask(gst_caffe2_meta_get_mask(meta, 0, 0.5, &rect));
  ASSERT_TRUE(mask);
  const auto* pixels = static_cast<const guint8*>(g_bytes_get_data(mask.get(), nullptr));
  const auto covered = [&](int x, int y) { return pixels[(y - rect.y) * rect.w + x - rect.x] == 255; };
  EXPECT_TRUE(covered(41, 31));
  EXPECT_TRUE(covered(54, 41));
  EXPECT_FALSE(covered(rect.x, rect.y));
  gdouble x = 0, y = 0, score = 0;
  ASSERT_TRUE(gst_caffe2_meta_get_keypoint(meta, 0, 0, &x, &y, &score));
  EXPECT_DOUBLE_EQ(x, 32);
  EXPECT_DOUBLE_EQ(y, 48);
}

TEST(MetaTransforms, ShareOneSetOfDetections) {
  const std::string caps = video("BGR", 8, 8);
  const Harness h = harness(std::string(kInference) + " output=raw", caps);
  const Buffer frame = push_and_pull(h.get(), flat_frame(caps, 1));
  const Buffer copy(gst_buffer_copy(frame.get()));
  GstCaffe2Tensor first, second;
  ASSERT_TRUE(gst_caffe2_meta_get_tensor(gst_buffer_get_caffe2_meta(frame.get()), 0, &first));
  ASSERT_TRUE(gst_caffe2_meta_get_tensor(gst_buffer_get_caffe2_meta(copy.get()), 0, &second));
  EXPECT_EQ(first.values, second.values);
}

#if GST_CHECK_VERSION(1, 28, 0)

// The car lies at 16,12 to 32,24 of 64x48.
TEST(MetaTransforms, FollowCropsFlipsAndBorders) {
  expect_car_at(after("videocrop left=8").get(), 56, 48, 8, 12, 24, 24);
  expect_car_at(after("videocrop left=8 right=8 top=2").get(), 48, 46, 8, 10, 24, 22);
  expect_car_at(after("videoflip video-direction=horiz").get(), 64, 48, 32, 12, 48, 24);
  expect_car_at(after("videoflip video-direction=180").get(), 64, 48, 32, 24, 48, 36);
  expect_car_at(after("videoflip video-direction=90r").get(), 48, 64, 24, 16, 36, 32);
  expect_car_at(after("compositor").get(), 64, 48, 16, 12, 32, 24);
  constexpr auto kSquare =
      "videoscale ! capsfilter caps=video/x-raw,width=96,height=96,pixel-aspect-ratio=1/1";
  expect_car_at(after(kSquare).get(), 96, 96, 24, 30, 48, 48);  // 12 rows above and below
}

TEST(MetaTransforms, AreDroppedWhereThePictureMovesAndNobodySaysHow) {
  for (const char* chain : {"rotate angle=0.3", "mirror"}) {
    SCOPED_TRACE(chain);
    EXPECT_FALSE(gst_buffer_get_caffe2_meta(after(chain).get()));
  }
}

#else

TEST(MetaTransforms, AreDroppedWhereThePictureMoves) {
  for (const char* chain : {"videocrop left=8", "videocrop left=8 right=8 top=2",
                            "aspectratiocrop aspect-ratio=1/1", "videobox left=8", "videobox left=-8 right=8",
                            "videoflip video-direction=horiz", "videoflip video-direction=180",
                            "videoflip video-direction=90r", "rotate angle=0.3", "mirror", "compositor"}) {
    SCOPED_TRACE(chain);
    EXPECT_FALSE(gst_buffer_get_caffe2_meta(after(chain).get()));
  }
}

// videoscale adds borders by default where it keeps the shape, and stretches with add-borders=false; the
// metadata cannot tell which.
TEST(MetaTransforms, AreDroppedWhereBordersMayHaveBeenAdded) {
  constexpr auto kSquare = " ! capsfilter caps=video/x-raw,width=96,height=96,pixel-aspect-ratio=1/1";
  EXPECT_FALSE(gst_buffer_get_caffe2_meta(after(std::string("videoscale") + kSquare).get()));
  EXPECT_FALSE(
      gst_buffer_get_caffe2_meta(after(std::string("videoscale add-borders=false") + kSquare).get()));
}

#endif

TEST(MetaTransforms, AreDroppedFromAPartOfTheBytes) {
  const Buffer frame = after("identity");
  const Buffer part(gst_buffer_copy_region(frame.get(), GST_BUFFER_COPY_ALL, 16, 64));
  EXPECT_FALSE(gst_buffer_get_caffe2_meta(part.get()));
}

}  // namespace
}  // namespace caffe2rt::gst
