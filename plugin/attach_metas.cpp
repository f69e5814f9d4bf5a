#include "attach_metas.h"

#include <utility>

#include "roi_meta.h"
#ifdef CAFFE2RT_ANALYTICS
#include "analytics_meta.h"
#endif

namespace caffe2rt::gst {

GType meta_flags_type() {
  static const GFlagsValue values[] = {
      {kCaffe2Meta, "GstCaffe2Meta: everything that the model saw", "caffe2"},
      {kRoiMeta, "A GstVideoRegionOfInterestMeta per object", "roi"},
#ifdef CAFFE2RT_ANALYTICS
      {kAnalyticsMeta, "GstAnalyticsRelationMeta: boxes and classes", "analytics"},
      {kAnalyticsMasks,
       "With it: masks, semantic and panoptic maps, which are pasted for it (GStreamer 1.26)",
       "analytics-masks"},
#endif
      {0, nullptr, nullptr}};
  static const GType type = [] {
    const GType flags = g_flags_register_static("GstCaffe2MetaFlags", values);
    gst_type_mark_as_plugin_api(flags, GstPluginAPIFlags(0));
    return flags;
  }();
  return type;
}

void attach_metas(GstBuffer* buffer, SeenFrame seen, guint flags) {
  if (flags & kRoiMeta) attach_regions(buffer, *seen.detections);
#ifdef CAFFE2RT_ANALYTICS
  if (flags & (kAnalyticsMeta | kAnalyticsMasks))
    attach_analytics(buffer, *seen.detections, (flags & kAnalyticsMasks) != 0);
#endif
  if (flags & kCaffe2Meta) attach(buffer, std::move(seen));
}

void attach_tracks(GstBuffer* buffer, const Detections& seen, const Detections& tracked,
                   [[maybe_unused]] const FirstSeen& first, [[maybe_unused]] GstClockTime now) {
  attach_track_ids(buffer, seen, tracked);
#ifdef CAFFE2RT_ANALYTICS
  attach_tracking(buffer, tracked, first, now);
#endif
}

}  // namespace caffe2rt::gst
