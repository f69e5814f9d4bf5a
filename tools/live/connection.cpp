#include "connection.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "message_text.h"

namespace caffe2rt {
namespace {

bool has_property(GstElement* element, const char* name) {
  return g_object_class_find_property(G_OBJECT_GET_CLASS(element), name) != nullptr;
}

GstElement* make(const char* factory) {
  GstElement* made = gst_element_factory_make(factory, nullptr);
  require(made != nullptr, ErrorCode::kNotFound, "expected GStreamer's element {}, which is not installed",
          factory);
  return made;
}

// What rtspsrc says in a general way, in the words of who typed a command.
std::string cause_of(GstMessage* message, GstResourceError code) {
  std::string text = message_text(message);
  if (code == GST_RESOURCE_ERROR_NOT_AUTHORIZED || text.find("Unauthorized") != std::string::npos)
    return "the server refused the user name or the password: " + text;
  if (text.find("Failed to connect") != std::string::npos) return "cannot connect: " + text;
  return text;
}

}  // namespace

Connection::Connection(const LiveSettings& settings, const OuterTime& time, FrameReceiver& receiver)
    : settings_(settings), time_(time), receiver_(receiver), pipeline_(gst_pipeline_new(nullptr)) {
  gst_object_ref_sink(pipeline_.get());
  GstElement* source = make("uridecodebin");
  gst_bin_add(GST_BIN(pipeline_.get()), source);
  filter_ = make("capsfilter");
  gst_bin_add(GST_BIN(pipeline_.get()), filter_);
  sink_ = make("fakesink");
  gst_bin_add(GST_BIN(pipeline_.get()), sink_);

  const Owned<GstCaps> video(gst_caps_new_empty_simple("video/x-raw"));
  // In whatever memory decoders of the machine may offer: they can do ours too.
  const Owned<GstCaps> decoded(gst_caps_from_string("video/x-raw(ANY)"));
  g_object_set(source, "uri", settings_.uri.c_str(), "caps", decoded.get(), "expose-all-streams", FALSE,
               nullptr);
  g_object_set(filter_, "caps", video.get(), nullptr);
  gst_element_link(filter_, sink_);
  g_object_set(sink_, "signal-handoffs", TRUE, "enable-last-sample", FALSE, nullptr);
  g_signal_connect(source, "source-setup", G_CALLBACK(set_up_source), this);
  g_signal_connect(source, "pad-added", G_CALLBACK(link_pad), this);
  g_signal_connect(sink_, "handoff", G_CALLBACK(receive), this);
  gst_pipeline_use_clock(GST_PIPELINE(pipeline_.get()), time_.clock);
}

Connection::~Connection() { gst_element_set_state(pipeline_.get(), GST_STATE_NULL); }

void Connection::set_up_source(GstElement*, GstElement* source, gpointer self) {
  const LiveSettings& settings = static_cast<Connection*>(self)->settings_;
  if (!has_property(source, "user-pw") || !has_property(source, "latency")) return;  // not rtspsrc
  g_object_set(source, "latency", static_cast<guint>(settings.latency), nullptr);
  if (!settings.user_id.empty()) g_object_set(source, "user-id", settings.user_id.c_str(), nullptr);
  if (!settings.user_pw.empty()) g_object_set(source, "user-pw", settings.user_pw.c_str(), nullptr);
  if (!settings.protocols.empty())
    gst_util_set_object_arg(G_OBJECT(source), "protocols", settings.protocols.c_str());
  g_signal_connect(source, "select-stream", G_CALLBACK(select_stream), nullptr);
}

// Sound is not even asked for.
gboolean Connection::select_stream(GstElement*, guint, GstCaps* caps, gpointer) {
  const char* media = gst_structure_get_string(gst_caps_get_structure(caps, 0), "media");
  return media == nullptr || std::strcmp(media, "video") == 0;
}

void Connection::link_pad(GstElement*, GstPad* pad, gpointer self) {
  const Owned<GstPad> sink(gst_element_get_static_pad(static_cast<Connection*>(self)->filter_, "sink"));
  if (!gst_pad_is_linked(sink.get())) gst_pad_link(pad, sink.get());
}

void Connection::receive(GstElement* sink, GstBuffer* buffer, GstPad* pad, gpointer self) {
  auto& connection = *static_cast<Connection*>(self);
  const Owned<GstEvent> event(gst_pad_get_sticky_event(pad, GST_EVENT_SEGMENT, 0));
  const Owned<GstCaps> caps(gst_pad_get_current_caps(pad));
  if (!event || !caps) return;
  const GstSegment* segment = nullptr;
  gst_event_parse_segment(event.get(), &segment);
  GstClockTime time = gst_segment_to_running_time(segment, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer));
  // Of a live source both base times are the same; another started when it was ready.
  const GstClockTimeDiff offset = GST_CLOCK_DIFF(connection.time_.base, gst_element_get_base_time(sink));
  if (GST_CLOCK_TIME_IS_VALID(time))
    time = static_cast<GstClockTime>(
        std::max<GstClockTimeDiff>(0, static_cast<GstClockTimeDiff>(time) + offset));
  else
    time = gst_clock_get_time(connection.time_.clock) - connection.time_.base;

