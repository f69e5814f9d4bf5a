// caffe2inference: looks at video frames with a detectron2 model exported to Caffe2 and attaches what it
// sees.
//
//   gst-launch-1.0 filesrc location=../shared/media/car-detection.mp4 ! decodebin ! videoconvert !
//   caffe2inference model=../shared/models/d2go_faster_rcnn min-size=320 ! identity eos-after=20 ! fakesink
//
// Pixels pass through untouched. Every frame leaves with a GstCaffe2Meta that says whether the model looked
// at it and what it saw, and with one GstVideoRegionOfInterestMeta per object. The model is loaded from NULL
// to READY, and again from READY to PAUSED where its properties changed in between.
#include "gst_ref.h"
#include "guard.h"
#include "inference.h"
#include "meta/meta.h"

GST_DEBUG_CATEGORY(caffe2inference_debug);
#define GST_CAT_DEFAULT caffe2inference_debug

using caffe2rt::Output;
using caffe2rt::gst::During;
using caffe2rt::gst::guarded;
using caffe2rt::gst::Inference;
using caffe2rt::gst::Ref;

struct GstCaffe2Inference {
  GstElement parent;
  GstPad *sink, *src;  // owned by the element
  Inference* impl;
};
struct GstCaffe2InferenceClass {
  GstElementClass parent;
};
G_DEFINE_TYPE(GstCaffe2Inference, gst_caffe2_inference, GST_TYPE_ELEMENT)

