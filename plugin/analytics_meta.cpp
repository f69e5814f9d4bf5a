#include "analytics_meta.h"

#include <gst/analytics/analytics.h>
#include <gst/video/video.h>

#include <map>
#include <numbers>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "decode/paste_masks.h"
#include "gst_ref.h"
#include "pixel_box.h"
#include "track_ids.h"

namespace caffe2rt::gst {
namespace {

// The box of an object's ODMtd.
FrameRect od_box(const Object& object, const Detections& frame) {
#if GST_CHECK_VERSION(1, 26, 0)
  if (object.rotated) {
    const RotatedBox& r = *object.rotated;
    const auto pixel = [](float edge) { return static_cast<int>(std::lround(edge)); };
    return {pixel(r.cx - r.width / 2), pixel(r.cy - r.height / 2), pixel(r.width), pixel(r.height)};
  }
#endif
  return pixel_box(object.box, frame);
}

class Writer {
 public:
  Writer(GstBuffer* buffer, const Detections& detections) : seen_(detections) {
    meta_ = gst_buffer_get_analytics_relation_meta(buffer);
    if (!meta_) meta_ = gst_buffer_add_analytics_relation_meta(buffer);
    remember_parents();
  }

  void add_objects() {
    for (const Object& object : seen_.objects) {
      const GstAnalyticsODMtd od = add_box(object);
      objects_.push_back(od.id);
      relate(od.id, add_class(object.class_id, object.score));
      if (object.region >= 0) set_part_of(od.id, seen_.regions[object.region]);
    }
  }

  void add_classes() {
    if (!seen_.classes.empty()) add_classes(seen_.classes);
    for (const Region& region : seen_.regions) {
      if (region.classes.empty()) continue;
      const guint classes = add_classes(region.classes);
      if (const auto parent = parents_.find(key(region.rect)); parent != parents_.end())
        relate(classes, parent->second);
    }
  }

#if GST_CHECK_VERSION(1, 26, 0)
  void add_masks() {
    if (seen_.masks.size > 0)
      for (size_t i = 0; i < objects_.size(); i++) add_mask(i);
    if (seen_.semantic) add_semantic(*seen_.semantic);
    if (seen_.panoptic) add_panoptic(*seen_.panoptic);
  }
#endif

 private:
  using Key = std::array<int, 4>;
  static Key key(const FrameRect& rect) { return {rect.x, rect.y, rect.width, rect.height}; }

  // Objects of earlier elements, by their boxes as a region is cut out of a frame.
  void remember_parents() {
    gpointer state = nullptr;
    GstAnalyticsODMtd od;
    while (gst_analytics_relation_meta_iterate(meta_, &state, gst_analytics_od_mtd_get_mtd_type(), &od)) {
      FrameRect rect;
      gfloat confidence = 0;
      if (!gst_analytics_od_mtd_get_location(&od, &rect.x, &rect.y, &rect.width, &rect.height, &confidence))
        continue;
      parents_.emplace(key(fit_to_frame(rect, {seen_.height, seen_.width})), od.id);
    }
  }

  GQuark quark(int class_id) const { return g_quark_from_string(seen_.label(class_id).c_str()); }

  GstAnalyticsODMtd add_box(const Object& object) {
    GstAnalyticsODMtd od;
    const FrameRect box = od_box(object, seen_);
#if GST_CHECK_VERSION(1, 26, 0)
    if (object.rotated) {
      gst_analytics_relation_meta_add_oriented_od_mtd(
          meta_, quark(object.class_id), box.x, box.y, box.width, box.height,
          -object.rotated->angle * std::numbers::pi_v<float> / 180, object.score, &od);
      return od;
    }
#endif
    gst_analytics_relation_meta_add_od_mtd(meta_, quark(object.class_id), box.x, box.y, box.width, box.height,
                                           object.score, &od);
    return od;
  }

  guint add_class(int class_id, float score) {
    GstAnalyticsClsMtd cls;
    gst_analytics_relation_meta_add_one_cls_mtd(meta_, score, quark(class_id), &cls);
    return cls.id;
  }

