#include "gst_test.h"

namespace caffe2rt::gst {
namespace {

constexpr const char* kPacked[] = {"BGR", "RGB", "BGRx", "RGBx", "BGRA", "RGBA", "GRAY8"};

std::vector<float> tensor_of(GstBuffer* frame) {
  GstCaffe2Tensor tensor;
  if (!gst_caffe2_meta_get_tensor(gst_buffer_get_caffe2_meta(frame), 0, &tensor)) return {};
  return {tensor.values, tensor.values + tensor.n_values};
}

TEST(Caffe2Inference, PassesFramesOnWithTheirMemory) {
  for (const char* format : {"BGR", "RGB", "BGRx", "RGBx", "BGRA", "RGBA", "GRAY8", "NV12", "I420"}) {
    SCOPED_TRACE(format);
    const std::string caps = video(format, 18, 6);
    const Harness h = harness(kInference, caps);
    Buffer in = flat_frame(caps, 7);
    const GstMemory* memory = gst_buffer_peek_memory(in.get(), 0);
    const Buffer out = push_and_pull(h.get(), std::move(in));
    ASSERT_TRUE(out);
    EXPECT_EQ(gst_buffer_peek_memory(out.get(), 0), memory);
    EXPECT_EQ(gst_buffer_n_memory(out.get()), 1U);
  }
}

TEST(Caffe2Inference, KeepsTheMemoryOfABufferThatOthersHoldToo) {
  const std::string caps = video("BGR", 16, 16);
  const Harness h = harness(kInference, caps);
  const Buffer held = flat_frame(caps, 7);
  const Buffer out = push_and_pull(h.get(), Buffer(gst_buffer_ref(held.get())));
  EXPECT_NE(out, held);
  EXPECT_EQ(gst_buffer_peek_memory(out.get(), 0), gst_buffer_peek_memory(held.get(), 0));
  EXPECT_FALSE(gst_buffer_get_caffe2_meta(held.get()));
}

TEST(Caffe2Inference, SaysWhatItSawInPixelsOfTheFrame) {
  const std::string caps = video("BGR", 80, 40);
  const Harness h = harness(kInference, caps);
  const Buffer out = push_and_pull(h.get(), flat_frame(caps, 7));
  const GstCaffe2Meta* meta = gst_buffer_get_caffe2_meta(out.get());
  ASSERT_TRUE(meta);
  EXPECT_TRUE(gst_caffe2_meta_get_inferred(meta));
  ASSERT_EQ(gst_caffe2_meta_get_n_objects(meta), 2U);
  GstCaffe2Object car;
  ASSERT_TRUE(gst_caffe2_meta_get_object(meta, 0, &car));
  EXPECT_EQ(car.class_id, 2);
  EXPECT_FLOAT_EQ(static_cast<float>(car.score), 0.9F);
  EXPECT_EQ(car.x1, 20);
  EXPECT_EQ(car.y2, 20);
  EXPECT_TRUE(car.has_mask);
  EXPECT_FALSE(car.has_rotated_box);
  EXPECT_STREQ(Owned<gchar>(gst_caffe2_meta_dup_label(meta, 2)).get(), "car");
  EXPECT_STREQ(Owned<gchar>(gst_caffe2_meta_dup_label(meta, 9)).get(), "class 9");
  EXPECT_FALSE(gst_caffe2_meta_get_object(meta, 2, &car));
}

TEST(Caffe2Inference, AttachesARegionPerObjectNamedAsDlStreamerDoes) {
  const std::string caps = video("BGR", 80, 40);
  const Harness h = harness(kInference, caps);
  const Buffer out = push_and_pull(h.get(), flat_frame(caps, 7));
  EXPECT_EQ(gst_buffer_get_n_meta(out.get(), GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE), 2U);
  auto* roi = gst_buffer_get_video_region_of_interest_meta_id(out.get(), 0);
  ASSERT_TRUE(roi);
  EXPECT_STREQ(g_quark_to_string(roi->roi_type), "car");
  EXPECT_EQ(roi->parent_id, -1);
  EXPECT_EQ(roi->x, 20U);
  EXPECT_EQ(roi->y, 10U);
  EXPECT_EQ(roi->w, 20U);
  EXPECT_EQ(roi->h, 10U);
  GstStructure* detection = gst_video_region_of_interest_meta_get_param(roi, "detection");
  ASSERT_TRUE(detection);
  int label_id = -1;
  double confidence = 0, x_min = -1, x_max = -1, y_min = -1, y_max = -1;
  EXPECT_TRUE(gst_structure_get(detection, "label_id", G_TYPE_INT, &label_id, "confidence", G_TYPE_DOUBLE,
                                &confidence, "x_min", G_TYPE_DOUBLE, &x_min, "x_max", G_TYPE_DOUBLE, &x_max,
                                "y_min", G_TYPE_DOUBLE, &y_min, "y_max", G_TYPE_DOUBLE, &y_max, nullptr));
  EXPECT_EQ(label_id, 2);
  EXPECT_NEAR(confidence, 0.9, 1e-6);
  EXPECT_EQ(x_min, 0.25);
  EXPECT_EQ(x_max, 0.5);
  EXPECT_EQ(y_min, 0.25);
  EXPECT_EQ(y_max, 0.5);
}

TEST(Caffe2Inference, SaysThatItDidNotLookAtAGap) {
  const std::string caps = video("BGR", 8, 8);
  const Harness h = harness(kInference, caps);
  Buffer gap = flat_frame(caps, 7);
  GST_BUFFER_FLAG_SET(gap.get(), GST_BUFFER_FLAG_GAP);
  const Buffer out = push_and_pull(h.get(), std::move(gap));
  const GstCaffe2Meta* meta = gst_buffer_get_caffe2_meta(out.get());
  ASSERT_TRUE(meta);
  EXPECT_FALSE(gst_caffe2_meta_get_inferred(meta));
  EXPECT_EQ(gst_caffe2_meta_get_n_objects(meta), 0U);
}

TEST(Caffe2Inference, TakesThresholdAndMostDetectionsWhilePlaying) {
  const std::string caps = video("BGR", 8, 8);
  const Harness h = harness(std::string(kInference) + " name=i", caps);
  const Owned<GstElement> inference(gst_harness_find_element(h.get(), "caffe2inference"));
  const auto seen = [&] {
    const Buffer out = push_and_pull(h.get(), flat_frame(caps, 7));
    return gst_caffe2_meta_get_n_objects(gst_buffer_get_caffe2_meta(out.get()));
  };
  EXPECT_EQ(seen(), 2U);  // the model's own threshold is 0.3
  g_object_set(inference.get(), "threshold", 0.5, nullptr);
  EXPECT_EQ(seen(), 1U);
  g_object_set(inference.get(), "threshold", 0.95, nullptr);
  EXPECT_EQ(seen(), 0U);
  g_object_set(inference.get(), "threshold", -1.0, "max-detections", 1, nullptr);
  EXPECT_EQ(seen(), 1U);
}

TEST(Caffe2Inference, TakesThresholdsOfClassesByTheirLabels) {
  const std::string caps = video("BGR", 8, 8);
  const Harness h =
      harness(std::string(kInference) + " threshold=0.95 class-thresholds=t,traffic_light=0.1,car=0.5", caps);
  const Messages messages(h->element);
  const Buffer out = push_and_pull(h.get(), flat_frame(caps, 7));
  const GstCaffe2Meta* meta = gst_buffer_get_caffe2_meta(out.get());
  EXPECT_EQ(gst_caffe2_meta_get_n_objects(meta), 1U);
  EXPECT_EQ(messages.next_warning(), "class-thresholds: the model has no class 'traffic_light'");
  EXPECT_FALSE(messages.next(GST_MESSAGE_WARNING));
}

TEST(Caffe2Inference, AThresholdOfAClassIsANumberOfAnyKindFromZeroToOne) {
  const Owned<GstElement> element(gst_element_factory_make("caffe2inference", nullptr));
  g_test_expect_message(nullptr, G_LOG_LEVEL_WARNING, "*expected a score from 0 to 1 for 'van'*");
  gst_util_set_object_arg(G_OBJECT(element.get()), "class-thresholds", "t,car=(float)0.5,bus=(int)1,van=5");
  g_test_assert_expected_messages();
  GstStructure* structure = nullptr;
  g_object_get(element.get(), "class-thresholds", &structure, nullptr);
  ASSERT_TRUE(structure);
  gdouble car = 0, bus = 0;
  EXPECT_TRUE(gst_structure_get_double(structure, "car", &car));
  EXPECT_TRUE(gst_structure_get_double(structure, "bus", &bus));
  EXPECT_EQ(car, 0.5);
  EXPECT_EQ(bus, 1);
  EXPECT_FALSE(gst_structure_has_field(structure, "van"));
  gst_structure_free(structure);
}

TEST(Caffe2Inference, AttachesWhatOutputAsksFor) {
  const std::string caps = video("BGR", 8, 8);
  for (const char* output : {"boxes", "masks", "raw"}) {
    const Harness h = harness(std::string(kInference) + " output=" + output, caps);
    const Buffer out = push_and_pull(h.get(), flat_frame(caps, 7));
    GstCaffe2Object car;
    ASSERT_TRUE(gst_caffe2_meta_get_object(gst_buffer_get_caffe2_meta(out.get()), 0, &car));
    EXPECT_EQ(car.has_mask, output != std::string("boxes"));
    EXPECT_EQ(tensor_of(out.get()).empty(), output != std::string("raw"));
  }
}

// Pixel (x,y) of the frame is 10 y + x, 100 more for green and 200 more for red; alpha and padding are 255.
int value_at(int x, int y, int channel) { return (100 * channel + 10 * y + x) % 256; }

TEST(Caffe2Inference, LooksAtPackedFramesInTheirOwnOrderAndStride) {
  constexpr int kWidth = 5, kHeight = 4, kOffset = 12, kPadding = 28;
  for (const char* format : kPacked) {
    SCOPED_TRACE(format);
    const bool grey = format[0] == 'G', rgb = format[0] == 'R';
    const int samples = grey ? 1 : static_cast<int>(std::string(format).size());
    gint stride[GST_VIDEO_MAX_PLANES] = {kWidth * samples + kPadding};
    gsize offset[GST_VIDEO_MAX_PLANES] = {kOffset};
    std::vector<guint8> bytes(kOffset + stride[0] * kHeight, 255);
    std::vector<float> expected;
    for (int y = 0; y < kHeight; y++)
      for (int x = 0; x < kWidth; x++)
        for (int c = 0; c < 3; c++) {
          expected.push_back(static_cast<float>(value_at(x, y, grey ? 0 : c)));
          if (!grey || c == 0)
            bytes[kOffset + y * stride[0] + x * samples + (rgb ? 2 - c : c)] = value_at(x, y, c);
        }
    Buffer frame(gst_buffer_new_memdup(bytes.data(), bytes.size()));
    gst_buffer_add_video_meta_full(frame.get(), GST_VIDEO_FRAME_FLAG_NONE,
                                   gst_video_format_from_string(format), kWidth, kHeight, 1, offset, stride);
    const Harness h = harness(std::string(kInference) + " output=raw", video(format, kWidth, kHeight));
    const Buffer out = push_and_pull(h.get(), std::move(frame));
    EXPECT_EQ(tensor_of(out.get()), expected);
    EXPECT_EQ(bytes_of(out.get()), bytes);
  }
}

// Pixels of a frame as blue, green, red, by way of videoconvert.
std::vector<float> converted_by_gstreamer(const std::string& caps, Buffer frame) {
  const GstVideoInfo info = info_of(caps);
  const int width = GST_VIDEO_INFO_WIDTH(&info), height = GST_VIDEO_INFO_HEIGHT(&info);
  const Harness h = harness("videoconvert ! capsfilter caps=video/x-raw,format=BGR", caps);
  const auto bgr = bytes_of(push_and_pull(h.get(), std::move(frame)).get());
  std::vector<float> pixels;
  for (int y = 0; y < height; y++)
    for (int x = 0; x < width * 3; x++) pixels.push_back(bgr[y * GST_ROUND_UP_4(width * 3) + x]);
  return pixels;
}

void expect_near(const std::vector<float>& seen, const std::vector<float>& expected) {
  ASSERT_EQ(seen.size(), expected.size());
  for (size_t i = 0; i < seen.size(); i++) ASSERT_NEAR(seen[i], expected[i], 2) << "sample " << i;
}

TEST(Caffe2Inference, ConvertsYuvByTheCapsAsVideoconvertDoes) {
  for (const char* format : {"NV12", "I420"}) {
    for (const char* colours :
         {"", ",colorimetry=bt601", ",colorimetry=bt709,chroma-site=mpeg2",
          ",colorimetry=bt709,chroma-site=v-cosited", ",colorimetry=1:4:0:0,chroma-site=jpeg",
          ",colorimetry=bt2020,chroma-site=cosited"}) {
      for (const auto& [width, height] : {std::pair{34, 18}, {33, 17}, {1, 1}, {130, 3}}) {
        SCOPED_TRACE(std::string(format) + colours);
        const std::string caps = video(format, width, height, colours);
        const GstVideoInfo info = info_of(caps);
        std::vector<guint8> noise(GST_VIDEO_INFO_SIZE(&info));
        for (size_t i = 0; i < noise.size(); i++)
          noise[i] = static_cast<guint8>((i * 7919 + i / 13 * 31) % 251);
        const auto frame = [&] { return Buffer(gst_buffer_new_memdup(noise.data(), noise.size())); };
        const Harness ours = harness(std::string(kInference) + " output=raw", caps);
        expect_near(tensor_of(push_and_pull(ours.get(), frame()).get()),
                    converted_by_gstreamer(caps, frame()));
      }
    }
  }
}

TEST(Caffe2Inference, TakesPlanesOfDifferentStrides) {
  constexpr int kWidth = 6, kHeight = 4;
  const std::string caps = video("I420", kWidth, kHeight);
  std::vector<guint8> bytes(100);
  for (size_t i = 0; i < bytes.size(); i++) bytes[i] = static_cast<guint8>(i * 37);
  const auto frame = [&] {
    Buffer buffer(gst_buffer_new_memdup(bytes.data(), bytes.size()));
    gint stride[GST_VIDEO_MAX_PLANES] = {8, 3, 5};
    gsize offset[GST_VIDEO_MAX_PLANES] = {1, 40, 60};
    gst_buffer_add_video_meta_full(buffer.get(), GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_I420, kWidth,
                                   kHeight, 3, offset, stride);
    return buffer;
  };
  const Harness ours = harness(std::string(kInference) + " output=raw", caps);
  expect_near(tensor_of(push_and_pull(ours.get(), frame()).get()), converted_by_gstreamer(caps, frame()));
}

struct BadStream {
  const char* caps;
  const char* says;
};

TEST(Caffe2Inference, RefusesCapsThatItCannotTake) {
  for (const auto& [caps, says] : {
           BadStream{"video/x-raw,format=BGR,width=8,height=8,framerate=10/1,interlace-mode=interleaved",
                     "interlaced video: put 'deinterlace' before this element"},
           {"video/x-raw,format=BGR,width=8,height=8,framerate=10/1,interlace-mode=mixed",
            "interlaced video: put 'deinterlace' before this element"},
           {"video/x-raw,format=BGR,width=16384,height=16384,framerate=10/1",
            "frames of 16384x16384 pixels: expected 1 to 16384 a side and at most 134217728 in all"},
           {"video/x-raw,format=BGR,width=20000,height=2,framerate=10/1",
            "frames of 20000x2 pixels: expected 1 to 16384 a side and at most 134217728 in all"},
       }) {
    for (const char* launch : {kInference, "caffe2overlay"}) {
      SCOPED_TRACE(std::string(launch) + " " + caps);
      const Harness h = harness(launch);
      const Errors errors(h->element);
      gst_harness_set_src_caps_str(h.get(), caps);
      const auto error = errors.next();
      EXPECT_EQ(error.domain, "gst-stream-error-quark");
      EXPECT_EQ(error.code, GST_STREAM_ERROR_FORMAT);
      EXPECT_EQ(error.text, says);
    }
  }
}

TEST(Caffe2Inference, RefusesFramesWithoutPixels) {
  const Harness h = harness(kInference);
  const Errors errors(h->element);
  const Owned<GstElement> inference(gst_harness_find_element(h.get(), "caffe2inference"));
  GstPad* sink = gst_element_get_static_pad(inference.get(), "sink");
  // Past the pad's own check of caps, which lets them through on some versions of GStreamer and not on
  // others.
  GstCaps* caps = gst_caps_from_string("video/x-raw,format=BGR,width=0,height=8,framerate=10/1");
  GstEvent* event = gst_event_new_caps(caps);
  EXPECT_FALSE(GST_PAD_EVENTFUNC(sink)(sink, GST_OBJECT(inference.get()), event));
  gst_caps_unref(caps);
  gst_object_unref(sink);
  EXPECT_NE(errors.next().text, "");
}

TEST(Caffe2Inference, TakesFramesOfOnePixel) {
  for (const char* format : {"BGR", "GRAY8", "NV12", "I420"}) {
    const std::string caps = video(format, 1, 1);
    const Harness h = harness(std::string(kInference) + " ! caffe2overlay", caps);
    EXPECT_TRUE(push_and_pull(h.get(), flat_frame(caps, 7)));
  }
}

TEST(Caffe2Inference, RefusesABufferSmallerThanItsCaps) {
  for (const char* format : {"BGR", "NV12"}) {
    const Harness h = harness(kInference, video(format, 8, 8));
    const Errors errors(h->element);
    EXPECT_EQ(gst_harness_push(h.get(), gst_buffer_new_allocate(nullptr, 50, nullptr)), GST_FLOW_ERROR);
    const auto error = errors.next();
    EXPECT_EQ(error.code, GST_STREAM_ERROR_FORMAT);
    EXPECT_TRUE(error.text.starts_with("a buffer of 50 bytes where 8x8")) << error.text;
  }
}

TEST(Caffe2Inference, RefusesVideoMetaThatPromisesMoreThanThereIs) {
  struct Lie {
    int width, height;
    gsize offset;
    gint stride;
  };
  for (const Lie& lie :
       {Lie{8, 8, 0, 1000}, Lie{8, 8, 100, 24}, Lie{8, 8, 0, 8}, Lie{9, 8, 0, 27}, Lie{8, 7, 0, 24}}) {
    const Harness h = harness(kInference, video("BGR", 8, 8));
    const Errors errors(h->element);
    const auto frame = [&] {
      GstBuffer* buffer = gst_buffer_new_allocate(nullptr, 200, nullptr);
      gsize offset[GST_VIDEO_MAX_PLANES] = {lie.offset};
      gint stride[GST_VIDEO_MAX_PLANES] = {lie.stride};
      gst_buffer_add_video_meta_full(buffer, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_BGR, lie.width,
                                     lie.height, 1, offset, stride);
      return buffer;
    };
    EXPECT_EQ(push_until_refused(h.get(), frame), GST_FLOW_ERROR);
    EXPECT_EQ(errors.next().code, GST_STREAM_ERROR_FORMAT);
  }
}

TEST(Caffe2Inference, FollowsCapsThatChange) {
  const Harness h = harness(kInference);
  for (const std::string& caps :
       {video("BGR", 8, 4), video("NV12", 16, 12), video("GRAY8", 1, 1), video("I420", 6, 6)}) {
    gst_harness_set_src_caps_str(h.get(), caps.c_str());
    const Buffer out = push_and_pull(h.get(), flat_frame(caps, 7));
    ASSERT_TRUE(out);
    int width = 0;
    gst_caffe2_meta_get_frame_size(gst_buffer_get_caffe2_meta(out.get()), &width, nullptr);
    EXPECT_EQ(width, info_of(caps).width);
  }
}

TEST(Caffe2Inference, RefusesFramesAfterCapsThatItRefused) {
  const std::string caps = video("BGR", 8, 8);
  const Harness h = harness(kInference, caps);
  gst_harness_set_src_caps_str(h.get(), video("BGR", 8, 8, ",interlace-mode=interleaved").c_str());
  EXPECT_EQ(gst_harness_push(h.get(), flat_frame(caps, 7).release()), GST_FLOW_NOT_NEGOTIATED);
}

// Events that were not taken come again with the next buffer.
TEST(Caffe2Inference, SaysOnceThatItRefusesCaps) {
  const Harness h = harness(kInference);
  const Errors errors(h->element);
  gst_harness_set_src_caps_str(h.get(), video("BGR", 8, 8, ",interlace-mode=interleaved").c_str());
  EXPECT_EQ(errors.next().code, GST_STREAM_ERROR_FORMAT);
  EXPECT_EQ(gst_harness_push(h.get(), flat_frame(video("BGR", 8, 8), 7).release()), GST_FLOW_NOT_NEGOTIATED);
  EXPECT_EQ(errors.next().domain, "none");
  gst_harness_set_src_caps_str(h.get(), video("BGR", 8, 8, ",interlace-mode=mixed").c_str());
  EXPECT_EQ(errors.next().code, GST_STREAM_ERROR_FORMAT);
}

TEST(Caffe2Inference, PassesEosBeforeTheFirstFrame) {
  const Harness h = harness(kInference, video("BGR", 8, 8));
  EXPECT_TRUE(gst_harness_push_event(h.get(), gst_event_new_eos()));
  EXPECT_TRUE(await_event(h.get(), GST_EVENT_EOS));
}

TEST(Caffe2Inference, GoesOnAfterAFlush) {
  const std::string caps = video("BGR", 8, 8);
  const Harness h = harness(kInference, caps);
  EXPECT_TRUE(push_and_pull(h.get(), flat_frame(caps, 7)));
  EXPECT_TRUE(gst_harness_push_event(h.get(), gst_event_new_flush_start()));
  EXPECT_EQ(gst_harness_push(h.get(), flat_frame(caps, 7).release()), GST_FLOW_FLUSHING);
  EXPECT_TRUE(gst_harness_push_event(h.get(), gst_event_new_flush_stop(TRUE)));
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  EXPECT_TRUE(gst_harness_push_event(h.get(), gst_event_new_segment(&segment)));
  EXPECT_TRUE(push_and_pull(h.get(), flat_frame(caps, 7)));
}

TEST(Caffe2Inference, PostsAnErrorWhereTheNetFails) {
  const std::string caps = video("BGR", 8, 8);
  const Harness h = harness("caffe2inference predict-net=fails-on-frames init-net=fake", caps);
  const Errors errors(h->element);
  EXPECT_EQ(push_until_refused(h.get(), [&] { return flat_frame(caps, 7).release(); }), GST_FLOW_ERROR);
  const auto error = errors.next();
  EXPECT_EQ(error.domain, "gst-stream-error-quark");
  EXPECT_EQ(error.code, GST_STREAM_ERROR_FAILED);
  EXPECT_EQ(error.text, "expected another frame");
}

struct BadModel {
  const char *properties, *domain;
  int code;
  const char* says;
};

TEST(Caffe2Inference, SaysWhyAModelCannotBeLoaded) {
  for (const auto& [properties, domain, code, says] : {
           BadModel{"predict-net=missing init-net=x", "gst-resource-error-quark",
                    GST_RESOURCE_ERROR_NOT_FOUND, "missing: no such file"},
           {"predict-net=broken init-net=x", "gst-resource-error-quark", GST_RESOURCE_ERROR_READ,
            "broken: expected a NetDef"},
           {"predict-net=unknown init-net=x", "gst-stream-error-quark", GST_STREAM_ERROR_NOT_IMPLEMENTED,
            "unknown operators: Foo (2)"},
           {"model=/nowhere", "gst-resource-error-quark", GST_RESOURCE_ERROR_NOT_FOUND,
            "/nowhere: expected a directory with model.pb and model_init.pb"},
           {"", "gst-resource-error-quark", GST_RESOURCE_ERROR_SETTINGS,
            "no model: set 'model' to a directory"},
           {"predict-net=x", "gst-resource-error-quark", GST_RESOURCE_ERROR_SETTINGS,
            "no model: set 'model' to a directory"},
       }) {
    SCOPED_TRACE(properties);
    const Owned<GstElement> element(
        gst_parse_launch((std::string("caffe2inference ") + properties).c_str(), nullptr));
    const Errors errors(element.get());
    EXPECT_EQ(gst_element_set_state(element.get(), GST_STATE_READY), GST_STATE_CHANGE_FAILURE);
    const auto error = errors.next();
    EXPECT_EQ(error.domain, domain);
    EXPECT_EQ(error.code, code);
    EXPECT_TRUE(error.text.starts_with(says)) << error.text;
    EXPECT_EQ(errors.next().domain, "none");
  }
}

TEST(Caffe2Inference, LoadsAnotherModelThatIsSetWhenReady) {
  const Owned<GstElement> element(gst_parse_launch(kInference, nullptr));
  const Errors errors(element.get());
  EXPECT_NE(gst_element_set_state(element.get(), GST_STATE_READY), GST_STATE_CHANGE_FAILURE);
  g_object_set(element.get(), "predict-net", "broken", nullptr);
  EXPECT_EQ(gst_element_set_state(element.get(), GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
  EXPECT_EQ(errors.next().text, "broken: expected a NetDef");
}

TEST(Caffe2Inference, GivesItsPropertiesBack) {
  const Owned<GstElement> element(gst_parse_launch(
      "caffe2inference model=m predict-net=p init-net=i labels-file=l threshold=0.25 "
      "max-detections=7 device=cuda:1 max-memory=4096 "
      "precision=bf16 disable-passes=use_winograd threads=3 min-size=320 max-size=640 "
      "input-format=RGB output=raw workers=2 batch-size=3 batch-timeout=4 model-instance-id=x "
      "class-thresholds=thresholds,car=0.5 inference-interval=5 queue-size=6 drop-policy=newest "
      "on-drop=drop latency=7 qos=false stats-interval=8",
      nullptr));
  const auto text = [&](const char* property) {
    GValue value = G_VALUE_INIT;
    g_object_get_property(G_OBJECT(element.get()), property, &value);
    const Owned<gchar> words(gst_value_serialize(&value));
    g_value_unset(&value);
    return std::string(words.get());
  };
  EXPECT_EQ(text("model"), "m");
  EXPECT_EQ(text("predict-net"), "p");
  EXPECT_EQ(text("init-net"), "i");
  EXPECT_EQ(text("labels-file"), "l");
  EXPECT_EQ(text("threshold"), "0.25");
  EXPECT_EQ(text("max-detections"), "7");
  EXPECT_EQ(text("device"), "cuda:1");
  EXPECT_EQ(text("max-memory"), "4096");
  EXPECT_EQ(text("precision"), "bf16");
  EXPECT_EQ(text("disable-passes"), "use_winograd");
  EXPECT_EQ(text("threads"), "3");
  EXPECT_EQ(text("min-size"), "320");
  EXPECT_EQ(text("max-size"), "640");
  EXPECT_EQ(text("input-format"), "RGB");
  EXPECT_EQ(text("output"), "raw");
  EXPECT_EQ(text("workers"), "2");
  EXPECT_EQ(text("batch-size"), "3");
  EXPECT_EQ(text("batch-timeout"), "4");
  EXPECT_EQ(text("model-instance-id"), "x");
  EXPECT_NE(text("class-thresholds").find("car"), std::string::npos);
  EXPECT_EQ(text("inference-interval"), "5");
  EXPECT_EQ(text("queue-size"), "6");
  EXPECT_EQ(text("drop-policy"), "newest");
  EXPECT_EQ(text("on-drop"), "drop");
  EXPECT_EQ(text("latency"), "7");
  EXPECT_EQ(text("qos"), "false");
  EXPECT_EQ(text("stats-interval"), "8");
  EXPECT_EQ(text("frames-in"), "0");
}

}  // namespace
}  // namespace caffe2rt::gst
