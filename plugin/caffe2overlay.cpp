// caffe2overlay: draws what caffe2inference saw into the frames: boxes, labels, masks, keypoints.
//
//   gst-launch-1.0 filesrc location=../shared/media/car-detection.mp4 ! decodebin ! videoconvert !
//   caffe2inference model=../shared/models/d2go_faster_rcnn min-size=320 ! videoscale ! video/x-raw,width=640
//   ! caffe2overlay ! videoconvert ! pngenc snapshot=true ! filesink location=seen.png
//
// It draws in place, from GstCaffe2Meta; frames may have been converted and scaled since. Frames that carry
// none, but GstVideoRegionOfInterestMeta with a `detection` structure of another detector, get those boxes.
#include <gst/video/gstvideofilter.h>

#include <mutex>

#include "frame_pixels.h"
#include "guard.h"
#include "meta/meta.h"
#include "overlay/overlay.h"
#include "property_table.h"
#include "roi_meta.h"

GST_DEBUG_CATEGORY_STATIC(caffe2overlay_debug);
#define GST_CAT_DEFAULT caffe2overlay_debug

namespace caffe2rt::gst {

class FrameOverlay {
 public:
  // Any thread.
  OverlayStyle style() const {
    const std::lock_guard lock(style_lock_);
    return style_;
  }
  template <class F>
  void change(F&& f) {
    const std::lock_guard lock(style_lock_);
    f(style_);
  }

  // The streaming thread.
  void draw(GstVideoFrame* frame) {
    require_complete(*frame);
    const OverlayStyle style = this->style();
    const int width = GST_VIDEO_FRAME_WIDTH(frame), height = GST_VIDEO_FRAME_HEIGHT(frame);
    overlay_.begin(width, height, style);
    bool known = false;
    for_each_meta(frame->buffer, [&](const SeenFrame& seen) {
      known = true;
      if (seen.width == width && seen.height == height) overlay_.draw(*seen.detections, seen.map);
    });
    if (!known) draw_regions(frame->buffer, overlay_, style);
    blend(overlay_.pieces(), frame);
  }

 private:
  static Ref<GstVideoOverlayRectangle> rectangle(const OverlayPiece& piece) {
    const auto size = static_cast<gsize>(piece.stride * (piece.height - 1) + piece.width * 4);
    const Ref<GstBuffer> pixels(gst_buffer_new_wrapped_full(
        GST_MEMORY_FLAG_READONLY, const_cast<std::uint8_t*>(piece.pixels), size, 0, size, nullptr, nullptr));
    gsize offset[GST_VIDEO_MAX_PLANES] = {0};
    gint stride[GST_VIDEO_MAX_PLANES] = {static_cast<gint>(piece.stride)};
    gst_buffer_add_video_meta_full(pixels.get(), GST_VIDEO_FRAME_FLAG_NONE,
                                   GST_VIDEO_OVERLAY_COMPOSITION_FORMAT_RGB, piece.width, piece.height, 1,
                                   offset, stride);
    return Ref<GstVideoOverlayRectangle>(
        gst_video_overlay_rectangle_new_raw(pixels.get(), piece.x, piece.y, piece.width, piece.height,
                                            GST_VIDEO_OVERLAY_FORMAT_FLAG_PREMULTIPLIED_ALPHA));
  }

  // The rectangles view the pieces' own pixels, and are gone before those change.
  static void blend(std::span<const OverlayPiece> pieces, GstVideoFrame* frame) {
    if (pieces.empty()) return;
    const Ref<GstVideoOverlayComposition> composition(gst_video_overlay_composition_new(nullptr));
    for (const OverlayPiece& piece : pieces)
      gst_video_overlay_composition_add_rectangle(composition.get(), rectangle(piece).get());
    if (!gst_video_overlay_composition_blend(composition.get(), frame))
      throw StreamError(GST_STREAM_ERROR_FAILED, "the overlay cannot be blended into {}",
                        gst_video_format_to_string(GST_VIDEO_FRAME_FORMAT(frame)));
  }

  mutable std::mutex style_lock_;
  OverlayStyle style_;  // guarded by style_lock_
  Overlay overlay_;
};

}  // namespace caffe2rt::gst

using caffe2rt::OverlayStyle;
using caffe2rt::gst::During;
using caffe2rt::gst::FrameOverlay;
using caffe2rt::gst::guarded;
using caffe2rt::gst::kMutablePlaying;
using caffe2rt::gst::PropertyTable;
using caffe2rt::gst::Ref;

struct GstCaffe2Overlay {
  GstVideoFilter parent;
  FrameOverlay* impl;
};
struct GstCaffe2OverlayClass {
  GstVideoFilterClass parent;
};
G_DEFINE_TYPE(GstCaffe2Overlay, gst_caffe2_overlay, GST_TYPE_VIDEO_FILTER)

