/* What a detectron2 model saw in a video frame, as metadata of the frame's buffer.
 *
 * Every frame that passes caffe2inference carries a GstCaffe2Meta. Elements that copy, convert or scale the
 * frame take it along; coordinates and masks are those of the frame as it is now. Elements that change the
 * picture in a way that the metadata cannot follow drop it: before GStreamer 1.28 all that crop, flip or add
 * borders, and from then on those that do not say how. Objects may lie outside of a frame that was cropped.
 *
 * From GStreamer 1.24 on it crosses to other processes too (unixfdsink), where these have called
 * gst_caffe2_meta_get_info(); the other metadata of caffe2inference cannot.
 *
 * Everything here only reads; the detections are immutable, and any thread that holds the buffer may call.
 * Strings and arrays that are not marked (transfer full) belong to the meta and live as long as the buffer
 * keeps it. Coordinates are pixels of the frame, origin at the top left corner of the top left pixel.
 */
#pragma once

#include <gst/gst.h>
#include <gst/video/video.h>

G_BEGIN_DECLS

#define GST_CAFFE2_META_API_TYPE (gst_caffe2_meta_api_get_type())
#define GST_CAFFE2_META_INFO (gst_caffe2_meta_get_info())

/**
 * GstCaffe2Meta:
 *
 * An opaque #GstMeta of the API type `GstCaffe2MetaAPI`.
 */
typedef struct GstCaffe2Meta GstCaffe2Meta;

/**
 * GstCaffe2Look:
 * @GST_CAFFE2_LOOK_INFERRED: the model looked at the frame
 * @GST_CAFFE2_LOOK_INTERVAL: it was not the frame's turn (inference-interval)
 * @GST_CAFFE2_LOOK_OVERRUN: younger frames took its turn, since the model is slower than the stream
 * @GST_CAFFE2_LOOK_LATE: it came too late to be shown (qos)
 * @GST_CAFFE2_LOOK_GAP: it fills a hole in the stream, and its pixels show nothing
 *
 * Whether the model looked at a frame, and why it did not. Objects do not vanish in frames that nobody looked
 * at: caffe2tracker carries them on, and such frames show where they should be.
 */
typedef enum {
  GST_CAFFE2_LOOK_INFERRED,
  GST_CAFFE2_LOOK_INTERVAL,
  GST_CAFFE2_LOOK_OVERRUN,
  GST_CAFFE2_LOOK_LATE,
  GST_CAFFE2_LOOK_GAP
} GstCaffe2Look;

/**
 * GstCaffe2Object:
 * @x1: left edge of the upright box
 * @y1: top edge
 * @x2: right edge, exclusive
 * @y2: bottom edge, exclusive
 * @score: 0..1
 * @class_id: from 0, without background
 * @has_rotated_box: whether gst_caffe2_meta_get_rotated_box() knows more
 * @has_mask: whether gst_caffe2_meta_get_mask() knows more
 * @n_keypoints: how many gst_caffe2_meta_get_keypoint() knows
 * @region: index of the region that it was seen in; -1: the whole frame
 * @track_id: of caffe2tracker, the same in all frames that show the object, from 1; -1: no track
 *
 * One object that the model saw.
 */
typedef struct {
  gdouble x1, y1, x2, y2;
  gdouble score;
  gint class_id;
  gboolean has_rotated_box;
  gboolean has_mask;
  guint n_keypoints;
  gint region;
  gint64 track_id;

  /*< private >*/
  gpointer _gst_reserved[GST_PADDING];
} GstCaffe2Object;

/**
 * GstCaffe2Region:
 * @x1: left edge
 * @y1: top edge
 * @x2: right edge, exclusive
 * @y2: bottom edge, exclusive
 * @parent_id: the id of the #GstVideoRegionOfInterestMeta whose region this is; -1: of none
 * @n_classes: how many gst_caffe2_meta_get_region_class() knows
 *
 * A part of the frame that the model looked at by itself.
 */
typedef struct {
  gdouble x1, y1, x2, y2;
  gint parent_id;
  guint n_classes;

  /*< private >*/
  gpointer _gst_reserved[GST_PADDING];
} GstCaffe2Region;

/**
 * GstCaffe2Segment:
 * @id: its value in the panoptic map; 0 there is no segment
 * @is_thing: whether it is an object that can be counted, or else stuff such as sky
 * @category_id: things: the class; stuff: the semantic head's channel
 * @object: things: the index of the object; stuff: -1
 * @score: things: 0..1; stuff: 0
 *
 * One segment of the panoptic map.
 */
typedef struct {
  gint id;
  gboolean is_thing;
  gint category_id;
  gint object;
  gdouble score;

  /*< private >*/
  gpointer _gst_reserved[GST_PADDING];
} GstCaffe2Segment;

