// The reading half of GstCaffe2Meta's C API: everything in pixels of the frame as it is now.
#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "decode/mapped.h"
#include "meta.h"

using namespace caffe2rt;
using gst::seen;

namespace {

const Object* object_at(const GstCaffe2Meta* meta, guint index) {
  const auto& objects = seen(meta).detections->objects;
  return index < objects.size() ? &objects[index] : nullptr;
}

const Region* region_at(const GstCaffe2Meta* meta, guint index) {
  const auto& regions = seen(meta).detections->regions;
  return index < regions.size() ? &regions[index] : nullptr;
}

// Hands a vector to GLib without copying it.
template <class T>
GBytes* bytes_of(std::vector<T> values) {
  auto* owned = new std::vector<T>(std::move(values));
  return g_bytes_new_with_free_func(
      owned->data(), owned->size() * sizeof(T), [](gpointer p) { delete static_cast<std::vector<T>*>(p); },
      owned);
}

GBytes* labels_now(const GstCaffe2Meta* meta, const std::optional<LabelMap>& labels) {
  if (!labels) return nullptr;
  const auto& frame = seen(meta);
  return bytes_of(map_labels(*labels, frame.map, frame.width, frame.height).ids);
}

}  // namespace

gboolean gst_caffe2_meta_get_inferred(const GstCaffe2Meta* meta) {
  g_return_val_if_fail(meta, FALSE);
  return seen(meta).look == GST_CAFFE2_LOOK_INFERRED;
}

GstCaffe2Look gst_caffe2_meta_get_look(const GstCaffe2Meta* meta) {
  g_return_val_if_fail(meta, GST_CAFFE2_LOOK_GAP);
  return seen(meta).look;
}

void gst_caffe2_meta_get_frame_size(const GstCaffe2Meta* meta, gint* width, gint* height) {
  g_return_if_fail(meta);
  if (width) *width = seen(meta).width;
  if (height) *height = seen(meta).height;
}

void gst_caffe2_meta_get_map(const GstCaffe2Meta* meta, gdouble map[6]) {
  g_return_if_fail(meta && map);
  const Affine& m = seen(meta).map;
  const double values[] = {m.xx, m.xy, m.x0, m.yx, m.yy, m.y0};
  std::copy(std::begin(values), std::end(values), map);
}

guint gst_caffe2_meta_get_n_objects(const GstCaffe2Meta* meta) {
  g_return_val_if_fail(meta, 0);
  return static_cast<guint>(seen(meta).detections->objects.size());
}

gboolean gst_caffe2_meta_get_object(const GstCaffe2Meta* meta, guint index, GstCaffe2Object* object) {
  g_return_val_if_fail(meta && object, FALSE);
  const Object* found = object_at(meta, index);
  if (!found) return FALSE;
  const Box box = map_box(found->box, seen(meta).map);
  *object = {box.x1,
             box.y1,
             box.x2,
             box.y2,
             found->score,
             found->class_id,
             found->rotated.has_value(),
             seen(meta).detections->masks.size > 0,
             static_cast<guint>(found->keypoints.size()),
             found->region,
             found->track_id,
             {}};
  return TRUE;
}

gchar* gst_caffe2_meta_dup_label(const GstCaffe2Meta* meta, gint class_id) {
  g_return_val_if_fail(meta, nullptr);
  return g_strdup(seen(meta).detections->label(class_id).c_str());
}

gboolean gst_caffe2_meta_get_rotated_box(const GstCaffe2Meta* meta, guint index, gdouble* cx, gdouble* cy,
                                         gdouble* width, gdouble* height, gdouble* angle) {
  g_return_val_if_fail(meta && cx && cy && width && height && angle, FALSE);
  const Object* found = object_at(meta, index);
  if (!found || !found->rotated) return FALSE;
  const RotatedBox box = map_box(*found->rotated, seen(meta).map);
  *cx = box.cx;
  *cy = box.cy;
  *width = box.width;
  *height = box.height;
  *angle = box.angle;
  return TRUE;
}

gboolean gst_caffe2_meta_get_keypoint(const GstCaffe2Meta* meta, guint index, guint keypoint, gdouble* x,
                                      gdouble* y, gdouble* score) {
  g_return_val_if_fail(meta && x && y && score, FALSE);
  const Object* found = object_at(meta, index);
  if (!found || keypoint >= found->keypoints.size()) return FALSE;
  const Keypoint& point = found->keypoints[keypoint];
  const Point now = seen(meta).map(point.x, point.y);
  *x = now.x;
  *y = now.y;
  *score = point.score;
  return TRUE;
}

