#include "live_source.h"

#include <gst/app/gstappsrc.h>
#include <gst/gst.h>

#include "base/error.h"
#include "message_text.h"
#include "property_table.h"
#include "supervisor.h"

namespace {

using caffe2rt::LiveSettings;
using caffe2rt::Owned;
using caffe2rt::Reconnect;
using caffe2rt::Supervisor;
using caffe2rt::gst::PropertyTable;

struct LiveSource {
  GstBin parent;
  Supervisor* supervisor;
};
struct LiveSourceClass {
  GstBinClass parent;
};
G_DEFINE_TYPE(LiveSource, live_source, GST_TYPE_BIN)

Supervisor& supervisor(gpointer object) { return *reinterpret_cast<LiveSource*>(object)->supervisor; }

PropertyTable<LiveSettings> make_properties() {
  static const GEnumValue kReconnect[] = {
      {static_cast<int>(Reconnect::kNever), "Never: the stream ends, or fails", "never"},
      {static_cast<int>(Reconnect::kOnceSeen), "Once a frame was seen; until then a failure is an error",
       "once-seen"},
      {static_cast<int>(Reconnect::kAlways), "Always", "always"},
      {}};
  const GType reconnect = caffe2rt::gst::register_enum("Caffe2LiveReconnect", kReconnect);
  constexpr auto kFlags = caffe2rt::gst::kMutableReady;
  PropertyTable<LiveSettings> to;
  to.text("uri", "URI", "Where the frames come from: rtsp://, http://, file://", CAFFE2RT_FIELD(uri), kFlags);
  to.integer("latency", "Latency", "How long RTSP waits for packets that are late (ms)",
             CAFFE2RT_FIELD(latency), 0, 60000, kFlags);
  to.number("timeout", "Timeout",
            "Time without a frame after which a source is taken for dead (s); three times that until its "
            "first frame",
            CAFFE2RT_FIELD(timeout), 0.1, 3600, kFlags);
  to.choice("reconnect", "Reconnect", "When a source that fails or ends is asked again", reconnect,
            CAFFE2RT_FIELD(reconnect), kFlags);
  to.text("user-id", "User", "User name for RTSP, where the URI has none", CAFFE2RT_FIELD(user_id), kFlags);
  to.text("user-pw", "Password", "Password for RTSP, where the URI has none", CAFFE2RT_FIELD(user_pw),
          kFlags);
  to.text("protocols", "Protocols", "How RTSP may carry the stream: tcp, udp, udp-mcast, with + between them",
          CAFFE2RT_FIELD(protocols), kFlags);
  return to;
}

const PropertyTable<LiveSettings>& properties() {
  static const PropertyTable<LiveSettings> all = make_properties();
  return all;
}

void set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  bool known = false;
  supervisor(object).change([&](LiveSettings& settings) { known = properties().set(settings, id, value); });
  if (!known) G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
}

void get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  if (!properties().get(supervisor(object).settings(), id, value))
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
}

GstStateChangeReturn change_state(GstElement* element, GstStateChange change) {
  if (change == GST_STATE_CHANGE_NULL_TO_READY &&
      !gst_uri_is_valid(supervisor(element).settings().uri.c_str())) {
    caffe2rt::post_problem(
        element, GST_MESSAGE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
        "uri: expected one such as rtsp://host/path, got '" + supervisor(element).settings().uri + "'");
    return GST_STATE_CHANGE_FAILURE;
  }
  if (change == GST_STATE_CHANGE_PLAYING_TO_PAUSED) supervisor(element).stop();
  const GstStateChangeReturn result =
      GST_ELEMENT_CLASS(live_source_parent_class)->change_state(element, change);
  if (result == GST_STATE_CHANGE_FAILURE) return result;
  if (change == GST_STATE_CHANGE_PAUSED_TO_PLAYING) supervisor(element).start();
  if (change == GST_STATE_CHANGE_PAUSED_TO_READY) supervisor(element).forget();
  return result;
}

// An end from outside comes after the frames that wait, as the source's own does. As an event it does not get
// past an appsrc that had no frame yet (GStreamer 1.26).
gboolean send_event(GstElement* element, GstEvent* event) {
  if (GST_EVENT_TYPE(event) != GST_EVENT_EOS)
    return GST_ELEMENT_CLASS(live_source_parent_class)->send_event(element, event);
  gst_event_unref(event);
  supervisor(element).end();
  return TRUE;
}

void finalize(GObject* object) {
  delete reinterpret_cast<LiveSource*>(object)->supervisor;
  G_OBJECT_CLASS(live_source_parent_class)->finalize(object);
}

void live_source_class_init(LiveSourceClass* klass) {
  auto* object = G_OBJECT_CLASS(klass);
  object->set_property = set_property;
  object->get_property = get_property;
  object->finalize = finalize;
  properties().install(object);
  auto* element = GST_ELEMENT_CLASS(klass);
  element->change_state = change_state;
  element->send_event = send_event;
  gst_element_class_set_static_metadata(element, "Live source", "Source/Network",
                                        "Frames of a source that may go away and come back", "gst-caffe2");
  const Owned<GstCaps> video(gst_caps_new_empty_simple("video/x-raw"));
  gst_element_class_add_pad_template(element,
                                     gst_pad_template_new("src", GST_PAD_SRC, GST_PAD_ALWAYS, video.get()));
}

void live_source_init(LiveSource* self) {
  auto* out = GST_APP_SRC(gst_element_factory_make("appsrc", nullptr));
  // Where those downstream are slower, the newest frames are what counts.
  g_object_set(out, "is-live", TRUE, "format", GST_FORMAT_TIME, "max-buffers", guint64{3}, "max-bytes",
               guint64{0}, "leaky-type", GST_APP_LEAKY_TYPE_DOWNSTREAM, nullptr);
  gst_bin_add(GST_BIN(self), GST_ELEMENT(out));
  const Owned<GstPad> pad(gst_element_get_static_pad(GST_ELEMENT(out), "src"));
  GstPadTemplate* pad_template = gst_element_class_get_pad_template(GST_ELEMENT_GET_CLASS(self), "src");
  gst_element_add_pad(GST_ELEMENT(self), gst_ghost_pad_new_from_template("src", pad.get(), pad_template));
  self->supervisor = new Supervisor(GST_ELEMENT(self), out);
  gst_app_src_set_latency(out, static_cast<guint64>(self->supervisor->settings().latency) * GST_MSECOND,
                          GST_CLOCK_TIME_NONE);
}

}  // namespace

void caffe2rt::register_live_source() {
  gst_element_register(nullptr, "livesrc", GST_RANK_NONE, live_source_get_type());
}
