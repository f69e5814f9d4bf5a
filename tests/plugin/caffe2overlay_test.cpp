#include "gst_test.h"

namespace caffe2rt::gst {
namespace {

constexpr auto kDraw =
    " ! caffe2overlay draw-labels=false draw-scores=false draw-masks=false draw-keypoints=false";

// What reaches the end of `launch` from a black BGR frame, as BGR.
struct Picture {
  int width, height, stride;
  std::vector<guint8> bytes;
  bool drawn(int x, int y) const {
    const guint8* p = &bytes[y * stride + x * 3];
    return p[0] > 40 || p[1] > 40 || p[2] > 40;
  }
  int count() const {
    int n = 0;
    for (int y = 0; y < height; y++)
      for (int x = 0; x < width; x++) n += drawn(x, y);
    return n;
  }
};

Picture draw(const std::string& launch, int width = 160, int height = 120,
             const std::function<void(GstBuffer*)>& prepare = {}) {
  const std::string caps = video("BGR", width, height);
  const Harness h = harness(launch + " ! videoconvert ! capsfilter caps=video/x-raw,format=BGR", caps);
  Buffer frame = flat_frame(caps, 0);
  if (prepare) prepare(frame.get());
  const Buffer out = push_and_pull(h.get(), std::move(frame));
  GstCaps* now = gst_pad_get_current_caps(h->sinkpad);
  GstVideoInfo info;
  EXPECT_TRUE(gst_video_info_from_caps(&info, now));
  gst_caps_unref(now);
  return {info.width, info.height, info.stride[0], bytes_of(out.get())};
}

// The fake model's car has its box from a quarter to half of the frame.
void expect_box(const Picture& p) {
  const int x1 = p.width / 4, x2 = p.width / 2, y1 = p.height / 4, y2 = p.height / 2;
  EXPECT_TRUE(p.drawn(x1, (y1 + y2) / 2));
  EXPECT_TRUE(p.drawn(x2, (y1 + y2) / 2) || p.drawn(x2 - 1, (y1 + y2) / 2));
  EXPECT_TRUE(p.drawn((x1 + x2) / 2, y1));
  EXPECT_TRUE(p.drawn((x1 + x2) / 2, y2) || p.drawn((x1 + x2) / 2, y2 - 1));
  EXPECT_FALSE(p.drawn((x1 + x2) / 2, (y1 + y2) / 2));
  EXPECT_FALSE(p.drawn(x2 + 8, (y1 + y2) / 2));
  EXPECT_FALSE(p.drawn((x1 + x2) / 2, y2 + 8));
}

TEST(Caffe2Overlay, DrawsBoxesOnEveryFormat) {
  for (const char* format : {"BGR", "RGB", "BGRx", "RGBx", "BGRA", "RGBA", "GRAY8", "NV12", "I420"}) {
    SCOPED_TRACE(format);
    expect_box(draw(std::string("videoconvert ! video/x-raw,format=") + format + " ! " + kInference + kDraw));
  }
}

TEST(Caffe2Overlay, DrawsAtTheRightPlacesAfterScaling) {
  expect_box(draw(std::string(kInference) +
                  " ! videoconvert ! videoscale ! video/x-raw,width=320,height=240" + kDraw));
  expect_box(draw(std::string(kInference) +
                  " ! videoconvert ! video/x-raw,format=I420 ! videoscale ! video/x-raw,width=96,height=240" +
                  kDraw));
}

#if !GST_CHECK_VERSION(1, 28, 0)  // which says how it was moved
TEST(Caffe2Overlay, DrawsNothingWhereThePictureWasMoved) {
  EXPECT_EQ(draw(std::string(kInference) + " ! videoflip video-direction=horiz" + kDraw).count(), 0);
  EXPECT_EQ(draw(std::string(kInference) + " ! videocrop left=20" + kDraw).count(), 0);
  EXPECT_EQ(draw(std::string(kInference) +
                 " ! videoscale ! video/x-raw,width=200,height=200,pixel-aspect-ratio=1/1" + kDraw)
                .count(),
            0);
}
#endif

TEST(Caffe2Overlay, DrawsOnlyWhatIsSwitchedOn) {
  const std::string nothing = std::string(kInference) + kDraw + " draw-boxes=false";
  EXPECT_EQ(draw(nothing).count(), 0);
  for (const char* part : {"draw-boxes", "draw-labels", "draw-scores", "draw-masks", "draw-keypoints"})
    EXPECT_GT(draw(nothing + " " + part + "=true").count(), 0) << part;
  EXPECT_GT(draw(nothing + " draw-boxes=true line-width=6").count(),
            draw(nothing + " draw-boxes=true line-width=2").count());
  EXPECT_GT(draw(nothing + " draw-labels=true font=\"Sans 30\"").count(),
            draw(nothing + " draw-labels=true font=\"Sans 6\"").count());
  EXPECT_EQ(draw(nothing + " draw-masks=true opacity=0").count(), 0);
}

TEST(Caffe2Overlay, PassesFramesWithoutMetadataOnAsTheyAre) {
  const std::string caps = video("NV12", 32, 32);
  const Harness h = harness("caffe2overlay", caps);
  Buffer in = flat_frame(caps, 77);
  const auto bytes = bytes_of(in.get());
  const Buffer out = push_and_pull(h.get(), std::move(in));
  EXPECT_EQ(bytes_of(out.get()), bytes);
}

TEST(Caffe2Overlay, LeavesABufferThatOthersHoldAlone) {
  const std::string caps = video("BGR", 64, 64);
  const Harness seen = harness(kInference, caps);
  const Buffer in = push_and_pull(seen.get(), flat_frame(caps, 0));
  const auto before = bytes_of(in.get());
  const Harness h = harness("caffe2overlay", caps);
  const Buffer out = push_and_pull(h.get(), Buffer(gst_buffer_ref(in.get())));
  EXPECT_EQ(bytes_of(in.get()), before);
  EXPECT_NE(bytes_of(out.get()), before);
  EXPECT_TRUE(gst_buffer_get_caffe2_meta(out.get()));
  EXPECT_EQ(gst_buffer_get_n_meta(out.get(), GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE), 2U);
}

TEST(Caffe2Overlay, DrawsTheRegionsOfAnotherDetector) {
  const auto region = [](bool with_structure) {
    return [=](GstBuffer* frame) {
      auto* roi = gst_buffer_add_video_region_of_interest_meta(frame, "face", 40, 30, 40, 30);
      if (with_structure)
        gst_video_region_of_interest_meta_add_param(
            roi, gst_structure_new("detection", "confidence", G_TYPE_DOUBLE, 0.5, nullptr));
    };
  };
  expect_box(draw("caffe2overlay draw-labels=false draw-scores=false", 160, 120, region(true)));
  EXPECT_EQ(draw("caffe2overlay", 160, 120, region(false)).count(), 0);
}

TEST(Caffe2Overlay, GivesItsPropertiesBack) {
  const Owned<GstElement> element(gst_parse_launch(
      "caffe2overlay draw-boxes=false line-width=2.5 font=\"Serif 9\" opacity=0.5", nullptr));
  gboolean boxes = TRUE, labels = FALSE;
  gdouble width = 0, opacity = 0;
  gchar* font = nullptr;
  g_object_get(element.get(), "draw-boxes", &boxes, "draw-labels", &labels, "line-width", &width, "font",
               &font, "opacity", &opacity, nullptr);
  const Owned<gchar> owned(font);
  EXPECT_FALSE(boxes);
  EXPECT_TRUE(labels);
  EXPECT_EQ(width, 2.5);
  EXPECT_EQ(opacity, 0.5);
  EXPECT_STREQ(font, "Serif 9");
}

// The fake model's car has its box from a quarter to half of the frame, and a mask.
TEST(Caffe2Overlay, ConcealsOnEveryFormat) {
  constexpr auto kConceal =
      " ! caffe2overlay draw-boxes=false draw-labels=false draw-scores=false draw-masks=false "
      "draw-keypoints=false pixelate-classes=car";
  for (const char* format : {"BGR", "RGB", "BGRx", "RGBx", "BGRA", "RGBA", "GRAY8", "NV12", "I420"}) {
    SCOPED_TRACE(format);
    const std::string before =
        std::string("videoconvert ! video/x-raw,format=") + format + " ! " + kInference;
    const auto stripes = [](GstBuffer* frame) {  // of four pixels
      GstMapInfo map;
      ASSERT_TRUE(gst_buffer_map(frame, &map, GST_MAP_WRITE));
      for (gsize i = 0; i < map.size; i++) map.data[i] = i % 480 / 12 % 2 ? 255 : 0;
      gst_buffer_unmap(frame, &map);
    };
    const Picture plain = draw(before, 160, 120, stripes),
                  changed = draw(before + kConceal, 160, 120, stripes);
    int inside = 0, outside = 0;
    for (int y = 0; y < 120; y++) {
      for (int x = 0; x < 160; x++) {
        const bool differs =
            std::abs(plain.bytes[y * plain.stride + x * 3] - changed.bytes[y * changed.stride + x * 3]) > 40;
        (x >= 30 && x < 90 && y >= 20 && y < 70 ? inside : outside) += differs;
      }
    }
    EXPECT_GT(inside, 300);
    EXPECT_EQ(outside, 0);
  }
}

TEST(Caffe2Overlay, FramesWithoutMetadataThatShouldBeConcealedAreAWarning) {
  const std::string caps = video("BGR", 160, 120);
  const Harness h = harness("caffe2overlay blur-classes=car", caps);
  const Messages messages(h->element);
  for (int i = 0; i < 2; i++) push_and_pull(h.get(), flat_frame(caps, 0));
  EXPECT_TRUE(messages.next(GST_MESSAGE_WARNING));
  EXPECT_FALSE(messages.next(GST_MESSAGE_WARNING));
}

TEST(Caffe2Overlay, AClassToConcealThatIsNoneIsAWarning) {
  const std::string caps = video("BGR", 160, 120);
  const Harness h = harness(std::string(kInference) + " ! caffe2overlay blur-classes=car,cra", caps);
  const Messages messages(h->element);
  for (int i = 0; i < 2; i++) push_and_pull(h.get(), flat_frame(caps, 0));
  EXPECT_EQ(messages.next_warning(), "classes to conceal that the model has not: cra");
  EXPECT_FALSE(messages.next(GST_MESSAGE_WARNING));
}

TEST(Caffe2Overlay, OfAModelWithoutNamesOnlyNumbersCanBeConcealed) {
  const std::string caps = video("BGR", 160, 120);
  const Harness h = harness(
      "caffe2inference predict-net=nameless init-net=fake ! caffe2overlay blur-classes=\"car,class 0\"",
      caps);
  const Messages messages(h->element);
  for (int i = 0; i < 2; i++) push_and_pull(h.get(), flat_frame(caps, 0));
  EXPECT_EQ(messages.next_warning(), "classes to conceal that the model has not: car");
  EXPECT_FALSE(messages.next(GST_MESSAGE_WARNING));
}

}  // namespace
}  // namespace caffe2rt::gst