namespace {

enum Property {
  kModel = 1,
  kPredictNet,
  kInitNet,
  kLabelsFile,
  kThreshold,
  kMaxDetections,
  kDevice,
  kPrecision,
  kDisablePasses,
  kThreads,
  kMinSize,
  kMaxSize,
  kInputFormat,
  kOutput,
};

enum InputFormat { kAuto, kBgr, kRgb };

GType input_format_type() {
  static const GEnumValue values[] = {{kAuto, "What the model says, else BGR", "auto"},
                                      {kBgr, "Blue, green, red", "BGR"},
                                      {kRgb, "Red, green, blue", "RGB"},
                                      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("GstCaffe2InputFormat", values);
  return type;
}

GType output_type() {
  static const GEnumValue values[] = {
      {static_cast<int>(Output::kBoxes), "Boxes, scores, classes and keypoints", "boxes"},
      {static_cast<int>(Output::kMasks), "Also masks, semantic and panoptic maps", "masks"},
      {static_cast<int>(Output::kRaw), "Also every output of the net as it came", "raw"},
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("GstCaffe2Output", values);
  return type;
}

GstCaffe2Inference* self(gpointer object) { return reinterpret_cast<GstCaffe2Inference*>(object); }

GstFlowReturn chain(GstPad*, GstObject* parent, GstBuffer* buffer) {
  Inference& inference = *self(parent)->impl;
  Ref<GstBuffer> frame(buffer);
  if (!inference.has_caps()) return GST_FLOW_NOT_NEGOTIATED;
  const bool looked =
      guarded(parent, During::kStreaming, false, [&] { return inference.process(frame), true; });
  return looked ? gst_pad_push(self(parent)->src, frame.release()) : GST_FLOW_ERROR;
}

gboolean sink_event(GstPad* pad, GstObject* parent, GstEvent* event) {
  if (GST_EVENT_TYPE(event) == GST_EVENT_CAPS) {
    GstCaps* caps = nullptr;
    gst_event_parse_caps(event, &caps);
    const bool accepted =
        guarded(parent, During::kStreaming, false, [&] { return self(parent)->impl->set_caps(caps); });
    if (!accepted) {
      gst_event_unref(event);
      return FALSE;
    }
  }
  return gst_pad_event_default(pad, parent, event);
}

GstStateChangeReturn change_state(GstElement* element, GstStateChange transition) {
  Inference& inference = *self(element)->impl;
  if (transition == GST_STATE_CHANGE_NULL_TO_READY || transition == GST_STATE_CHANGE_READY_TO_PAUSED) {
    if (!guarded(element, During::kSetup, false, [&] { return inference.open(), true; }))
      return GST_STATE_CHANGE_FAILURE;
  }
  const auto result = GST_ELEMENT_CLASS(gst_caffe2_inference_parent_class)->change_state(element, transition);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) inference.stop();
  if (transition == GST_STATE_CHANGE_READY_TO_NULL) inference.close();
  return result;
}

std::string text_of(const GValue* value) {
  const gchar* text = g_value_get_string(value);
  return text ? text : "";
}

const char* name_of(int input_format) {
  return input_format == kAuto ? "" : input_format == kBgr ? "BGR" : "RGB";
}

void set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  Inference& inference = *self(object)->impl;
  const auto model = [&](auto&& assign) {
    inference.change_model([&](Inference::Settings& s) { assign(s, s.options); });
  };
  switch (id) {
    case kModel:
      return model([&](auto& s, auto&) { s.model = text_of(value); });
    case kPredictNet:
      return model([&](auto&, auto& o) { o.predict_net = text_of(value); });
    case kInitNet:
      return model([&](auto&, auto& o) { o.init_net = text_of(value); });
    case kLabelsFile:
      return model([&](auto&, auto& o) { o.labels_file = text_of(value); });
    case kThreshold:
      return inference.change([&](auto& s) { s.threshold = g_value_get_double(value); });
    case kMaxDetections:
      return inference.change([&](auto& s) { s.max_detections = g_value_get_int(value); });
    case kDevice:
      return model([&](auto&, auto& o) { o.device = text_of(value); });
    case kPrecision:
      return model([&](auto&, auto& o) { o.precision = text_of(value); });
    case kDisablePasses:
      return model([&](auto&, auto& o) { o.disable_passes = text_of(value); });
    case kThreads:
      return model([&](auto&, auto& o) { o.threads = g_value_get_int(value); });
    case kMinSize:
      return model([&](auto&, auto& o) { o.min_size = g_value_get_int(value); });
    case kMaxSize:
      return model([&](auto&, auto& o) { o.max_size = g_value_get_int(value); });
    case kInputFormat:
      return model([&](auto&, auto& o) { o.input_format = name_of(g_value_get_enum(value)); });
    case kOutput:
      return model([&](auto&, auto& o) { o.output = static_cast<Output>(g_value_get_enum(value)); });
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

void get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  const Inference::Settings s = self(object)->impl->settings();
  const caffe2rt::ModelOptions& o = s.options;
  switch (id) {
    case kModel:
      return g_value_set_string(value, s.model.c_str());
    case kPredictNet:
      return g_value_set_string(value, o.predict_net.c_str());
    case kInitNet:
      return g_value_set_string(value, o.init_net.c_str());
    case kLabelsFile:
      return g_value_set_string(value, o.labels_file.c_str());
    case kThreshold:
      return g_value_set_double(value, s.threshold);
    case kMaxDetections:
      return g_value_set_int(value, s.max_detections);
    case kDevice:
      return g_value_set_string(value, o.device.c_str());
    case kPrecision:
      return g_value_set_string(value, o.precision.c_str());
    case kDisablePasses:
      return g_value_set_string(value, o.disable_passes.c_str());
    case kThreads:
      return g_value_set_int(value, o.threads);
    case kMinSize:
      return g_value_set_int(value, o.min_size);
    case kMaxSize:
      return g_value_set_int(value, o.max_size);
    case kInputFormat:
      return g_value_set_enum(value, o.input_format.empty() ? kAuto : o.input_format == "BGR" ? kBgr : kRgb);
    case kOutput:
      return g_value_set_enum(value, static_cast<int>(o.output));
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

void finalize(GObject* object) {
  delete self(object)->impl;
  G_OBJECT_CLASS(gst_caffe2_inference_parent_class)->finalize(object);
}

void install_properties(GObjectClass* object) {
  constexpr auto kReady = GParamFlags(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY);
  constexpr auto kPlaying =
      GParamFlags(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING);
  const auto install = [&](Property id, GParamSpec* spec) {
    g_object_class_install_property(object, id, spec);
  };
  const auto text = [&](Property id, const char* name, const char* nick, const char* blurb,
                        const char* preset = "") {
    install(id, g_param_spec_string(name, nick, blurb, preset, kReady));
  };
  text(kModel, "model", "Model",
       "Directory with model.pb and model_init.pb, or predict_net.pb and init_net.pb; goes before "
       "predict-net and "
       "init-net");
  text(kPredictNet, "predict-net", "Predict net", "File with the net, where 'model' is empty");
  text(kInitNet, "init-net", "Init net", "File with the net's weights, where 'model' is empty");
  text(kLabelsFile, "labels-file", "Labels file",
       "File with one class name a line; empty: labels.txt beside the net, where there is one");
  install(kThreshold,
          g_param_spec_double("threshold", "Threshold",
                              "Objects of a lower score are left out (0..1; -1: what the model says)", -1, 1,
                              -1, kPlaying));
  install(kMaxDetections,
          g_param_spec_int("max-detections", "Most detections",
                           "The best so many objects of a frame are kept (-1: what the model says)", -1,
                           G_MAXINT, -1, kPlaying));
  text(kDevice, "device", "Device", "Where the net runs: cpu, cuda, cuda:N or auto", "cpu");
  text(kPrecision, "precision", "Precision",
       "Numbers that layers multiply: fp32, whose results are the original's; bf16; int8, which needs the "
       "calibration.json that caffe2_calibrate writes beside the net; auto: fp32",
       "auto");
  text(
      kDisablePasses, "disable-passes", "Disabled passes",
      "Rewrites of the net to leave out, with commas between them: use_winograd, whose rounding differs from "
      "the original's by some 1e-5 of the values; all; others for finding mistakes",
      nullptr);
  install(kThreads, g_param_spec_int("threads", "Threads",
                                     "Threads that work on a frame (0: as many as the process has cores)", 0,
                                     1024, 0, kReady));
  install(kMinSize,
          g_param_spec_int("min-size", "Shorter side",
                           "Short side that frames are scaled to for the net (pixels; 0: they are not "
                           "scaled; -1: what the model says, else the size a classifier was made "
                           "for, else 800)",
                           -1, 16384, -1, kReady));
  install(kMaxSize,
          g_param_spec_int("max-size", "Longer side",
                           "Most that the long side may come to by that (pixels, at least 1; -1: what the "
                           "model says, else 1333)",
                           -1, 16384, -1, kReady));
  install(kInputFormat, g_param_spec_enum("input-format", "Input format",
                                          "Order of the colours that the model was trained on",
                                          input_format_type(), kAuto, kReady));
  install(kOutput, g_param_spec_enum("output", "Output", "What is attached to a frame", output_type(),
                                     static_cast<int>(Output::kMasks), kReady));
}

}  // namespace

static void gst_caffe2_inference_class_init(GstCaffe2InferenceClass* klass) {
  GST_DEBUG_CATEGORY_INIT(caffe2inference_debug, "caffe2inference", 0, "detectron2 models on video frames");
  auto* object = G_OBJECT_CLASS(klass);
  object->set_property = set_property;
  object->get_property = get_property;
  object->finalize = finalize;
  install_properties(object);
  gst_type_mark_as_plugin_api(input_format_type(), GstPluginAPIFlags(0));
  gst_type_mark_as_plugin_api(output_type(), GstPluginAPIFlags(0));
  auto* element = GST_ELEMENT_CLASS(klass);
  element->change_state = change_state;
  gst_element_class_set_static_metadata(element, "Caffe2 inference", "Filter/Analyzer/Video",
                                        "Sees objects in video with a detectron2 model exported to Caffe2",
                                        "gst-caffe2");
  const Ref<GstCaps> caps(gst_caps_from_string(caffe2rt::gst::kVideoCaps));
  gst_element_class_add_pad_template(element,
                                     gst_pad_template_new("sink", GST_PAD_SINK, GST_PAD_ALWAYS, caps.get()));
  gst_element_class_add_pad_template(element,
                                     gst_pad_template_new("src", GST_PAD_SRC, GST_PAD_ALWAYS, caps.get()));
}

static void gst_caffe2_inference_init(GstCaffe2Inference* e) {
  e->impl = new Inference(GST_ELEMENT(e));
  e->sink = gst_pad_new_from_template(gst_element_get_pad_template(GST_ELEMENT(e), "sink"), "sink");
  e->src = gst_pad_new_from_template(gst_element_get_pad_template(GST_ELEMENT(e), "src"), "src");
  gst_pad_set_chain_function(e->sink, chain);
  gst_pad_set_event_function(e->sink, sink_event);
  GST_PAD_SET_PROXY_CAPS(e->sink);
  // Frames go on as they came: whether padded rows are welcome is for those downstream to say.
  GST_PAD_SET_PROXY_ALLOCATION(e->sink);
  GST_PAD_SET_PROXY_CAPS(e->src);
  gst_element_add_pad(GST_ELEMENT(e), e->sink);
  gst_element_add_pad(GST_ELEMENT(e), e->src);
}

GST_ELEMENT_REGISTER_DEFINE(caffe2inference, "caffe2inference", GST_RANK_NONE,
                            gst_caffe2_inference_get_type())
