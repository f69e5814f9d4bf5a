// caffe2overlay: draws what caffe2inference saw into the frames: boxes, labels, masks, keypoints, panoptic
// maps; and what caffe2tracker made of it: ids, trails, lines and zones. It can make objects unrecognisable.
//
//   gst-launch-1.0 filesrc location=in.mp4 ! decodebin ! videoconvert ! caffe2inference model=models/demo !
//     videoscale ! video/x-raw,width=640 ! caffe2overlay ! videoconvert ! pngenc snapshot=true !
//     filesink location=seen.png
//
// It draws in place, from GstCaffe2Meta; frames may have been converted and scaled since. Frames that carry
// none, but GstVideoRegionOfInterestMeta with a `detection` structure of another detector, get those boxes.
#include <gst/video/gstvideofilter.h>

#include "allocation.h"
#include "frame_overlay.h"
#include "frame_pixels.h"
#include "gst_ref.h"
#include "guard.h"
#include "property_table.h"

GST_DEBUG_CATEGORY_STATIC(caffe2overlay_debug);
#define GST_CAT_DEFAULT caffe2overlay_debug

using caffe2rt::ColourBy;
using caffe2rt::gst::During;
using caffe2rt::gst::FrameOverlay;
using caffe2rt::gst::guarded;
using caffe2rt::gst::kMutablePlaying;
using caffe2rt::gst::OverlaySettings;
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
  return guarded(filter, During::kStreaming, FALSE, [&] {
    self(filter)->impl->forget();
    return caffe2rt::gst::progressive_video(caps), TRUE;
  });
}

gboolean sink_event(GstBaseTransform* transform, GstEvent* event) {
  if (GST_EVENT_TYPE(event) == GST_EVENT_FLUSH_STOP) self(transform)->impl->forget();
  return GST_BASE_TRANSFORM_CLASS(gst_caffe2_overlay_parent_class)->sink_event(transform, event);
}

GstFlowReturn transform_frame_ip(GstVideoFilter* filter, GstVideoFrame* frame) {
  return guarded(filter, During::kStreaming, GST_FLOW_ERROR,
                 [&] { return self(filter)->impl->draw(frame), GST_FLOW_OK; });
}

// The picture stays the same size and way up: where the buffer is copied to be written, all metadata goes
// along.
gboolean transform_meta(GstBaseTransform*, GstBuffer*, GstMeta*, GstBuffer*) { return TRUE; }

// As GstVideoFilter's; but frames that show a part of what they hold would be drawn on as a whole.
gboolean propose_allocation(GstBaseTransform* transform, GstQuery* decided, GstQuery* query) {
  auto* parent = GST_BASE_TRANSFORM_CLASS(gst_caffe2_overlay_parent_class);
  const gboolean proposed = parent->propose_allocation(transform, decided, query);
  caffe2rt::gst::refuse_cropping(query);
  return proposed;
}

GType colour_by_type() {
  static const GEnumValue values[] = {
      {static_cast<int>(ColourBy::kClass), "Objects of a class look alike", "class"},
      {static_cast<int>(ColourBy::kTrack), "Each track has its own colour, others that of their class",
       "track"},
      {0, nullptr, nullptr}};
  static const GType type = caffe2rt::gst::register_enum("GstCaffe2ColorBy", values);
  return type;
}

// Names with commas between them.
template <class Field>
void add_names(PropertyTable<OverlaySettings>& to, const char* name, const char* nick, const char* blurb,
               Field field) {
  to.add(
      g_param_spec_string(name, nick, blurb, "", kMutablePlaying),
      [field](OverlaySettings& s, const GValue* value) {
        field(s).clear();
        const gchar* set = g_value_get_string(value);
        gchar** names = g_strsplit(set ? set : "", ",", -1);
        for (gchar** name = names; *name; name++)
          if (*g_strstrip(*name)) field(s).emplace_back(*name);
        g_strfreev(names);
      },
      [field](const OverlaySettings& s, GValue* value) {
        g_value_set_string(value, fmt::format("{}", fmt::join(field(s), ",")).c_str());
      });
}

