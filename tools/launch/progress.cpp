#include "launch/progress.h"

#include <gst/video/video.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <set>

#include "base/error.h"
#include "live/owned.h"

namespace caffe2rt {
namespace {

bool is_inference(GstElement* element) {
  GstElementFactory* factory = gst_element_get_factory(element);
  return factory && g_strcmp0(GST_OBJECT_NAME(factory), "caffe2inference") == 0;
}

// Whether what leaves the element comes to another caffe2inference.
bool leads_to_another(GstElement* element, std::set<GstElement*>& seen) {
  bool found = false;
  for (GList* item = element->srcpads; item && !found; item = item->next) {
    const Owned<GstPad> peer(gst_pad_get_peer(GST_PAD(item->data)));
    const Owned<GstElement> next(peer ? gst_pad_get_parent_element(peer.get()) : nullptr);
    if (!next || !seen.insert(next.get()).second) continue;
    found = is_inference(next.get()) || leads_to_another(next.get(), seen);
  }
  return found;
}

}  // namespace

Tally::Tally(GstElement* pipeline) {
  const Owned<GstIterator> found(
      gst_bin_iterate_all_by_element_factory_name(GST_BIN(pipeline), "caffe2inference"));
  GValue item = G_VALUE_INIT;
  while (gst_iterator_next(found.get(), &item) == GST_ITERATOR_OK) {
    auto* element = GST_ELEMENT(g_value_get_object(&item));
    std::set<GstElement*> seen;
    if (!leads_to_another(element, seen)) {
      const Owned<GstPad> pad(gst_element_get_static_pad(element, "src"));
      gst_pad_add_probe(pad.get(), GST_PAD_PROBE_TYPE_BUFFER, count, this, nullptr);
    }
    g_value_reset(&item);
  }
  g_value_unset(&item);
}

GstPadProbeReturn Tally::count(GstPad*, GstPadProbeInfo* info, gpointer self) {
  auto& tally = *static_cast<Tally*>(self);
  const std::lock_guard lock(tally.mutex_);
  if (tally.frames_++ == 0) tally.first_ = Steady::now();
  gpointer state = nullptr;
  while (GstMeta* meta = gst_buffer_iterate_meta_filtered(GST_PAD_PROBE_INFO_BUFFER(info), &state,
                                                          GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE))
    tally.objects_[g_quark_to_string(reinterpret_cast<GstVideoRegionOfInterestMeta*>(meta)->roi_type)]++;
  return GST_PAD_PROBE_OK;
}

long Tally::frames() const {
  const std::lock_guard lock(mutex_);
  return frames_;
}

std::map<std::string, long> Tally::objects() const {
  const std::lock_guard lock(mutex_);
  return objects_;
}

double Tally::seconds() const {
  const std::lock_guard lock(mutex_);
  return frames_ == 0 ? 0 : std::chrono::duration<double>(Steady::now() - first_).count();
}

void Progress::show() {
  const bool terminal = isatty(STDERR_FILENO) != 0;
  if (!terminal && seconds() < next_line_) return;
  next_line_ = seconds() + kInterval;
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
  open_ = terminal;
}

void Progress::say(const std::string& text) {
  finish();
  std::fprintf(stderr, "%s\n", text.c_str());
}

void Progress::finish() {
  if (open_) std::fputc('\n', stderr);
  open_ = false;
}

// From the first frame on: loading a model takes no time of the stream's.
double Progress::fps() const {
  return static_cast<double>(std::max(0L, tally_.frames() - 1)) / std::max(1e-3, tally_.seconds());
}

double Progress::seconds() const { return std::chrono::duration<double>(Steady::now() - start_).count(); }

}  // namespace caffe2rt