/**
 * GstCaffe2Tensor:
 * @name: of the net's output
 * @n_dims: length of @shape
 * @shape: (array length=n_dims): size of each dimension
 * @n_values: length of @values
 * @values: (array length=n_values): row-major
 *
 * An output of the net as it came: in pixels of the net's input, not of the frame.
 */
typedef struct {
  const gchar* name;
  guint n_dims;
  const gint64* shape;
  gsize n_values;
  const gfloat* values;

  /*< private >*/
  gpointer _gst_reserved[GST_PADDING];
} GstCaffe2Tensor;

/**
 * gst_caffe2_meta_api_get_type:
 *
 * Returns: the API type, tagged video, orientation and size
 */
GType gst_caffe2_meta_api_get_type(void);

/**
 * gst_caffe2_meta_get_info:
 *
 * Returns: (transfer none): what registers the metadata with GStreamer
 */
const GstMetaInfo* gst_caffe2_meta_get_info(void);

/**
 * gst_buffer_get_caffe2_meta:
 * @buffer: a frame
 *
 * Returns: (transfer none) (nullable): the frame's metadata; that of the first model where several looked.
 * %NULL where none looked, or where the picture was changed in a way that the metadata could not follow.
 * Metadata of the later models: gst_buffer_iterate_meta_filtered() with %GST_CAFFE2_META_API_TYPE.
 */
GstCaffe2Meta* gst_buffer_get_caffe2_meta(GstBuffer* buffer);

/**
 * gst_caffe2_meta_get_inferred:
 * @meta: a #GstCaffe2Meta
 *
 * Returns: %TRUE where the model looked at this frame, so that no objects means that there is nothing; %FALSE
 * where it did not look
 */
gboolean gst_caffe2_meta_get_inferred(const GstCaffe2Meta* meta);

/**
 * gst_caffe2_meta_get_look:
 * @meta: a #GstCaffe2Meta
 *
 * Returns: whether the model looked at this frame, and why it did not
 */
GstCaffe2Look gst_caffe2_meta_get_look(const GstCaffe2Meta* meta);

/**
 * gst_caffe2_meta_get_frame_size:
 * @meta: a #GstCaffe2Meta
 * @width: (out) (optional): pixels
 * @height: (out) (optional): pixels
 *
 * The size of the frame that all coordinates here belong to.
 */
void gst_caffe2_meta_get_frame_size(const GstCaffe2Meta* meta, gint* width, gint* height);

/**
 * gst_caffe2_meta_get_map:
 * @meta: a #GstCaffe2Meta
 * @map: (out) (array fixed-size=6): xx, xy, x0, yx, yy, y0
 *
 * The way from pixels of the frame that the model looked at to pixels of the frame now: x' = xx x + xy y +
 * x0, y' = yx x + yy y + y0. All other functions have gone that way already.
 */
void gst_caffe2_meta_get_map(const GstCaffe2Meta* meta, gdouble map[6]);

/**
 * gst_caffe2_meta_get_n_objects:
 * @meta: a #GstCaffe2Meta
 *
 * Returns: how many objects the model saw
 */
guint gst_caffe2_meta_get_n_objects(const GstCaffe2Meta* meta);

/**
 * gst_caffe2_meta_get_object:
 * @meta: a #GstCaffe2Meta
 * @index: from 0, best score first
 * @object: (out caller-allocates): filled in
 *
 * Returns: %FALSE where there is no such object
 */
gboolean gst_caffe2_meta_get_object(const GstCaffe2Meta* meta, guint index, GstCaffe2Object* object);

/**
 * gst_caffe2_meta_dup_label:
 * @meta: a #GstCaffe2Meta
 * @class_id: a class
 *
 * Returns: (transfer full): the class's name, or "class N" where the model has no name for it
 */
gchar* gst_caffe2_meta_dup_label(const GstCaffe2Meta* meta, gint class_id);

/**
 * gst_caffe2_meta_get_rotated_box:
 * @meta: a #GstCaffe2Meta
 * @index: of the object
 * @cx: (out): centre
 * @cy: (out): centre
 * @width: (out): pixels
 * @height: (out): pixels
 * @angle: (out): degrees, counter-clockwise
 *
 * Returns: %FALSE where the object has none
 */
gboolean gst_caffe2_meta_get_rotated_box(const GstCaffe2Meta* meta, guint index, gdouble* cx, gdouble* cy,
                                         gdouble* width, gdouble* height, gdouble* angle);

/**
 * gst_caffe2_meta_get_keypoint:
 * @meta: a #GstCaffe2Meta
 * @index: of the object
 * @keypoint: of the object's keypoints, from 0
 * @x: (out): pixels
 * @y: (out): pixels
 * @score: (out): how sure the model is
 *
 * Returns: %FALSE where there is no such keypoint
 */
