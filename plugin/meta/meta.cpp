// GstCaffe2Meta as GStreamer sees it: registration, copying, and following the frame through transforms.
#include "meta.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>

#include "decode/detections_codec.h"

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

#if GST_CHECK_VERSION(1, 28, 0)
// What becomes of the frame where pixels of one rectangle go to another by an affine map, as with crops,
// flips and borders; nothing where parallel lines do not stay parallel.
std::optional<SeenFrame> moved(const SeenFrame& frame, const GstVideoMetaTransformMatrix& transform) {
  const auto& m = transform.matrix;
  const GstVideoRectangle &from = transform.in_rectangle, &to = transform.out_rectangle;
  if (transform.in_info->width != frame.width || transform.in_info->height != frame.height) return {};
  if (m[2][0] != 0 || m[2][1] != 0 || m[2][2] != 1) return {};
  // The matrix says where pixels go, by their numbers: mirrored, a pixel's far edge becomes its near one.
  const auto far = [](double x, double y) { return std::max(0.0, -x) + std::max(0.0, -y); };
  const Affine matrix{m[0][0], m[0][1], m[0][2] + far(m[0][0], m[0][1]),
                      m[1][0], m[1][1], m[1][2] + far(m[1][0], m[1][1])};
  SeenFrame now = frame;
  now.map = frame.map.then({1, 0, -1.0 * from.x, 0, 1, -1.0 * from.y})
                .then(matrix)
                .then({1, 0, 1.0 * to.x, 0, 1, 1.0 * to.y});
  now.width = transform.out_info->width;
  now.height = transform.out_info->height;
  return now;
}
#endif

gboolean transform(GstBuffer* to, GstMeta* meta, GstBuffer*, GQuark type, gpointer data) {
  const SeenFrame& frame = *self(meta)->seen;
  std::optional<SeenFrame> now;
  if (GST_META_TRANSFORM_IS_COPY(type) && !static_cast<GstMetaTransformCopy*>(data)->region)
    now = frame;
  else if (GST_VIDEO_META_TRANSFORM_IS_SCALE(type))
    now = scaled(frame, *static_cast<GstVideoMetaTransform*>(data));
#if GST_CHECK_VERSION(1, 28, 0)
  else if (GST_VIDEO_META_TRANSFORM_IS_MATRIX(type))
    now = moved(frame, *static_cast<GstVideoMetaTransformMatrix*>(data));
#endif
  return now && caffe2rt::gst::attach(to, std::move(*now)) ? TRUE : FALSE;
}

#if GST_CHECK_VERSION(1, 24, 0)
// Before the detections' bytes (decode/detections_codec.h).
struct Head {
  double map[6];
  gint32 width, height, look;
  gint32 unused = 0;
};
constexpr guint8 kVersion = 2;

gboolean serialize(const GstMeta* meta, GstByteArrayInterface* data, guint8* version) {
  const SeenFrame& frame = *reinterpret_cast<const GstCaffe2Meta*>(meta)->seen;
  const Affine& m = frame.map;
  const Head head{{m.xx, m.xy, m.x0, m.yx, m.yy, m.y0}, frame.width, frame.height, frame.look};
  const std::vector<std::uint8_t> bytes = caffe2rt::encode(*frame.detections);
  guint8* to = gst_byte_array_interface_append(data, sizeof head + bytes.size());
  if (!to) return FALSE;
  std::memcpy(to, &head, sizeof head);
  std::memcpy(to + sizeof head, bytes.data(), bytes.size());
  *version = kVersion;
  return TRUE;
}

GstMeta* deserialize(const GstMetaInfo*, GstBuffer* buffer, const guint8* data, gsize size, guint8 version) {
  Head head;
  if (version != kVersion || size < sizeof head) return nullptr;
  std::memcpy(&head, data, sizeof head);
  const bool known = head.look >= GST_CAFFE2_LOOK_INFERRED && head.look <= GST_CAFFE2_LOOK_GAP;
  if (!known || head.width < 0 || head.height < 0) return nullptr;
  SeenFrame frame;
  const double* m = head.map;
  frame.map = {m[0], m[1], m[2], m[3], m[4], m[5]};
  frame.width = head.width;
  frame.height = head.height;
  frame.look = static_cast<GstCaffe2Look>(head.look);
  try {
    frame.detections = std::make_shared<const caffe2rt::Detections>(
        caffe2rt::decode_bytes({data + sizeof head, size - sizeof head}));
  } catch (const std::exception& e) {
    GST_WARNING("GstCaffe2Meta: %s", e.what());
    return nullptr;
  }
  return &caffe2rt::gst::attach(buffer, std::move(frame))->meta;
}
#endif

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
#if GST_CHECK_VERSION(1, 24, 0)
  static const GstMetaInfo* info = [] {
    GstMetaInfo* made = gst_meta_info_new(GST_CAFFE2_META_API_TYPE, "GstCaffe2Meta", sizeof(GstCaffe2Meta));
    made->init_func = init;
    made->free_func = release;
    made->transform_func = transform;
    made->serialize_func = serialize;
    made->deserialize_func = deserialize;
    return gst_meta_info_register(made);
  }();
#else
  static const GstMetaInfo* info = gst_meta_register(GST_CAFFE2_META_API_TYPE, "GstCaffe2Meta",
                                                     sizeof(GstCaffe2Meta), init, release, transform);
#endif
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

void replace(GstCaffe2Meta* meta, std::shared_ptr<const Detections> detections) {
  meta->seen->detections = std::move(detections);
}

}  // namespace caffe2rt::gst
