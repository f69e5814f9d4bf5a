#include "attach_metas.h"

#include <utility>

#include "roi_meta.h"

namespace caffe2rt::gst {

GType meta_flags_type() {
  static const GFlagsValue values[] = {
      {kCaffe2Meta, "GstCaffe2Meta: everything that the model saw", "caffe2"},
      {kRoiMeta, "A GstVideoRegionOfInterestMeta per object", "roi"},
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
  if (flags & kCaffe2Meta) attach(buffer, std::move(seen));
}

}  // namespace caffe2rt::gst