GBytes* gst_caffe2_meta_get_mask(const GstCaffe2Meta* meta, guint index, gdouble threshold,
                                 GstVideoRectangle* rect) {
  g_return_val_if_fail(meta && rect, nullptr);
  if (!object_at(meta, index) || seen(meta).detections->masks.size == 0) return nullptr;
  const auto& frame = seen(meta);
  PastedMask mask = paste_mapped_mask(*frame.detections, static_cast<int>(index), frame.map, frame.width,
                                      frame.height, static_cast<float>(threshold));
  *rect = {mask.x, mask.y, mask.width, mask.height};
  return bytes_of(std::move(mask.pixels));
}

GBytes* gst_caffe2_meta_get_semantic_map(const GstCaffe2Meta* meta) {
  g_return_val_if_fail(meta, nullptr);
  return labels_now(meta, seen(meta).detections->semantic);
}

GBytes* gst_caffe2_meta_get_panoptic_map(const GstCaffe2Meta* meta) {
  g_return_val_if_fail(meta, nullptr);
  return labels_now(meta, seen(meta).detections->panoptic);
}

guint gst_caffe2_meta_get_n_segments(const GstCaffe2Meta* meta) {
  g_return_val_if_fail(meta, 0);
  return static_cast<guint>(seen(meta).detections->segments.size());
}

gboolean gst_caffe2_meta_get_segment(const GstCaffe2Meta* meta, guint index, GstCaffe2Segment* segment) {
  g_return_val_if_fail(meta && segment, FALSE);
  const auto& segments = seen(meta).detections->segments;
  if (index >= segments.size()) return FALSE;
  const PanopticSegment& s = segments[index];
  *segment = {s.id, s.is_thing, s.category_id, s.object, s.score, {}};
  return TRUE;
}

guint gst_caffe2_meta_get_n_classes(const GstCaffe2Meta* meta) {
  g_return_val_if_fail(meta, 0);
  return static_cast<guint>(seen(meta).detections->classes.size());
}

gboolean gst_caffe2_meta_get_class(const GstCaffe2Meta* meta, guint index, gint* class_id, gdouble* score) {
  g_return_val_if_fail(meta && class_id && score, FALSE);
  const auto& classes = seen(meta).detections->classes;
  if (index >= classes.size()) return FALSE;
  *class_id = classes[index].class_id;
  *score = classes[index].score;
  return TRUE;
}

guint gst_caffe2_meta_get_n_regions(const GstCaffe2Meta* meta) {
  g_return_val_if_fail(meta, 0);
  return static_cast<guint>(seen(meta).detections->regions.size());
}

gboolean gst_caffe2_meta_get_region(const GstCaffe2Meta* meta, guint index, GstCaffe2Region* region) {
  g_return_val_if_fail(meta && region, FALSE);
  const Region* found = region_at(meta, index);
  if (!found) return FALSE;
  const FrameRect& rect = found->rect;
  const auto edge = [](int pixel) { return static_cast<float>(pixel); };
  const Box box = map_box(
      Box{edge(rect.x), edge(rect.y), edge(rect.x + rect.width), edge(rect.y + rect.height)}, seen(meta).map);
  *region = {box.x1, box.y1, box.x2, box.y2, found->parent, static_cast<guint>(found->classes.size()), {}};
  return TRUE;
}

gboolean gst_caffe2_meta_get_region_class(const GstCaffe2Meta* meta, guint index, guint rank, gint* class_id,
                                          gdouble* score) {
  g_return_val_if_fail(meta && class_id && score, FALSE);
  const Region* found = region_at(meta, index);
  if (!found || rank >= found->classes.size()) return FALSE;
  *class_id = found->classes[rank].class_id;
  *score = found->classes[rank].score;
  return TRUE;
}

guint gst_caffe2_meta_get_n_tensors(const GstCaffe2Meta* meta) {
  g_return_val_if_fail(meta, 0);
  return static_cast<guint>(seen(meta).detections->raw.size());
}

gboolean gst_caffe2_meta_get_tensor(const GstCaffe2Meta* meta, guint index, GstCaffe2Tensor* tensor) {
  g_return_val_if_fail(meta && tensor, FALSE);
  const auto& tensors = seen(meta).detections->raw;
  if (index >= tensors.size()) return FALSE;
  const RawTensor& t = tensors[index];
  *tensor = {t.name.c_str(),  static_cast<guint>(t.shape.size()),
             t.shape.data(),  t.values.size(),
             t.values.data(), {}};
  return TRUE;
}
