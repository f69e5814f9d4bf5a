#include "rtsp_sink.h"

#include <gst/app/gstappsink.h>
#include <gst/gst.h>
#include <gst/video/video.h>

#include <mutex>

#include "base/error.h"
#include "feed.h"
#include "message_text.h"
#include "property_table.h"
#include "rtsp_server.h"

namespace {

using caffe2rt::Feed;
using caffe2rt::Owned;
using caffe2rt::RtspServer;
using caffe2rt::ServerSettings;
using caffe2rt::gst::PropertyTable;

// Server and feed live from READY to NULL.
class Service {
 public:
  Service(GstElement* element, GstElement* in)
      : element_(element), in_(gst_element_get_static_pad(in, "sink")) {}

  ServerSettings settings() const {
    const std::lock_guard lock(lock_);
    return settings_;
  }
  template <class F>
  void change(F&& f) {
    const std::lock_guard lock(lock_);
    f(settings_);
  }

  bool start() noexcept {
    try {
      auto feed = std::make_shared<Feed>([this] { ask_for_key_frame(); });
      server_ = std::make_unique<RtspServer>(settings(), feed);
      set_feed(std::move(feed));
      caffe2rt::post_text(element_, "caffe2-rtsp-server", "serving " + server_->url());
      return true;
    } catch (const std::exception& e) {
      caffe2rt::post_problem(element_, GST_MESSAGE_ERROR, GST_RESOURCE_ERROR_OPEN_WRITE, e.what());
      return false;
    }
  }
  void stop() {
    set_feed(nullptr);
    server_.reset();
  }
  std::shared_ptr<Feed> feed() const {
    const std::lock_guard lock(lock_);
    return feed_;
  }

 private:
  void set_feed(std::shared_ptr<Feed> feed) {
    const std::lock_guard lock(lock_);
    feed_ = std::move(feed);
  }
  void ask_for_key_frame() {
    gst_pad_push_event(in_.get(), gst_video_event_new_upstream_force_key_unit(GST_CLOCK_TIME_NONE, TRUE, 0));
  }

  GstElement* const element_;  // whose this is
  const Owned<GstPad> in_;
  mutable std::mutex lock_;
  ServerSettings settings_;     // guarded by lock_
  std::shared_ptr<Feed> feed_;  // guarded by lock_
  std::unique_ptr<RtspServer> server_;
};

struct RtspSink {
  GstBin parent;
  Service* service;
};
struct RtspSinkClass {
  GstBinClass parent;
};
G_DEFINE_TYPE(RtspSink, rtsp_sink, GST_TYPE_BIN)

Service& service(gpointer object) { return *reinterpret_cast<RtspSink*>(object)->service; }

GstFlowReturn on_sample(GstAppSink* in, gpointer data) {
  const Owned<GstSample> sample(gst_app_sink_pull_sample(in));
  const auto feed = static_cast<Service*>(data)->feed();
  if (!sample || !feed) return GST_FLOW_OK;
  GstBuffer* buffer = gst_sample_get_buffer(sample.get());
  const GstClockTime time = gst_segment_to_running_time(gst_sample_get_segment(sample.get()), GST_FORMAT_TIME,
                                                        GST_BUFFER_PTS(buffer));
  feed->push(buffer, gst_sample_get_caps(sample.get()), time);
  return GST_FLOW_OK;
}

void on_eos(GstAppSink*, gpointer data) {
  if (const auto feed = static_cast<Service*>(data)->feed()) feed->end_of_stream();
}

PropertyTable<ServerSettings> make_properties() {
  constexpr auto kFlags = caffe2rt::gst::kMutableReady;
  PropertyTable<ServerSettings> to;
  to.text("address", "Address", "Address to listen at; 0.0.0.0: all of this machine's",
          CAFFE2RT_FIELD(address), kFlags);
  to.integer("port", "Port", "TCP port to listen at; 0: any that is free", CAFFE2RT_FIELD(port), 0, 65535,
             kFlags);
  to.text("mount", "Mount point", "Path of the stream in the server's URL", CAFFE2RT_FIELD(mount), kFlags);
  return to;
}

const PropertyTable<ServerSettings>& properties() {
  static const PropertyTable<ServerSettings> all = make_properties();
  return all;
}

void set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  bool known = false;
  service(object).change([&](ServerSettings& settings) { known = properties().set(settings, id, value); });
  if (!known) G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
}

void get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  if (!properties().get(service(object).settings(), id, value))
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
}

GstStateChangeReturn change_state(GstElement* element, GstStateChange change) {
  if (change == GST_STATE_CHANGE_NULL_TO_READY && !service(element).start()) return GST_STATE_CHANGE_FAILURE;
  const GstStateChangeReturn result =
      GST_ELEMENT_CLASS(rtsp_sink_parent_class)->change_state(element, change);
  if (change == GST_STATE_CHANGE_READY_TO_NULL) service(element).stop();
  return result;
}

void finalize(GObject* object) {
  delete reinterpret_cast<RtspSink*>(object)->service;
  G_OBJECT_CLASS(rtsp_sink_parent_class)->finalize(object);
}

void rtsp_sink_class_init(RtspSinkClass* klass) {
  auto* object = G_OBJECT_CLASS(klass);
  object->set_property = set_property;
  object->get_property = get_property;
  object->finalize = finalize;
  properties().install(object);
  auto* element = GST_ELEMENT_CLASS(klass);
  element->change_state = change_state;
  gst_element_class_set_static_metadata(element, "RTSP server sink", "Sink/Network",
                                        "Serves an H.264 stream to RTSP clients", "gst-caffe2");
  const Owned<GstCaps> h264(gst_caps_new_empty_simple("video/x-h264"));
  gst_element_class_add_pad_template(element,
                                     gst_pad_template_new("sink", GST_PAD_SINK, GST_PAD_ALWAYS, h264.get()));
}

void rtsp_sink_init(RtspSink* self) {
  GstElement* parse = gst_element_factory_make("h264parse", nullptr);
  GstElement* in = gst_element_factory_make("appsink", nullptr);
  gst_bin_add(GST_BIN(self), in);
  const Owned<GstCaps> caps(gst_caps_from_string("video/x-h264, stream-format=byte-stream, alignment=au"));
  g_object_set(in, "caps", caps.get(), "enable-last-sample", FALSE, nullptr);
  self->service = new Service(GST_ELEMENT(self), in);
  GstAppSinkCallbacks callbacks = {};
  callbacks.eos = on_eos;
  callbacks.new_sample = on_sample;
  gst_app_sink_set_callbacks(GST_APP_SINK(in), &callbacks, self->service, nullptr);
  if (!parse) return;  // the sink has no pad then, and cannot be linked
  g_object_set(parse, "config-interval", -1, nullptr);
  gst_bin_add(GST_BIN(self), parse);
  gst_element_link(parse, in);
  const Owned<GstPad> pad(gst_element_get_static_pad(parse, "sink"));
  GstPadTemplate* pad_template = gst_element_class_get_pad_template(GST_ELEMENT_GET_CLASS(self), "sink");
  gst_element_add_pad(GST_ELEMENT(self), gst_ghost_pad_new_from_template("sink", pad.get(), pad_template));
}

}  // namespace

void caffe2rt::register_rtsp_sink() {
  gst_element_register(nullptr, "rtspserversink", GST_RANK_NONE, rtsp_sink_get_type());
}