namespace {

GstCaffe2Overlay* self(gpointer object) { return reinterpret_cast<GstCaffe2Overlay*>(object); }

gboolean set_info(GstVideoFilter* filter, GstCaps* caps, GstVideoInfo*, GstCaps*, GstVideoInfo*) {
  return guarded(filter, During::kStreaming, FALSE,
                 [&] { return caffe2rt::gst::progressive_video(caps), TRUE; });
}

GstFlowReturn transform_frame_ip(GstVideoFilter* filter, GstVideoFrame* frame) {
  return guarded(filter, During::kStreaming, GST_FLOW_ERROR,
                 [&] { return self(filter)->impl->draw(frame), GST_FLOW_OK; });
}

// The picture stays the same size and way up: where the buffer is copied to be written, all metadata goes
// along.
gboolean transform_meta(GstBaseTransform*, GstBuffer*, GstMeta*, GstBuffer*) { return TRUE; }

PropertyTable<OverlayStyle> make_properties() {
  constexpr auto kFlags = GParamFlags(kMutablePlaying | GST_PARAM_CONTROLLABLE);
  PropertyTable<OverlayStyle> to;
  to.flag("draw-boxes", "Draw boxes", "Draw boxes, upright and rotated ones", CAFFE2RT_FIELD(boxes), kFlags);
  to.flag("draw-labels", "Draw labels", "Write the class's name", CAFFE2RT_FIELD(labels), kFlags);
  to.flag("draw-scores", "Draw scores", "Write the score", CAFFE2RT_FIELD(scores), kFlags);
  to.flag("draw-masks", "Draw masks", "Colour the pixels of each object", CAFFE2RT_FIELD(masks), kFlags);
  to.flag("draw-keypoints", "Draw keypoints", "Draw keypoints, and limbs of a person's",
          CAFFE2RT_FIELD(keypoints), kFlags);
  to.number("line-width", "Line width", "Width of lines (pixels; 0: by the frame's size)",
            CAFFE2RT_FIELD(line_width), 0, 100, kFlags);
  to.text("font", "Font", "Pango font description, such as 'Sans Bold 12'; without a size: by the frame's",
          CAFFE2RT_FIELD(font), kFlags);
  to.number("opacity", "Opacity", "Opacity of everything drawn (0..1)", CAFFE2RT_FIELD(opacity), 0, 1,
            kFlags);
  return to;
}

const PropertyTable<OverlayStyle>& properties() {
  static const PropertyTable<OverlayStyle> all = make_properties();
  return all;
}

void set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  bool known = false;
  self(object)->impl->change([&](OverlayStyle& style) { known = properties().set(style, id, value); });
  if (!known) G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
}

void get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  if (!properties().get(self(object)->impl->style(), id, value))
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
}

void finalize(GObject* object) {
  delete self(object)->impl;
  G_OBJECT_CLASS(gst_caffe2_overlay_parent_class)->finalize(object);
}

}  // namespace

static void gst_caffe2_overlay_class_init(GstCaffe2OverlayClass* klass) {
  GST_DEBUG_CATEGORY_INIT(caffe2overlay_debug, "caffe2overlay", 0, "draws what caffe2inference saw");
  auto* object = G_OBJECT_CLASS(klass);
  object->set_property = set_property;
  object->get_property = get_property;
  object->finalize = finalize;
  properties().install(object);
  GST_VIDEO_FILTER_CLASS(klass)->set_info = set_info;
  GST_VIDEO_FILTER_CLASS(klass)->transform_frame_ip = transform_frame_ip;
  GST_BASE_TRANSFORM_CLASS(klass)->transform_meta = transform_meta;
  auto* element = GST_ELEMENT_CLASS(klass);
  gst_element_class_set_static_metadata(element, "Caffe2 overlay", "Filter/Editor/Video",
                                        "Draws what caffe2inference saw", "gst-caffe2");
  const Ref<GstCaps> caps(gst_caps_from_string(caffe2rt::gst::kVideoCaps));
  gst_element_class_add_pad_template(element,
                                     gst_pad_template_new("sink", GST_PAD_SINK, GST_PAD_ALWAYS, caps.get()));
  gst_element_class_add_pad_template(element,
                                     gst_pad_template_new("src", GST_PAD_SRC, GST_PAD_ALWAYS, caps.get()));
}

static void gst_caffe2_overlay_init(GstCaffe2Overlay* e) { e->impl = new FrameOverlay; }

GST_ELEMENT_REGISTER_DEFINE(caffe2overlay, "caffe2overlay", GST_RANK_NONE, gst_caffe2_overlay_get_type())