  guint add_classes(const std::vector<ClassScore>& classes) {
    std::vector<gfloat> scores;
    std::vector<GQuark> quarks;
    for (const ClassScore& one : classes) {
      scores.push_back(one.score);
      quarks.push_back(quark(one.class_id));
    }
    return add_classes(scores, quarks);
  }
  guint add_classes(std::vector<gfloat>& scores, std::vector<GQuark>& quarks) {
    GstAnalyticsClsMtd cls;
    gst_analytics_relation_meta_add_cls_mtd(meta_, scores.size(), scores.data(), quarks.data(), &cls);
    return cls.id;
  }

  void relate(guint a, guint b, GstAnalyticsRelTypes there = GST_ANALYTICS_REL_TYPE_RELATE_TO,
              GstAnalyticsRelTypes back = GST_ANALYTICS_REL_TYPE_RELATE_TO) {
    gst_analytics_relation_meta_set_relation(meta_, there, a, b);
    gst_analytics_relation_meta_set_relation(meta_, back, b, a);
  }

  void set_part_of(guint object, const Region& region) {
    const auto parent = parents_.find(key(region.rect));
    if (region.parent >= 0 && parent != parents_.end())
      relate(object, parent->second, GST_ANALYTICS_REL_TYPE_IS_PART_OF, GST_ANALYTICS_REL_TYPE_CONTAIN);
  }

#if GST_CHECK_VERSION(1, 26, 0)
  // A picture of packed rows. GBytes: T's, width x height.
  template <class T>
  static GstBuffer* picture(const std::vector<T>& pixels, int width, int height) {
    constexpr GstVideoFormat format = sizeof(T) == 1                    ? GST_VIDEO_FORMAT_GRAY8
                                      : G_BYTE_ORDER == G_LITTLE_ENDIAN ? GST_VIDEO_FORMAT_GRAY16_LE
                                                                        : GST_VIDEO_FORMAT_GRAY16_BE;
    GstBuffer* buffer = gst_buffer_new_memdup(pixels.data(), pixels.size() * sizeof(T));
    gsize offset[GST_VIDEO_MAX_PLANES] = {};
    gint stride[GST_VIDEO_MAX_PLANES] = {width * static_cast<gint>(sizeof(T))};
    gst_buffer_add_video_meta_full(buffer, GST_VIDEO_FRAME_FLAG_NONE, format, width, height, 1, offset,
                                   stride);
    return buffer;
  }

  guint add_segmentation(GstBuffer* picture, GstSegmentationType type, std::vector<guint> ids,
                         const FrameRect& at) {
    GstAnalyticsSegmentationMtd mtd;
    gst_analytics_relation_meta_add_segmentation_mtd(meta_, picture, type, ids.size(), ids.data(), at.x, at.y,
                                                     at.width, at.height, &mtd);
    return mtd.id;
  }

  void add_mask(size_t i) {
    const PastedMask mask = paste_mask(seen_, static_cast<int>(i));
    if (mask.pixels.empty()) return;
    relate(objects_[i],
           add_segmentation(picture(mask.pixels, mask.width, mask.height), GST_SEGMENTATION_TYPE_INSTANCE,
                            {255}, {mask.x, mask.y, mask.width, mask.height}));
  }

  // A map of labels, `shift` added to them, in the smallest samples that they fit.
  GstBuffer* map_picture(const LabelMap& map, int shift, guint largest) const {
    const auto as = [&](auto sample) {
      std::vector<decltype(sample)> pixels(map.ids.size());
      std::ranges::transform(map.ids, pixels.begin(),
                             [&](int id) { return static_cast<decltype(sample)>(id + shift); });
      return picture(pixels, map.width, map.height);
    };
    return largest <= 255 ? as(guint8{}) : as(guint16{});
  }

  void add_map(const LabelMap& map, int shift, GstSegmentationType type, std::vector<guint> ids,
               std::vector<GQuark>& quarks, std::vector<gfloat>& scores) {
    if (ids.empty()) return;
    const guint largest = *std::ranges::max_element(ids);
    const guint mtd = add_segmentation(map_picture(map, shift, largest), type, std::move(ids),
                                       {0, 0, map.width, map.height});
    relate(mtd, add_classes(scores, quarks), GST_ANALYTICS_REL_TYPE_N_TO_N, GST_ANALYTICS_REL_TYPE_N_TO_N);
  }

