/* What caffe2tracker adds to a GstCaffe2Meta beside the ids of objects (GstCaffe2Object.track_id): lines and
 * zones with what it counted so far, and who crossed them in this frame. Coordinates, strings and threads: as
 * in gstcaffe2meta.h.
 */
#pragma once

#include <gst/caffe2/gstcaffe2meta.h>

G_BEGIN_DECLS

/**
 * GstCaffe2Line:
 * @name: as the property `lines` of caffe2tracker has it
 * @x1: its first point
 * @y1: its first point
 * @x2: its second point
 * @y2: its second point
 * @forward: tracks that crossed it from its left to its right so far, as seen from the first point to the
 * second
 * @backward: those that crossed it the other way
 *
 * A line that crossings are counted at.
 */
typedef struct {
  const gchar* name;
  gdouble x1, y1, x2, y2;
  gint64 forward, backward;

  /*< private >*/
  gpointer _gst_reserved[GST_PADDING];
} GstCaffe2Line;

/**
 * GstCaffe2Zone:
 * @name: as the property `zones` of caffe2tracker has it
 * @n_corners: how many gst_caffe2_meta_get_zone_corner() knows
 * @inside: tracks that are in it now
 * @entered: tracks that entered it so far
 * @left: tracks that left it so far
 *
 * A polygon that tracks are counted in.
 */
typedef struct {
  const gchar* name;
  guint n_corners;
  gint64 inside, entered, left;

  /*< private >*/
  gpointer _gst_reserved[GST_PADDING];
} GstCaffe2Zone;

/**
 * GstCaffe2CrossingKind:
 * @GST_CAFFE2_CROSSING_FORWARD: a line, from its left to its right
 * @GST_CAFFE2_CROSSING_BACKWARD: a line, from its right to its left
 * @GST_CAFFE2_CROSSING_ENTERED: into a zone
 * @GST_CAFFE2_CROSSING_LEFT: out of a zone, or the track ended in it
 *
 * What was crossed, and which way.
 */
typedef enum {
  GST_CAFFE2_CROSSING_FORWARD,
  GST_CAFFE2_CROSSING_BACKWARD,
  GST_CAFFE2_CROSSING_ENTERED,
  GST_CAFFE2_CROSSING_LEFT
} GstCaffe2CrossingKind;

/**
 * GstCaffe2Crossing:
 * @kind: what was crossed, and which way
 * @index: of the line, or the zone
 * @track_id: who
 * @class_id: its class
 * @x: where it is now
 * @y: where it is now
 * @dwell: %GST_CAFFE2_CROSSING_LEFT: seconds that it spent inside
 *
 * A track that crossed a line or the border of a zone; when: the buffer's timestamp.
 */
typedef struct {
  GstCaffe2CrossingKind kind;
  guint index;
  gint64 track_id;
  gint class_id;
  gdouble x, y;
  gdouble dwell;

  /*< private >*/
  gpointer _gst_reserved[GST_PADDING];
} GstCaffe2Crossing;

/**
 * gst_caffe2_meta_get_n_lines:
 * @meta: a #GstCaffe2Meta
 *
 * Returns: how many lines caffe2tracker counts at
 */
guint gst_caffe2_meta_get_n_lines(const GstCaffe2Meta* meta);

/**
 * gst_caffe2_meta_get_line:
 * @meta: a #GstCaffe2Meta
 * @index: from 0
 * @line: (out caller-allocates): filled in
 *
 * Returns: %FALSE where there is no such line
 */
gboolean gst_caffe2_meta_get_line(const GstCaffe2Meta* meta, guint index, GstCaffe2Line* line);

/**
 * gst_caffe2_meta_get_n_zones:
 * @meta: a #GstCaffe2Meta
 *
 * Returns: how many zones caffe2tracker counts in
 */
guint gst_caffe2_meta_get_n_zones(const GstCaffe2Meta* meta);

/**
 * gst_caffe2_meta_get_zone:
 * @meta: a #GstCaffe2Meta
 * @index: from 0
 * @zone: (out caller-allocates): filled in
 *
 * Returns: %FALSE where there is no such zone
 */
gboolean gst_caffe2_meta_get_zone(const GstCaffe2Meta* meta, guint index, GstCaffe2Zone* zone);

/**
 * gst_caffe2_meta_get_zone_corner:
 * @meta: a #GstCaffe2Meta
 * @index: of the zone
 * @corner: from 0
 * @x: (out): pixels
 * @y: (out): pixels
 *
 * Returns: %FALSE where the zone has no such corner
 */
gboolean gst_caffe2_meta_get_zone_corner(const GstCaffe2Meta* meta, guint index, guint corner, gdouble* x,
                                         gdouble* y);

/**
 * gst_caffe2_meta_get_n_crossings:
 * @meta: a #GstCaffe2Meta
 *
 * Returns: how many crossings of lines and zones caffe2tracker saw in this frame
 */
guint gst_caffe2_meta_get_n_crossings(const GstCaffe2Meta* meta);

/**
 * gst_caffe2_meta_get_crossing:
 * @meta: a #GstCaffe2Meta
 * @index: from 0
 * @crossing: (out caller-allocates): filled in
 *
 * Returns: %FALSE where there is no such crossing
 */
gboolean gst_caffe2_meta_get_crossing(const GstCaffe2Meta* meta, guint index, GstCaffe2Crossing* crossing);

G_END_DECLS
