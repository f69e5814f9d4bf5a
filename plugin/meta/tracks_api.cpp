// The reading half of gstcaffe2tracks.h: everything in pixels of the frame as it is now.
#include "gst/caffe2/gstcaffe2tracks.h"
#include "meta.h"

using namespace caffe2rt;
using gst::seen;

static_assert(static_cast<int>(Crossing::Kind::kLeft) == GST_CAFFE2_CROSSING_LEFT);

guint gst_caffe2_meta_get_n_lines(const GstCaffe2Meta* meta) {
  g_return_val_if_fail(meta, 0);
  return static_cast<guint>(seen(meta).detections->lines.size());
}

gboolean gst_caffe2_meta_get_line(const GstCaffe2Meta* meta, guint index, GstCaffe2Line* line) {
  g_return_val_if_fail(meta && line, FALSE);
  const auto& lines = seen(meta).detections->lines;
  if (index >= lines.size()) return FALSE;
  const CountingLine& l = lines[index];
  const Affine& map = seen(meta).map;
  const Point from = map(l.from.x, l.from.y), to = map(l.to.x, l.to.y);
  *line = {l.name.c_str(), from.x, from.y, to.x, to.y, l.forward, l.backward, {}};
  return TRUE;
}

guint gst_caffe2_meta_get_n_zones(const GstCaffe2Meta* meta) {
  g_return_val_if_fail(meta, 0);
  return static_cast<guint>(seen(meta).detections->zones.size());
}

gboolean gst_caffe2_meta_get_zone(const GstCaffe2Meta* meta, guint index, GstCaffe2Zone* zone) {
  g_return_val_if_fail(meta && zone, FALSE);
  const auto& zones = seen(meta).detections->zones;
  if (index >= zones.size()) return FALSE;
  const CountingZone& z = zones[index];
  *zone = {z.name.c_str(), static_cast<guint>(z.corners.size()), z.inside, z.entered, z.left, {}};
  return TRUE;
}

gboolean gst_caffe2_meta_get_zone_corner(const GstCaffe2Meta* meta, guint index, guint corner, gdouble* x,
                                         gdouble* y) {
  g_return_val_if_fail(meta && x && y, FALSE);
  const auto& zones = seen(meta).detections->zones;
  if (index >= zones.size() || corner >= zones[index].corners.size()) return FALSE;
  const Point& then = zones[index].corners[corner];
  const Point now = seen(meta).map(then.x, then.y);
  *x = now.x;
  *y = now.y;
  return TRUE;
}

guint gst_caffe2_meta_get_n_crossings(const GstCaffe2Meta* meta) {
  g_return_val_if_fail(meta, 0);
  return static_cast<guint>(seen(meta).detections->crossings.size());
}

gboolean gst_caffe2_meta_get_crossing(const GstCaffe2Meta* meta, guint index, GstCaffe2Crossing* crossing) {
  g_return_val_if_fail(meta && crossing, FALSE);
  const auto& crossings = seen(meta).detections->crossings;
  if (index >= crossings.size()) return FALSE;
  const Crossing& c = crossings[index];
  const Point at = seen(meta).map(c.at.x, c.at.y);
  *crossing = {static_cast<GstCaffe2CrossingKind>(c.kind),
               static_cast<guint>(c.where),
               c.track_id,
               c.class_id,
               at.x,
               at.y,
               c.dwell,
               {}};
  return TRUE;
}
