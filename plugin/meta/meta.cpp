// GstCaffe2Meta as GStreamer sees it: registration, copying, and following the frame through transforms.
#include "meta.h"

#include <algorithm>
#include <cmath>
#include <optional>

using caffe2rt::Affine;
using caffe2rt::gst::SeenFrame;

struct GstCaffe2Meta {
  GstMeta meta;
  SeenFrame* seen;  // owned; never null once attached
};

namespace {

GstCaffe2Meta* self(GstMeta* meta) { return reinterpret_cast<GstCaffe2Meta*>(meta); }

gboolean init(GstMeta* meta, gpointer params, GstBuffer*) {
  self(meta)->seen =
      params ? new SeenFrame(std::move(*static_cast<SeenFrame*>(params)))
             : new SeenFrame{std::make_shared<caffe2rt::Detections>(), GST_CAFFE2_LOOK_GAP, {}, 0, 0};
  return TRUE;
}

void release(GstMeta* meta, GstBuffer*) { delete self(meta)->seen; }

// Borders that a scaler adds where it keeps the picture's shape and the shapes differ, pixels in all. Whether
// it did (add-borders of videoscale) or stretched the picture cannot be seen from here.
double possible_borders(const GstVideoInfo& in, const GstVideoInfo& out) {
  const double in_shape =
      static_cast<double>(in.width) * in.par_n / (static_cast<double>(in.height) * in.par_d);
  const double out_par = static_cast<double>(out.par_n) / out.par_d;
  const double width = out.height * in_shape / out_par, height = out.width / in_shape * out_par;
  return std::max(0.0, std::max(out.width - width, out.height - height));
}

// What a scaler makes of the frame; nothing where that is not certain to within a pixel.
std::optional<SeenFrame> scaled(const SeenFrame& frame, const GstVideoMetaTransform& transform) {
  const GstVideoInfo &in = *transform.in_info, &out = *transform.out_info;
  if (in.width != frame.width || in.height != frame.height) return {};
  if (possible_borders(in, out) > 2) return {};
  SeenFrame now = frame;
  now.map = frame.map.then(
      Affine::scale(static_cast<double>(out.width) / in.width, static_cast<double>(out.height) / in.height));
  now.width = out.width;
  now.height = out.height;
  return now;
}

gboolean transform(GstBuffer* to, GstMeta* meta, GstBuffer*, GQuark type, gpointer data) {
  const SeenFrame& frame = *self(meta)->seen;
  std::optional<SeenFrame> now;
  if (GST_META_TRANSFORM_IS_COPY(type) && !static_cast<GstMetaTransformCopy*>(data)->region)
    now = frame;
  else if (GST_VIDEO_META_TRANSFORM_IS_SCALE(type))
    now = scaled(frame, *static_cast<GstVideoMetaTransform*>(data));
  return now && caffe2rt::gst::attach(to, std::move(*now)) ? TRUE : FALSE;
}

}  // namespace

GType gst_caffe2_meta_api_get_type() {
  static const GType type = [] {
    const gchar* tags[] = {GST_META_TAG_VIDEO_STR, GST_META_TAG_VIDEO_ORIENTATION_STR,
                           GST_META_TAG_VIDEO_SIZE_STR, nullptr};
    return gst_meta_api_type_register("GstCaffe2MetaAPI", tags);
  }();
  return type;
}

const GstMetaInfo* gst_caffe2_meta_get_info() {
  static const GstMetaInfo* info = gst_meta_register(GST_CAFFE2_META_API_TYPE, "GstCaffe2Meta",
                                                     sizeof(GstCaffe2Meta), init, release, transform);
  return info;
}

GstCaffe2Meta* gst_buffer_get_caffe2_meta(GstBuffer* buffer) {
  g_return_val_if_fail(GST_IS_BUFFER(buffer), nullptr);
  return reinterpret_cast<GstCaffe2Meta*>(gst_buffer_get_meta(buffer, GST_CAFFE2_META_API_TYPE));
}

namespace caffe2rt::gst {

GstCaffe2Meta* attach(GstBuffer* buffer, SeenFrame seen) {
  return reinterpret_cast<GstCaffe2Meta*>(gst_buffer_add_meta(buffer, GST_CAFFE2_META_INFO, &seen));
}

const SeenFrame& seen(const GstCaffe2Meta* meta) { return *meta->seen; }

}  // namespace caffe2rt::gst
