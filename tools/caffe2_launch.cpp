// caffe2_launch: gst-launch with a progress line, and a summary of what caffe2inference saw.
#include <glib-unix.h>
#include <gst/gst.h>
#include <gst/video/video.h>
#include <unistd.h>

#include <chrono>
#include <map>
#include <mutex>

#include "tool.h"

namespace caffe2rt {
namespace {

struct Unref {
  void operator()(GstElement* p) const { gst_object_unref(p); }
  void operator()(GstBus* p) const { gst_object_unref(p); }
  void operator()(GstPad* p) const { gst_object_unref(p); }
  void operator()(GstMessage* p) const { gst_message_unref(p); }
  void operator()(GstIterator* p) const { gst_iterator_free(p); }
  void operator()(GError* p) const { g_error_free(p); }
  void operator()(char* p) const { g_free(p); }
};
template <class T>
using Owned = std::unique_ptr<T, Unref>;

// What went through the inference elements so far. Any thread.
class Tally {
 public:
  void count(GstBuffer* buffer) {
    const std::lock_guard lock(mutex_);
    frames_++;
    gpointer state = nullptr;
    while (GstMeta* meta =
               gst_buffer_iterate_meta_filtered(buffer, &state, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE))
      objects_[g_quark_to_string(reinterpret_cast<GstVideoRegionOfInterestMeta*>(meta)->roi_type)]++;
  }
  long frames() const {
    const std::lock_guard lock(mutex_);
    return frames_;
  }
  std::map<std::string, long> objects() const {
    const std::lock_guard lock(mutex_);
    return objects_;
  }

 private:
  mutable std::mutex mutex_;
  long frames_ = 0;
  std::map<std::string, long> objects_;  // by label
};

GstPadProbeReturn count_buffer(GstPad*, GstPadProbeInfo* info, gpointer tally) {
  static_cast<Tally*>(tally)->count(GST_PAD_PROBE_INFO_BUFFER(info));
  return GST_PAD_PROBE_OK;
}

void watch_inference(GstElement* pipeline, Tally& tally) {
  const Owned<GstIterator> found(
      gst_bin_iterate_all_by_element_factory_name(GST_BIN(pipeline), "caffe2inference"));
  GValue item = G_VALUE_INIT;
  while (gst_iterator_next(found.get(), &item) == GST_ITERATOR_OK) {
    const Owned<GstPad> pad(gst_element_get_static_pad(GST_ELEMENT(g_value_get_object(&item)), "src"));
    gst_pad_add_probe(pad.get(), GST_PAD_PROBE_TYPE_BUFFER, count_buffer, &tally, nullptr);
    g_value_reset(&item);
  }
  g_value_unset(&item);
}

class Progress {
 public:
  Progress(GstElement* pipeline, const Tally& tally) : pipeline_(pipeline), tally_(tally) {}

  // One line that is written over on a terminal; elsewhere a line every five seconds.
  void show() {
    const bool terminal = isatty(STDERR_FILENO) != 0;
    if (!terminal && seconds() < next_line_) return;
    next_line_ = seconds() + 5;
    gint64 position = 0, duration = 0;
    const bool known = gst_element_query_position(pipeline_, GST_FORMAT_TIME, &position) &&
                       gst_element_query_duration(pipeline_, GST_FORMAT_TIME, &duration) && duration > 0;
    std::string line = fmt::format("{} frames, {:.1f} fps", tally_.frames(), fps());
    if (known) {
      const double done = std::min(1.0, static_cast<double>(position) / static_cast<double>(duration));
      const auto filled = static_cast<size_t>(done * 30);
      line = fmt::format("[{}{}] {:3.0f} %, {}", std::string(filled, '#'), std::string(30 - filled, ' '),
                         done * 100, line);
      if (done > 0.01) line += fmt::format(", {:.0f} s left", seconds() / done * (1 - done));
    }
    std::fprintf(stderr, terminal ? "\r%s\033[K" : "%s\n", line.c_str());
    shown_ = true;
  }
  void finish() const {
    if (shown_ && isatty(STDERR_FILENO)) std::fputc('\n', stderr);
  }
  double fps() const { return static_cast<double>(tally_.frames()) / std::max(1e-3, seconds()); }

 private:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

  GstElement* const pipeline_;
  const Tally& tally_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  double next_line_ = 0;
  bool shown_ = false;
};

// GStreamer's own elements say what happened in general, and the particulars in the last line of the debug
// text.
[[noreturn]] void throw_error(GstMessage* message) {
  GError* error = nullptr;
  char* debug = nullptr;
  gst_message_parse_error(message, &error, &debug);
  const Owned<GError> owned_error(error);
  const Owned<char> owned_debug(debug);
  std::string particulars = debug ? debug : "";
  particulars = particulars.substr(particulars.rfind('\n') + 1);
  if (particulars.starts_with("../") || particulars.find("):") != std::string::npos) particulars.clear();
  fail(ErrorCode::kInternal, "{}: {}{}", GST_OBJECT_NAME(GST_MESSAGE_SRC(message)), error->message,
       particulars.empty() ? "" : " (" + particulars + ")");
}

// An interrupt ends the stream properly, so that a file being written is complete.
gboolean end_stream(gpointer pipeline) {
  gst_element_send_event(static_cast<GstElement*>(pipeline), gst_event_new_eos());
  return G_SOURCE_CONTINUE;
}

void run_until_eos(GstElement* pipeline, Progress& progress) {
  const Owned<GstBus> bus(gst_element_get_bus(pipeline));
  const guint interrupt = g_unix_signal_add(SIGINT, end_stream, pipeline);
  gst_element_set_state(pipeline, GST_STATE_PLAYING);  // a failure is on the bus
  for (bool ended = false; !ended;) {
    g_main_context_iteration(nullptr, FALSE);
    const Owned<GstMessage> message(gst_bus_timed_pop_filtered(
        bus.get(), 200 * GST_MSECOND, static_cast<GstMessageType>(GST_MESSAGE_ERROR | GST_MESSAGE_EOS)));
    progress.show();
    if (message && GST_MESSAGE_TYPE(message.get()) == GST_MESSAGE_ERROR) {
      progress.finish();
      gst_element_set_state(pipeline, GST_STATE_NULL);
      throw_error(message.get());
    }
    ended = message != nullptr;
  }
  progress.finish();
  gst_element_set_state(pipeline, GST_STATE_NULL);
  g_source_remove(interrupt);
}

struct Flags {
  std::vector<std::string> pipeline;  // gst-launch's words
};

void launch(const Flags& flags) {
  gst_init(nullptr, nullptr);
  std::vector<const char*> words;
  words.reserve(flags.pipeline.size() + 1);
  for (const auto& word : flags.pipeline) words.push_back(word.c_str());
  words.push_back(nullptr);
  GError* error = nullptr;
  const Owned<GstElement> pipeline(gst_parse_launchv(words.data(), &error));
  const Owned<GError> owned(error);
  require(error == nullptr, ErrorCode::kArgument, "{}", error ? error->message : "");
  require(GST_IS_BIN(pipeline.get()), ErrorCode::kArgument, "expected a pipeline, got a single element");

  Tally tally;
  watch_inference(pipeline.get(), tally);
  Progress progress(pipeline.get(), tally);
  run_until_eos(pipeline.get(), progress);
  fmt::print("{} frames, {:.1f} fps\n", tally.frames(), progress.fps());
  for (const auto& [label, count] : tally.objects()) fmt::print("  {:24} {:6}\n", label, count);
}

void add_options(CLI::App& app, Flags& flags) {
  app.prefix_command();  // everything is the pipeline's
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
