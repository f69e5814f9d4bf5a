// caffe2_launch: gst-launch with a progress line, a summary of what caffe2inference saw, and two elements for
// streams: livesrc and rtspserversink.
#include <glib-unix.h>
#include <gst/gst.h>

#include "launch/progress.h"
#include "live/live_source.h"
#include "live/message_text.h"
#include "live/owned.h"
#include "live/rtsp_sink.h"
#include "tool.h"

namespace caffe2rt {
namespace {

constexpr double kPatience = 10;  // s, for a stream to end that was asked to

struct Flags {
  std::vector<std::string> pipeline;  // gst-launch's words
  double seconds = 0;
};

// Takes a pipeline from its start to the end of its stream.
class Run {
 public:
  Run(GstElement* pipeline, const Tally& tally, double seconds)
      : pipeline_(pipeline),
        bus_(gst_element_get_bus(pipeline)),
        tally_(tally),
        progress_(pipeline, tally),
        seconds_(seconds) {}
  ~Run() { gst_element_set_state(pipeline_, GST_STATE_NULL); }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  void until_eos();
  double fps() const { return progress_.fps(); }

 private:
  static gboolean on_signal(gpointer self);
  void end_stream();
  bool look_at(GstMessage* message);  // true: it is over
  void check_time();

  GstElement* const pipeline_;
  const Owned<GstBus> bus_;
  const Tally& tally_;
  Progress progress_;
  const double seconds_;   // 0: to the end
  Owned<GTimer> ending_;   // since the stream was asked to end, and anything moved
  bool given_up_ = false;  // it was asked again
  gint64 moved_to_ = 0;    // position of the pipeline then
  long frames_at_ = 0;     // frames that had passed then
};

// An interrupt ends the stream properly, so that a file being written is complete.
gboolean Run::on_signal(gpointer self) {
  static_cast<Run*>(self)->end_stream();
  return G_SOURCE_CONTINUE;
}

void Run::end_stream() {
  if (ending_) {
    given_up_ = true;
    return;
  }
  ending_.reset(g_timer_new());
  gst_element_send_event(pipeline_, gst_event_new_eos());
}

bool Run::look_at(GstMessage* message) {
  switch (GST_MESSAGE_TYPE(message)) {
    case GST_MESSAGE_EOS:
      return true;
    case GST_MESSAGE_ERROR:
      progress_.finish();
      fail(ErrorCode::kInternal, "{}: {}", GST_OBJECT_NAME(GST_MESSAGE_SRC(message)), message_text(message));
    case GST_MESSAGE_WARNING:
      progress_.say(fmt::format("caffe2_launch: warning: {}: {}", GST_OBJECT_NAME(GST_MESSAGE_SRC(message)),
                                message_text(message)));
      return false;
    case GST_MESSAGE_ELEMENT:
      if (const std::string text = element_text(message); !text.empty()) progress_.say(text);
      return false;
    case GST_MESSAGE_LATENCY:
      gst_bin_recalculate_latency(GST_BIN(pipeline_));
      return false;
    default:
      return false;
  }
}

void Run::check_time() {
  if (seconds_ > 0 && !ending_ && tally_.seconds() >= seconds_) end_stream();
  if (!ending_) return;
  // What is on its way is written to the end, however slow the model is.
  gint64 position = moved_to_;
  gst_element_query_position(pipeline_, GST_FORMAT_TIME, &position);
  if (position != moved_to_ || tally_.frames() != frames_at_) {
    moved_to_ = position;
    frames_at_ = tally_.frames();
    g_timer_start(ending_.get());
  }
  if (!given_up_ && g_timer_elapsed(ending_.get(), nullptr) <= kPatience) return;
  progress_.finish();
  require(!given_up_, ErrorCode::kInternal, "the stream was not waited for: a signal came again");
  fail(ErrorCode::kInternal, "the stream was asked to end, and stands still since {:g} s", kPatience);
}

void Run::until_eos() {
  constexpr auto kWatched = static_cast<GstMessageType>(
      GST_MESSAGE_EOS | GST_MESSAGE_ERROR | GST_MESSAGE_WARNING | GST_MESSAGE_ELEMENT | GST_MESSAGE_LATENCY);
  const guint interrupt = g_unix_signal_add(SIGINT, on_signal, this);
  const guint end = g_unix_signal_add(SIGTERM, on_signal, this);
  gst_element_set_state(pipeline_, GST_STATE_PLAYING);  // a failure is on the bus
  for (bool over = false; !over;) {
    while (g_main_context_iteration(nullptr, FALSE)) {
    }
    const Owned<GstMessage> message(gst_bus_timed_pop_filtered(bus_.get(), 100 * GST_MSECOND, kWatched));
    progress_.show();
    if (message) over = look_at(message.get());
    check_time();
  }
  progress_.finish();
  g_source_remove(interrupt);
  g_source_remove(end);
}

void launch(const Flags& flags) {
  gst_init(nullptr, nullptr);
  register_live_source();
  register_rtsp_sink();
  require(!flags.pipeline.empty(), ErrorCode::kArgument,
          "expected a pipeline, as gst-launch-1.0 takes it (see --help)");
  std::vector<const char*> words;
  words.reserve(flags.pipeline.size() + 1);
  for (const auto& word : flags.pipeline) words.push_back(word.c_str());
  words.push_back(nullptr);
  GError* error = nullptr;
  const Owned<GstElement> pipeline(gst_parse_launchv(words.data(), &error));
  const Owned<GError> owned(error);
  require(error == nullptr, ErrorCode::kArgument, "{}", error ? error->message : "");
  require(GST_IS_PIPELINE(pipeline.get()), ErrorCode::kArgument, "expected a pipeline, got a single element");

  const Tally tally(pipeline.get());
  double fps = 0;
  {
    Run run(pipeline.get(), tally, flags.seconds);
    run.until_eos();
    fps = run.fps();
  }
  fmt::print("{} frames, {:.1f} fps\n", tally.frames(), fps);
  for (const auto& [label, count] : tally.objects()) fmt::print("  {:24} {:6}\n", label, count);
}

void add_options(CLI::App& app, Flags& flags) {
  app.add_option("--seconds", flags.seconds, "End the stream so long after its first frame")
      ->check(CLI::PositiveNumber);
  app.footer(
      "What follows the options is a pipeline, as gst-launch-1.0 takes it:\n"
      "  caffe2_launch filesrc location=in.mp4 ! decodebin ! videoconvert ! caffe2inference model=DIR ! "
      "fakesink\n"
      "Two elements are known here alone:\n"
      "  livesrc         decoded frames of an RTSP or HTTP source, which is asked again when it goes away:\n"
      "                  uri, latency (ms, 200), timeout (s, 5), reconnect (never, once-seen, always),\n"
      "                  user-id, user-pw, protocols (tcp, udp, udp-mcast)\n"
      "  rtspserversink  serves an H.264 stream to RTSP clients: address (0.0.0.0), port (8554), mount "
      "(/live)\n"
      "SIGINT and SIGTERM end the stream as its own end does; a second one does not wait for it.");
  app.prefix_command();  // everything else is the pipeline's
  app.callback([&] { flags.pipeline = app.remaining(); });
}

}  // namespace
}  // namespace caffe2rt

int main(int argc, char** argv) {
  return caffe2rt::run_tool<caffe2rt::Flags>(
      "caffe2_launch",
      "Runs a GStreamer pipeline as gst-launch-1.0 does, shows progress, and says at the end how many frames "
      "passed caffe2inference and how many objects of each class it found in them.",
      argc, argv, caffe2rt::add_options, caffe2rt::launch);
}
