// caffe2inference: looks at video frames with a detectron2 model exported to Caffe2 and attaches what it
// sees.
//
//   gst-launch-1.0 -m filesrc location=in.mp4 ! decodebin ! videoconvert !
//     caffe2inference model=models/demo stats-interval=1000 ! fakesink
//
// Pixels pass through untouched. Every frame leaves with a GstCaffe2Meta that says whether the model looked
// at it and what it saw, and with one GstVideoRegionOfInterestMeta per object. The model is loaded from NULL
// to READY, and again from READY to PAUSED where its properties changed in between; while playing, a new one
// is loaded beside the old one.
#include <string_view>

#include "gpu_memory.h"
#include "guard.h"
#include "inference.h"
#include "inference_properties.h"
#include "inference_stream.h"

GST_DEBUG_CATEGORY(caffe2inference_debug);
#define GST_CAT_DEFAULT caffe2inference_debug

using caffe2rt::gst::During;
using caffe2rt::gst::guarded;
using caffe2rt::gst::Inference;
using caffe2rt::gst::InferenceStream;
using caffe2rt::gst::Ref;

struct GstCaffe2Inference {
  GstElement parent;
  GstPad *sink, *src;  // owned by the element
  Inference* inference;
  InferenceStream* stream;
};
struct GstCaffe2InferenceClass {
  GstElementClass parent;
};
G_DEFINE_TYPE(GstCaffe2Inference, gst_caffe2_inference, GST_TYPE_ELEMENT)

namespace {

GstCaffe2Inference* self(gpointer object) { return reinterpret_cast<GstCaffe2Inference*>(object); }

GstFlowReturn chain(GstPad*, GstObject* parent, GstBuffer* buffer) {
  return self(parent)->stream->chain(buffer);
}
gboolean sink_event(GstPad*, GstObject* parent, GstEvent* event) {
  return self(parent)->stream->sink_event(event);
}
gboolean sink_query(GstPad*, GstObject* parent, GstQuery* query) {
  return self(parent)->stream->sink_query(query);
}
gboolean src_event(GstPad*, GstObject* parent, GstEvent* event) {
  return self(parent)->stream->src_event(event);
}
gboolean src_query(GstPad*, GstObject* parent, GstQuery* query) {
  return self(parent)->stream->src_query(query);
}
gboolean activate_sink(GstPad*, GstObject* parent, GstPadMode mode, gboolean active) {
  return mode == GST_PAD_MODE_PUSH && self(parent)->stream->activate_sink(active);
}
gboolean activate_src(GstPad*, GstObject* parent, GstPadMode mode, gboolean active) {
  return mode == GST_PAD_MODE_PUSH && self(parent)->stream->activate_src(active);
}

GstStateChangeReturn change_state(GstElement* element, GstStateChange transition) {
  GstCaffe2Inference* e = self(element);
  if (transition == GST_STATE_CHANGE_NULL_TO_READY || transition == GST_STATE_CHANGE_READY_TO_PAUSED) {
    if (!guarded(element, During::kSetup, false, [&] { return e->inference->open(), true; }))
      return GST_STATE_CHANGE_FAILURE;
  }
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED &&
      !guarded(element, During::kSetup, false, [&] { return e->stream->start(), true; }))
    return GST_STATE_CHANGE_FAILURE;
  const auto result = GST_ELEMENT_CLASS(gst_caffe2_inference_parent_class)->change_state(element, transition);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) e->stream->stop();
  if (transition == GST_STATE_CHANGE_READY_TO_NULL) e->inference->close();
  return result;
}

void set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  bool known = false;
  self(object)->inference->change(
      [&](auto& settings) { known = caffe2rt::gst::set_inference_property(settings, id, value); });
  if (!known) G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  const std::string_view name = spec->name;
  if (name == "latency" || name == "queue-size")
    gst_element_post_message(GST_ELEMENT(object), gst_message_new_latency(GST_OBJECT(object)));
}

void get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  GstCaffe2Inference* e = self(object);
  if (!caffe2rt::gst::get_inference_property(e->inference->settings(), e->stream->stats(), id, value))
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
}

// Comes once for all properties that are set together.
void dispatch_properties_changed(GObject* object, guint count, GParamSpec** specs) {
  bool model = false;
  for (guint i = 0; i < count; i++)
    model |= specs[i]->owner_type == gst_caffe2_inference_get_type() &&
             caffe2rt::gst::is_model_property(specs[i]->param_id);
  if (model && GST_STATE(object) >= GST_STATE_PAUSED) self(object)->inference->reload();
  G_OBJECT_CLASS(gst_caffe2_inference_parent_class)->dispatch_properties_changed(object, count, specs);
}

void finalize(GObject* object) {
  delete self(object)->stream;
  delete self(object)->inference;
  G_OBJECT_CLASS(gst_caffe2_inference_parent_class)->finalize(object);
}

}  // namespace

static void gst_caffe2_inference_class_init(GstCaffe2InferenceClass* klass) {
  GST_DEBUG_CATEGORY_INIT(caffe2inference_debug, "caffe2inference", 0, "detectron2 models on video frames");
  auto* object = G_OBJECT_CLASS(klass);
  object->set_property = set_property;
  object->get_property = get_property;
  object->dispatch_properties_changed = dispatch_properties_changed;
  object->finalize = finalize;
  caffe2rt::gst::install_inference_properties(object);
  auto* element = GST_ELEMENT_CLASS(klass);
  element->change_state = change_state;
  gst_element_class_set_static_metadata(element, "Caffe2 inference", "Filter/Analyzer/Video",
                                        "Sees objects in video with a detectron2 model exported to Caffe2",
                                        "gst-caffe2");
  const Ref<GstCaps> caps(caffe2rt::gst::new_inference_caps());
  gst_element_class_add_pad_template(element,
                                     gst_pad_template_new("sink", GST_PAD_SINK, GST_PAD_ALWAYS, caps.get()));
  gst_element_class_add_pad_template(element,
                                     gst_pad_template_new("src", GST_PAD_SRC, GST_PAD_ALWAYS, caps.get()));
}

static void gst_caffe2_inference_init(GstCaffe2Inference* e) {
  e->sink = gst_pad_new_from_template(gst_element_get_pad_template(GST_ELEMENT(e), "sink"), "sink");
  e->src = gst_pad_new_from_template(gst_element_get_pad_template(GST_ELEMENT(e), "src"), "src");
  e->inference = new Inference(GST_ELEMENT(e));
  e->stream = new InferenceStream(GST_ELEMENT(e), e->sink, e->src, *e->inference);
  gst_pad_set_chain_function(e->sink, chain);
  gst_pad_set_event_function(e->sink, sink_event);
  gst_pad_set_query_function(e->sink, sink_query);
  gst_pad_set_activatemode_function(e->sink, activate_sink);
  gst_pad_set_event_function(e->src, src_event);
  gst_pad_set_query_function(e->src, src_query);
  gst_pad_set_activatemode_function(e->src, activate_src);
  GST_PAD_SET_PROXY_CAPS(e->sink);
  GST_PAD_SET_PROXY_CAPS(e->src);
  gst_element_add_pad(GST_ELEMENT(e), e->sink);
  gst_element_add_pad(GST_ELEMENT(e), e->src);
}

GST_ELEMENT_REGISTER_DEFINE(caffe2inference, "caffe2inference", GST_RANK_NONE,
                            gst_caffe2_inference_get_type())