PropertyTable<OverlaySettings> make_properties() {
  constexpr auto kFlags = GParamFlags(kMutablePlaying | GST_PARAM_CONTROLLABLE);
  PropertyTable<OverlaySettings> to;
  to.flag("draw-boxes", "Draw boxes", "Draw boxes, upright and rotated ones", CAFFE2RT_FIELD(style.boxes),
          kFlags);
  to.flag("draw-labels", "Draw labels", "Write the class's name", CAFFE2RT_FIELD(style.labels), kFlags);
  to.flag("draw-scores", "Draw scores", "Write the score", CAFFE2RT_FIELD(style.scores), kFlags);
  to.flag("draw-masks", "Draw masks", "Colour the pixels of each object", CAFFE2RT_FIELD(style.masks),
          kFlags);
  to.flag("draw-keypoints", "Draw keypoints", "Draw keypoints, and limbs of a person's",
          CAFFE2RT_FIELD(style.keypoints), kFlags);
  to.flag("draw-panoptic", "Draw panoptic map",
          "Colour the segments of panoptic maps, in place of masks, and of semantic maps",
          CAFFE2RT_FIELD(style.panoptic), kFlags);
  to.flag("draw-ids", "Draw ids", "Write the number of the track (caffe2tracker)", CAFFE2RT_FIELD(style.ids),
          kFlags);
  to.flag("draw-trails", "Draw trails", "Draw the ways that tracks took", CAFFE2RT_FIELD(style.trails),
          kFlags);
  to.integer("trail-length", "Trail length", "How long trails are (frames)",
             CAFFE2RT_FIELD(style.trail_length), 0, 10000, kFlags);
  to.flag("draw-places", "Draw places", "Draw caffe2tracker's lines and zones with what they counted",
          CAFFE2RT_FIELD(style.places), kFlags);
  to.choice("color-by", "Color by", "What objects of the same color have in common", colour_by_type(),
            CAFFE2RT_FIELD(style.colour_by), kFlags);
  add_names(to, "blur-classes", "Blur classes",
            "Classes whose objects are made unrecognisable, with commas between them; *: all",
            CAFFE2RT_FIELD(privacy.blur));
  add_names(to, "pixelate-classes", "Pixelate classes", "The same in large squares",
            CAFFE2RT_FIELD(privacy.pixelate));
  to.number("line-width", "Line width", "Width of lines (pixels; 0: by the frame's size)",
            CAFFE2RT_FIELD(style.line_width), 0, 100, kFlags);
  to.text("font", "Font", "Pango font description, such as 'Sans Bold 12'; without a size: by the frame's",
          CAFFE2RT_FIELD(style.font), kFlags);
  to.number("opacity", "Opacity", "Opacity of everything drawn (0..1)", CAFFE2RT_FIELD(style.opacity), 0, 1,
            kFlags);
  return to;
}

const PropertyTable<OverlaySettings>& properties() {
  static const PropertyTable<OverlaySettings> all = make_properties();
  return all;
}

void set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  bool known = false;
  self(object)->impl->change(
      [&](OverlaySettings& settings) { known = properties().set(settings, id, value); });
  if (!known) G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
}

void get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  if (!properties().get(self(object)->impl->settings(), id, value))
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
  GST_BASE_TRANSFORM_CLASS(klass)->sink_event = sink_event;
  GST_BASE_TRANSFORM_CLASS(klass)->propose_allocation = propose_allocation;
  auto* element = GST_ELEMENT_CLASS(klass);
  gst_element_class_set_static_metadata(element, "Caffe2 overlay", "Filter/Editor/Video",
                                        "Draws what caffe2inference saw", "gst-caffe2");
  const Ref<GstCaps> caps(gst_caps_from_string(caffe2rt::gst::kVideoCaps));
  gst_element_class_add_pad_template(element,
                                     gst_pad_template_new("sink", GST_PAD_SINK, GST_PAD_ALWAYS, caps.get()));
  gst_element_class_add_pad_template(element,
                                     gst_pad_template_new("src", GST_PAD_SRC, GST_PAD_ALWAYS, caps.get()));
}

static void gst_caffe2_overlay_init(GstCaffe2Overlay* e) { e->impl = new FrameOverlay(e); }

GST_ELEMENT_REGISTER_DEFINE(caffe2overlay, "caffe2overlay", GST_RANK_NONE, gst_caffe2_overlay_get_type())
