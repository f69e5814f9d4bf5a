#include "announce_crossings.h"

#include <algorithm>
#include <string>

#include "base/error.h"

namespace caffe2rt::gst {
namespace {

using Kind = Crossing::Kind;

GstStructure* line_message(const Crossing& crossing, const CountingLine& line, const std::string& who) {
  const char* direction = crossing.kind == Kind::kForward ? "forward" : "backward";
  const std::string text = fmt::format("{}: {} crossed {} ({} forward, {} backward)", line.name, who,
                                       direction, line.forward, line.backward);
  return gst_structure_new("caffe2-line-crossed", "line", G_TYPE_STRING, line.name.c_str(), "direction",
                           G_TYPE_STRING, direction, "forward", G_TYPE_INT64, gint64{line.forward},
                           "backward", G_TYPE_INT64, gint64{line.backward}, "text", G_TYPE_STRING,
                           text.c_str(), nullptr);
}

GstStructure* zone_message(const Crossing& crossing, const CountingZone& zone, const std::string& who) {
  const bool left = crossing.kind == Kind::kLeft;
  const std::string after = left ? fmt::format(" after {:.1f} s", crossing.dwell) : "";
  const std::string text =
      fmt::format("{}: {} {}{} ({} inside)", zone.name, who, left ? "left" : "entered", after, zone.inside);
  GstStructure* message = gst_structure_new(
      left ? "caffe2-zone-left" : "caffe2-zone-entered", "zone", G_TYPE_STRING, zone.name.c_str(), "inside",
      G_TYPE_INT64, gint64{zone.inside}, "entered", G_TYPE_INT64, gint64{zone.entered}, "left", G_TYPE_INT64,
      gint64{zone.left}, "text", G_TYPE_STRING, text.c_str(), nullptr);
  if (left)
    gst_structure_set(message, "dwell", G_TYPE_UINT64,
                      static_cast<guint64>(std::max(0.0, crossing.dwell) * GST_SECOND), nullptr);
  return message;
}

}  // namespace

void announce_crossings(GstElement* element, const Detections& frame, const FrameTimes& times) {
  for (const Crossing& crossing : frame.crossings) {
    const std::string label = frame.label(crossing.class_id);
    const std::string who = fmt::format("{} #{}", label, crossing.track_id);
    const bool of_line = crossing.kind == Kind::kForward || crossing.kind == Kind::kBackward;
    GstStructure* message = of_line ? line_message(crossing, frame.lines[crossing.where], who)
                                    : zone_message(crossing, frame.zones[crossing.where], who);
    gst_structure_set(message, "track-id", G_TYPE_INT64, gint64{crossing.track_id}, "class-id", G_TYPE_INT,
                      crossing.class_id, "label", G_TYPE_STRING, label.c_str(), "x", G_TYPE_DOUBLE,
                      crossing.at.x, "y", G_TYPE_DOUBLE, crossing.at.y, "timestamp", G_TYPE_UINT64,
                      guint64{times.timestamp}, "stream-time", G_TYPE_UINT64, guint64{times.stream_time},
                      "running-time", G_TYPE_UINT64, guint64{times.running_time}, "duration", G_TYPE_UINT64,
                      guint64{times.duration}, nullptr);
    gst_element_post_message(element, gst_message_new_element(GST_OBJECT(element), message));
  }
}

}  // namespace caffe2rt::gst
