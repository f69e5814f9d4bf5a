// What of a frame's detections is attached to its buffer.
#pragma once

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

}  // namespace caffe2rt::gst
