// caffe2tracker: gives what caffe2inference saw identities that last from frame to frame, carries objects on
// through frames that the model did not look at, and counts what crosses lines and enters zones.
//
//   gst-launch-1.0 -m filesrc location=in.mp4 ! decodebin ! videoconvert !
//     caffe2inference model=models/demo inference-interval=5 !
//     caffe2tracker lines="road:0%,60%,100%,60%" ! caffe2overlay draw-trails=true ! videoconvert !
//     autovideosink
//
// It stands directly behind caffe2inference, and touches no pixels. Crossings are in the metadata of the
// frame, and element messages (announce_crossings.h).
#include <gst/base/gstbasetransform.h>

#include <mutex>
#include <utility>

#include "allocation.h"
#include "announce_crossings.h"
#include "frame_tracker.h"
#include "gst_ref.h"
#include "guard.h"
#include "property_table.h"

GST_DEBUG_CATEGORY_STATIC(caffe2tracker_debug);
#define GST_CAT_DEFAULT caffe2tracker_debug

using caffe2rt::Anchor;
using caffe2rt::gst::announce_crossings;
using caffe2rt::gst::During;
using caffe2rt::gst::FrameTimes;
using caffe2rt::gst::FrameTracker;
using caffe2rt::gst::guarded;
using caffe2rt::gst::kMutablePlaying;
using caffe2rt::gst::PropertyTable;
using caffe2rt::gst::Ref;
using caffe2rt::gst::TrackerSettings;

namespace {

struct Impl {
  std::mutex settings_lock;
  TrackerSettings settings;  // guarded by settings_lock
  bool changed = true;       // guarded by settings_lock

  // The streaming thread.
  FrameTracker tracker;
  bool warned = false;    // of a frame without metadata
  GstClockTime next = 0;  // running time of the next frame, where it has no timestamp
};

}  // namespace

struct GstCaffe2Tracker {
  GstBaseTransform parent;
  Impl* impl;
};
struct GstCaffe2TrackerClass {
  GstBaseTransformClass parent;
};
G_DEFINE_TYPE(GstCaffe2Tracker, gst_caffe2_tracker, GST_TYPE_BASE_TRANSFORM)

namespace {

constexpr GstClockTime kAssumedDuration = GST_SECOND / 30;  // of frames that do not say when they are

Impl& impl(gpointer object) { return *reinterpret_cast<GstCaffe2Tracker*>(object)->impl; }

gboolean start(GstBaseTransform* transform) {
  return guarded(transform, During::kSetup, FALSE, [&] {
    Impl& self = impl(transform);
    self.tracker = {};
    self.warned = false;
    self.next = 0;
    const std::lock_guard lock(self.settings_lock);
    self.changed = false;
    self.tracker.set(self.settings);
    return TRUE;
  });
}

gboolean sink_event(GstBaseTransform* transform, GstEvent* event) {
  if (GST_EVENT_TYPE(event) == GST_EVENT_FLUSH_STOP) impl(transform).tracker.forget();
  return GST_BASE_TRANSFORM_CLASS(gst_caffe2_tracker_parent_class)->sink_event(transform, event);
}

void follow_settings(GstBaseTransform* transform) {
  Impl& self = impl(transform);
  TrackerSettings settings;
  {
    const std::lock_guard lock(self.settings_lock);
    if (!std::exchange(self.changed, false)) return;
    settings = self.settings;
  }
  try {
    self.tracker.set(settings);
  } catch (const std::exception& e) {
    post_warning(transform, During::kSetup, e, "Lines and zones stay as they were");
  }
}

FrameTimes times_of(GstBaseTransform* transform, const GstBuffer* buffer) {
  const GstSegment& segment = transform->segment;
  const GstClockTime pts = GST_BUFFER_PTS(buffer);
  FrameTimes times{pts, GST_CLOCK_TIME_NONE, GST_CLOCK_TIME_NONE, GST_BUFFER_DURATION(buffer)};
  if (segment.format != GST_FORMAT_TIME || !GST_CLOCK_TIME_IS_VALID(pts)) return times;
  times.stream_time = gst_segment_to_stream_time(&segment, GST_FORMAT_TIME, pts);
  times.running_time = gst_segment_to_running_time(&segment, GST_FORMAT_TIME, pts);
  return times;
}

GstFlowReturn transform_ip(GstBaseTransform* transform, GstBuffer* buffer) {
  return guarded(transform, During::kStreaming, GST_FLOW_ERROR, [&] {
    Impl& self = impl(transform);
    follow_settings(transform);
    const FrameTimes times = times_of(transform, buffer);
    const GstClockTime now = GST_CLOCK_TIME_IS_VALID(times.running_time) ? times.running_time : self.next;
    self.next = now + kAssumedDuration;
    if (self.tracker.track(buffer, now)) {
      announce_crossings(GST_ELEMENT(transform), *self.tracker.last(), times);
    } else if (!std::exchange(self.warned, true)) {
      GST_ELEMENT_WARNING(transform, STREAM, FORMAT, ("frames pass untracked"),
                          ("expected caffe2inference upstream, got frames without its metadata"));
    }
    return GST_FLOW_OK;
  });
}

// Pixels are not looked at: whatever downstream offers will do.
gboolean propose_allocation(GstBaseTransform* transform, GstQuery*, GstQuery* query) {
  const gboolean answered = gst_pad_peer_query(GST_BASE_TRANSFORM_SRC_PAD(transform), query);
  caffe2rt::gst::refuse_cropping(query);
  return answered;
}

// Where the buffer is copied to be written, all metadata goes along.
gboolean transform_meta(GstBaseTransform*, GstBuffer*, GstMeta*, GstBuffer*) { return TRUE; }

GType anchor_type() {
  static const GEnumValue values[] = {
      {static_cast<int>(Anchor::kBottom), "The middle of the box's lower edge: where feet and wheels are",
       "bottom"},
      {static_cast<int>(Anchor::kCentre), "The box's centre", "center"},
      {0, nullptr, nullptr}};
  static const GType type = caffe2rt::gst::register_enum("GstCaffe2Anchor", values);
  return type;
}

PropertyTable<TrackerSettings> make_properties() {
  PropertyTable<TrackerSettings> to;
  to.integer(
      "max-age", "Maximal age",
      "How long a track lives on unseen (ms); it ends when the model looks after that and does not see it",
      CAFFE2RT_FIELD(max_age), 0, G_MAXINT);
  to.integer("min-hits", "Minimal hits", "An object gets its id when it was seen so often in a row",
             CAFFE2RT_FIELD(options.min_hits), 1, G_MAXINT);
  to.number(
      "iou-threshold", "IoU threshold",
      "Overlap of an object with where its track should be, times its score, from which it continues it "
      "(0..1)",
      CAFFE2RT_FIELD(options.iou_threshold), 0, 1);
  to.number("high-threshold", "High threshold",
            "Objects of this score and better are matched to tracks first (0..1)",
            CAFFE2RT_FIELD(options.high_threshold), 0, 1);
  to.number(
      "low-threshold", "Low threshold",
      "Objects of a lower score than this are left alone (0..1); between the two thresholds they continue "
      "tracks, but begin none. What matters is what caffe2inference's own threshold lets through",
      CAFFE2RT_FIELD(options.low_threshold), 0, 1);
  to.number("new-threshold", "New threshold",
            "Objects of this score and better begin tracks (0..1; not less than high-threshold)",
            CAFFE2RT_FIELD(options.new_threshold), 0, 1);
  to.flag("match-classes", "Match classes", "A track stays within its class",
          CAFFE2RT_FIELD(options.match_classes));
  to.flag("mask-iou", "Mask IoU", "Compare masks instead of boxes, where the model has them",
          CAFFE2RT_FIELD(options.mask_iou));
  to.flag("drop-untracked", "Drop untracked", "Take away objects that have no id (yet)",
          CAFFE2RT_FIELD(options.drop_untracked));
  to.text(
      "lines", "Lines",
      "Lines to count crossings at: 'name:x1,y1,x2,y2;...' in pixels, or in parts of the frame as in "
      "gate:0%,50%,100%,50%. Forward is from the left of the way from the first point to the second to its "
      "right",
      CAFFE2RT_FIELD(lines));
  to.text("zones", "Zones", "Polygons to count in: 'name:x1,y1,x2,y2,x3,y3,...;...', numbers as in lines",
          CAFFE2RT_FIELD(zones));
  to.choice("anchor", "Anchor", "Which point of a box crosses lines and enters zones", anchor_type(),
            CAFFE2RT_FIELD(anchor));
  to.flags("meta", "Metadata",
           "What is attached for the expected objects of frames that the model did not look at; as "
           "caffe2inference's",
           caffe2rt::gst::meta_flags_type(), CAFFE2RT_FIELD(metas));
  return to;
}

const PropertyTable<TrackerSettings>& properties() {
  static const PropertyTable<TrackerSettings> all = make_properties();
  return all;
}

void set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  Impl& self = impl(object);
  const std::lock_guard lock(self.settings_lock);
  self.changed = true;
  if (!properties().set(self.settings, id, value)) G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
}