gboolean gst_caffe2_meta_get_keypoint(const GstCaffe2Meta* meta, guint index, guint keypoint, gdouble* x,
                                      gdouble* y, gdouble* score);

/**
 * gst_caffe2_meta_get_mask:
 * @meta: a #GstCaffe2Meta
 * @index: of the object
 * @threshold: the probability from which a pixel belongs to the object; detectron2's is 0.5
 * @rect: (out caller-allocates): the part of the frame that the mask covers; may be empty
 *
 * Computed at each call from what the net gave.
 *
 * Returns: (transfer full) (nullable): @rect's h rows of w bytes, 255 where the pixel belongs to the object,
 * else 0; %NULL where the object has no mask
 */
GBytes* gst_caffe2_meta_get_mask(const GstCaffe2Meta* meta, guint index, gdouble threshold,
                                 GstVideoRectangle* rect);

/**
 * gst_caffe2_meta_get_semantic_map:
 * @meta: a #GstCaffe2Meta
 *
 * Returns: (transfer full) (nullable): the frame's height rows of width #gint32, the semantic head's class of
 * each pixel; %NULL where the model has none
 */
GBytes* gst_caffe2_meta_get_semantic_map(const GstCaffe2Meta* meta);

/**
 * gst_caffe2_meta_get_panoptic_map:
 * @meta: a #GstCaffe2Meta
 *
 * Returns: (transfer full) (nullable): the frame's height rows of width #gint32, the id of each pixel's
 * segment, 0 for none; %NULL where the model has none
 */
GBytes* gst_caffe2_meta_get_panoptic_map(const GstCaffe2Meta* meta);

/**
 * gst_caffe2_meta_get_n_segments:
 * @meta: a #GstCaffe2Meta
 *
 * Returns: how many segments the panoptic map has
 */
guint gst_caffe2_meta_get_n_segments(const GstCaffe2Meta* meta);

/**
 * gst_caffe2_meta_get_segment:
 * @meta: a #GstCaffe2Meta
 * @index: from 0
 * @segment: (out caller-allocates): filled in
 *
 * Returns: %FALSE where there is no such segment
 */
gboolean gst_caffe2_meta_get_segment(const GstCaffe2Meta* meta, guint index, GstCaffe2Segment* segment);

/**
 * gst_caffe2_meta_get_n_classes:
 * @meta: a #GstCaffe2Meta
 *
 * Returns: how many classes a classifier named for the whole frame
 */
guint gst_caffe2_meta_get_n_classes(const GstCaffe2Meta* meta);

/**
 * gst_caffe2_meta_get_class:
 * @meta: a #GstCaffe2Meta
 * @index: from 0, best score first
 * @class_id: (out): from 0
 * @score: (out): 0..1
 *
 * Returns: %FALSE where there is no such class
 */
gboolean gst_caffe2_meta_get_class(const GstCaffe2Meta* meta, guint index, gint* class_id, gdouble* score);

/**
 * gst_caffe2_meta_get_n_regions:
 * @meta: a #GstCaffe2Meta
 *
 * Returns: how many parts of the frame the model looked at by themselves; 0 where it looked at the whole
 */
guint gst_caffe2_meta_get_n_regions(const GstCaffe2Meta* meta);

/**
 * gst_caffe2_meta_get_region:
 * @meta: a #GstCaffe2Meta
 * @index: from 0
 * @region: (out caller-allocates): filled in
 *
 * Returns: %FALSE where there is no such region
 */
gboolean gst_caffe2_meta_get_region(const GstCaffe2Meta* meta, guint index, GstCaffe2Region* region);

/**
 * gst_caffe2_meta_get_region_class:
 * @meta: a #GstCaffe2Meta
 * @index: of the region
 * @rank: from 0, best score first
 * @class_id: (out): from 0
 * @score: (out): 0..1
 *
 * Returns: %FALSE where a classifier named no such class for the region
 */
gboolean gst_caffe2_meta_get_region_class(const GstCaffe2Meta* meta, guint index, guint rank, gint* class_id,
                                          gdouble* score);

/**
 * gst_caffe2_meta_get_n_tensors:
 * @meta: a #GstCaffe2Meta
 *
 * Returns: how many outputs of the net came along (caffe2inference output=raw)
 */
guint gst_caffe2_meta_get_n_tensors(const GstCaffe2Meta* meta);

/**
 * gst_caffe2_meta_get_tensor:
 * @meta: a #GstCaffe2Meta
 * @index: from 0
 * @tensor: (out caller-allocates): filled in
 *
 * Returns: %FALSE where there is no such output
 */
gboolean gst_caffe2_meta_get_tensor(const GstCaffe2Meta* meta, guint index, GstCaffe2Tensor* tensor);

G_END_DECLS