  void add_semantic(const LabelMap& map) {
    std::set<int> classes(map.ids.begin(), map.ids.end());
    classes.erase(-1);
    std::vector<guint> ids;
    std::vector<GQuark> quarks;
    for (const int class_id : classes) {
      ids.push_back(static_cast<guint>(class_id) + 1);
      quarks.push_back(g_quark_from_string(fmt::format("stuff {}", class_id).c_str()));
    }
    std::vector<gfloat> scores(ids.size(), 1);
    add_map(map, 1, GST_SEGMENTATION_TYPE_SEMANTIC, std::move(ids), quarks, scores);
  }

  void add_panoptic(const LabelMap& map) {
    std::vector<guint> ids;
    std::vector<GQuark> quarks;
    std::vector<gfloat> scores;
    for (const PanopticSegment& segment : seen_.segments) {
      ids.push_back(static_cast<guint>(segment.id));
      scores.push_back(segment.is_thing ? segment.score : 1);
      quarks.push_back(segment.is_thing
                           ? quark(segment.category_id)
                           : g_quark_from_string(fmt::format("stuff {}", segment.category_id).c_str()));
    }
    add_map(map, 0, GST_SEGMENTATION_TYPE_INSTANCE, std::move(ids), quarks, scores);
  }
#endif

  const Detections& seen_;
  GstAnalyticsRelationMeta* meta_;
  std::vector<guint> objects_;    // ids of the ODMtds of seen_.objects
  std::map<Key, guint> parents_;  // ids of ODMtds that were there
};

}  // namespace

void attach_analytics(GstBuffer* buffer, const Detections& detections, [[maybe_unused]] bool masks) {
  Writer writer(buffer, detections);
  writer.add_objects();
  writer.add_classes();
#if GST_CHECK_VERSION(1, 26, 0)
  if (masks) writer.add_masks();
#endif
}

void attach_tracking(GstBuffer* buffer, const Detections& tracked,
                     const std::map<std::int64_t, GstClockTime>& first, GstClockTime now) {
  GstAnalyticsRelationMeta* meta = gst_buffer_get_analytics_relation_meta(buffer);
  if (!meta) return;
  TrackIds ids(tracked, od_box);
  std::vector<std::pair<guint, std::int64_t>> tracks;  // ids of ODMtds and of their tracks
  gpointer state = nullptr;
  GstAnalyticsODMtd od;
  while (gst_analytics_relation_meta_iterate(meta, &state, gst_analytics_od_mtd_get_mtd_type(), &od)) {
    FrameRect box;
    gfloat confidence = 0;
#if GST_CHECK_VERSION(1, 26, 0)
    gfloat turn = 0;
    gst_analytics_od_mtd_get_oriented_location(&od, &box.x, &box.y, &box.width, &box.height, &turn,
                                               &confidence);
#else
    gst_analytics_od_mtd_get_location(&od, &box.x, &box.y, &box.width, &box.height, &confidence);
#endif
    const auto id = ids.take(box, gst_analytics_od_mtd_get_obj_type(&od));
    if (id && *id >= 0) tracks.emplace_back(od.id, *id);
  }
  for (const auto& [object, id] : tracks) {
    GstAnalyticsTrackingMtd track;
    const auto since = first.find(id);
    if (!gst_analytics_relation_meta_add_tracking_mtd(meta, static_cast<guint64>(id),
                                                      since == first.end() ? now : since->second, &track))
      continue;
    gst_analytics_tracking_mtd_update_last_seen(&track, now);
    gst_analytics_relation_meta_set_relation(meta, GST_ANALYTICS_REL_TYPE_RELATE_TO, object, track.id);
    gst_analytics_relation_meta_set_relation(meta, GST_ANALYTICS_REL_TYPE_RELATE_TO, track.id, object);
  }
}

}  // namespace caffe2rt::gst