void get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  Impl& self = impl(object);
  const std::lock_guard lock(self.settings_lock);
  if (!properties().get(self.settings, id, value)) G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
}

void finalize(GObject* object) {
  delete &impl(object);
  G_OBJECT_CLASS(gst_caffe2_tracker_parent_class)->finalize(object);
}

}  // namespace

static void gst_caffe2_tracker_class_init(GstCaffe2TrackerClass* klass) {
  GST_DEBUG_CATEGORY_INIT(caffe2tracker_debug, "caffe2tracker", 0, "follows what caffe2inference saw");
  auto* object = G_OBJECT_CLASS(klass);
  object->set_property = set_property;
  object->get_property = get_property;
  object->finalize = finalize;
  properties().install(object);
  auto* transform = GST_BASE_TRANSFORM_CLASS(klass);
  transform->start = start;
  transform->sink_event = sink_event;
  transform->transform_ip = transform_ip;
  transform->propose_allocation = propose_allocation;
  transform->transform_meta = transform_meta;
  auto* element = GST_ELEMENT_CLASS(klass);
  gst_element_class_set_static_metadata(
      element, "Caffe2 tracker", "Filter/Analyzer/Video",
      "Follows what caffe2inference saw from frame to frame, and counts at lines and in zones", "gst-caffe2");
  const Ref<GstCaps> caps(gst_caps_from_string("video/x-raw(ANY)"));
  gst_element_class_add_pad_template(element,
                                     gst_pad_template_new("sink", GST_PAD_SINK, GST_PAD_ALWAYS, caps.get()));
  gst_element_class_add_pad_template(element,
                                     gst_pad_template_new("src", GST_PAD_SRC, GST_PAD_ALWAYS, caps.get()));
}

static void gst_caffe2_tracker_init(GstCaffe2Tracker* e) {
  e->impl = new Impl;
  gst_base_transform_set_in_place(GST_BASE_TRANSFORM(e), TRUE);
  gst_base_transform_set_gap_aware(GST_BASE_TRANSFORM(e), TRUE);
}

GST_ELEMENT_REGISTER_DEFINE(caffe2tracker, "caffe2tracker", GST_RANK_NONE, gst_caffe2_tracker_get_type())
