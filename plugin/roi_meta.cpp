#include "roi_meta.h"

#include <gst/video/video.h>

#include <algorithm>
#include <vector>

#include "base/error.h"
#include "pixel_box.h"
#include "track_ids.h"

namespace caffe2rt::gst {

namespace {

// Calls f for each region of interest.
template <class F>
void for_each_region(GstBuffer* buffer, F&& f) {
  gpointer state = nullptr;
  while (GstMeta* meta =
             gst_buffer_iterate_meta_filtered(buffer, &state, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE))
    f(reinterpret_cast<GstVideoRegionOfInterestMeta*>(meta));
}

int first_free_id(GstBuffer* buffer) {
  int id = 0;
  for_each_region(buffer, [&](const auto* roi) { id = std::max(id, roi->id + 1); });
  return id;
}

void add_track_id(GstVideoRegionOfInterestMeta* roi, std::int64_t track_id) {
  gst_video_region_of_interest_meta_add_param(
      roi, gst_structure_new("object_id", "id", G_TYPE_INT, static_cast<gint>(track_id), nullptr));
}

void attach_classes(GstBuffer* buffer, const Detections& detections) {
  for (const Region& region : detections.regions) {
    if (region.parent < 0 || region.classes.empty()) continue;
    const ClassScore& best = region.classes.front();
    GstVideoRegionOfInterestMeta* roi =
        gst_buffer_get_video_region_of_interest_meta_id(buffer, region.parent);
    if (!roi) continue;
    gst_video_region_of_interest_meta_add_param(
        roi, gst_structure_new("classification", "label", G_TYPE_STRING,
                               detections.label(best.class_id).c_str(), "label_id", G_TYPE_INT, best.class_id,
                               "confidence", G_TYPE_DOUBLE, static_cast<double>(best.score), nullptr));
  }
}

}  // namespace

void attach_regions(GstBuffer* buffer, const Detections& detections) {
  attach_classes(buffer, detections);
  const int first_id = first_free_id(buffer);
  const float width = static_cast<float>(detections.width), height = static_cast<float>(detections.height);
  for (size_t i = 0; i < detections.objects.size(); i++) {
    const Object& object = detections.objects[i];
    const Box box = clipped(object.box, detections);
    const FrameRect rect = pixel_box(object.box, detections);
    GstVideoRegionOfInterestMeta* roi = gst_buffer_add_video_region_of_interest_meta(
        buffer, detections.label(object.class_id).c_str(), rect.x, rect.y, rect.width, rect.height);
    roi->id = first_id + static_cast<gint>(i);
    roi->parent_id = object.region >= 0 ? detections.regions[object.region].parent : -1;
    gst_video_region_of_interest_meta_add_param(
        roi, gst_structure_new("detection", "label_id", G_TYPE_INT, object.class_id, "confidence",
                               G_TYPE_DOUBLE, static_cast<double>(object.score), "x_min", G_TYPE_DOUBLE,
                               static_cast<double>(box.x1 / width), "x_max", G_TYPE_DOUBLE,
                               static_cast<double>(box.x2 / width), "y_min", G_TYPE_DOUBLE,
                               static_cast<double>(box.y1 / height), "y_max", G_TYPE_DOUBLE,
                               static_cast<double>(box.y2 / height), nullptr));
  }
}

void attach_track_ids(GstBuffer* buffer, const Detections& seen, const Detections& tracked) {
  const auto box_of = [](const Object& object, const Detections& frame) {
    return pixel_box(object.box, frame);
  };
  TrackIds ids(tracked, box_of), all(seen, box_of);
  std::vector<GstMeta*> dropped;
  for_each_region(buffer, [&](GstVideoRegionOfInterestMeta* roi) {
    const auto has = [&](const char* param) {
      return gst_video_region_of_interest_meta_get_param(roi, param) != nullptr;
    };
    if (!roi->roi_type || !has("detection") || has("object_id")) return;
    const auto pixels = [](guint n) { return static_cast<int>(n); };
    const FrameRect box{pixels(roi->x), pixels(roi->y), pixels(roi->w), pixels(roi->h)};
    const auto id = ids.take(box, roi->roi_type);
    if (id && *id >= 0) add_track_id(roi, *id);
    if (!id && all.take(box, roi->roi_type)) dropped.push_back(&roi->meta);
  });
  for (GstMeta* meta : dropped) gst_buffer_remove_meta(buffer, meta);
}

void draw_regions(GstBuffer* buffer, Overlay& overlay, const OverlayStyle& style) {
  for_each_region(buffer, [&](GstVideoRegionOfInterestMeta* roi) {
    const GstStructure* detection = gst_video_region_of_interest_meta_get_param(roi, "detection");
    if (!detection) return;
    gint class_id = static_cast<gint>(roi->roi_type);
    gst_structure_get_int(detection, "label_id", &class_id);
    gdouble score = 0;
    const bool scored = gst_structure_get_double(detection, "confidence", &score) && style.scores;
    const gchar* label = style.labels && roi->roi_type ? g_quark_to_string(roi->roi_type) : "";
    const Box box{static_cast<float>(roi->x), static_cast<float>(roi->y), static_cast<float>(roi->x) + roi->w,
                  static_cast<float>(roi->y) + roi->h};
    overlay.draw_box(box, scored ? fmt::format("{}{}{:.2f}", label, *label ? " " : "", score) : label,
                     class_id);
  });
}

}  // namespace caffe2rt::gst