  Owned<GstBuffer> frame(gst_buffer_ref(buffer));
  if (GST_BUFFER_PTS(buffer) != time || GST_BUFFER_DTS_IS_VALID(buffer)) {
    frame.reset(gst_buffer_make_writable(frame.release()));  // copies the description alone
    GST_BUFFER_PTS(frame.get()) = time;
    GST_BUFFER_DTS(frame.get()) = GST_CLOCK_TIME_NONE;
  }
  connection.receiver_.receive(std::move(frame), caps.get());
  connection.last_frame_ = (Steady::now() - connection.start_).count();
}

void Connection::play() {
  live_ = gst_element_set_state(pipeline_.get(), GST_STATE_PAUSED) == GST_STATE_CHANGE_NO_PREROLL;
  if (live_) {
    gst_element_set_start_time(pipeline_.get(), GST_CLOCK_TIME_NONE);
    gst_element_set_base_time(pipeline_.get(), time_.base);
  } else {
    g_object_set(sink_, "sync", TRUE, nullptr);  // a file plays at its own speed
  }
  gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING);  // a failure is on the bus
}

// Asked above the sink, which by itself says that it does not wait for the clock.
void Connection::take_latency() {
  const Owned<GstQuery> query(gst_query_new_latency());
  const Owned<GstPad> pad(gst_element_get_static_pad(sink_, "sink"));
  if (!gst_pad_peer_query(pad.get(), query.get())) return;
  gboolean live = FALSE;
  GstClockTime least = 0, most = GST_CLOCK_TIME_NONE;
  gst_query_parse_latency(query.get(), &live, &least, &most);
  if (live) receiver_.set_latency(least, most);
}

bool Connection::is_endless() const {
  gint64 duration = 0;
  return live_ || !gst_element_query_duration(pipeline_.get(), GST_FORMAT_TIME, &duration) || duration <= 0;
}

bool Connection::look_at(GstMessage* message, Outcome& outcome) {
  switch (GST_MESSAGE_TYPE(message)) {
    case GST_MESSAGE_ERROR: {
      GError* error = nullptr;
      gst_message_parse_error(message, &error, nullptr);
      const Owned<GError> owned(error);
      outcome.end = Outcome::End::kFailed;
      if (error->domain == GST_RESOURCE_ERROR) outcome.code = static_cast<GstResourceError>(error->code);
      outcome.cause = without_password(cause_of(message, outcome.code), settings_.uri);
      return true;
    }
    case GST_MESSAGE_EOS:
      outcome.end = Outcome::End::kEnded;
      return true;
    case GST_MESSAGE_LATENCY:
    case GST_MESSAGE_ASYNC_DONE:
      take_latency();
      return false;
    default:
      return false;
  }
}

bool Connection::is_overdue(Outcome& outcome) const {
  const Steady::duration last(last_frame_.load());
  const bool seen = last.count() > 0;
  const double patience = seen ? settings_.timeout : 3 * settings_.timeout;
  const std::chrono::duration<double> waited = Steady::now() - start_ - last;
  if (waited.count() < patience) return false;
  outcome.end = Outcome::End::kFailed;
  outcome.cause = fmt::format("expected a frame within {:g} s, got none", patience);
  return true;
}

Outcome Connection::wait(const std::stop_token& stop) {
  const Owned<GstBus> bus(gst_element_get_bus(pipeline_.get()));
  Outcome outcome;
  play();
  bool latency_known = false;
  for (bool over = false; !over && !stop.stop_requested();) {
    const Owned<GstMessage> message(gst_bus_timed_pop_filtered(
        bus.get(), 50 * GST_MSECOND,
        static_cast<GstMessageType>(GST_MESSAGE_ERROR | GST_MESSAGE_EOS | GST_MESSAGE_LATENCY |
                                    GST_MESSAGE_ASYNC_DONE)));
    if (!latency_known && last_frame_ > 0) {
      latency_known = true;
      take_latency();
    }
    over = message ? look_at(message.get(), outcome) : is_overdue(outcome);
  }
  outcome.live = is_endless();
  outcome.had_frames = last_frame_ > 0;
  return outcome;
}

}  // namespace caffe2rt
