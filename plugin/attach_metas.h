// What of a frame's detections is attached to its buffer.
#pragma once

#include <cstdint>
#include <map>

#include "meta/meta.h"

namespace caffe2rt::gst {

enum MetaFlags : guint {
  kCaffe2Meta = 1 << 0,  // GstCaffe2Meta: all that the model saw
  kRoiMeta = 1 << 1,     // a GstVideoRegionOfInterestMeta per object (roi_meta.h)
#ifdef CAFFE2RT_ANALYTICS
  kAnalyticsMeta = 1 << 2,   // a GstAnalyticsRelationMeta (analytics_meta.h)
  kAnalyticsMasks = 1 << 3,  // and masks and maps in it
#endif
};
#ifdef CAFFE2RT_ANALYTICS
inline constexpr guint kDefaultMetas = kCaffe2Meta | kRoiMeta | kAnalyticsMeta;
#else
inline constexpr guint kDefaultMetas = kCaffe2Meta | kRoiMeta;
#endif

// GstCaffe2MetaFlags, for the property.
GType meta_flags_type();

// REQUIRES: the buffer is writable.
void attach_metas(GstBuffer* buffer, SeenFrame seen, guint flags);

// When tracks were first seen, running time (ns), by id.
using FirstSeen = std::map<std::int64_t, GstClockTime>;

// Adds tracks, at a running time of `now`, to what was attached of the objects `seen`: regions get ids and
// lose those not among `tracked`, analytics metadata gets TrackingMtds. REQUIRES: the buffer is writable;
// both belong to this very frame.
void attach_tracks(GstBuffer* buffer, const Detections& seen, const Detections& tracked,
                   const FirstSeen& first, GstClockTime now);

}  // namespace caffe2rt::gst
