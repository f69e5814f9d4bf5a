#include "tracking/tracker.h"

#include <algorithm>
#include <cmath>

#include "decode/mapped.h"
#include "tracking/assignment.h"
#include "tracking/overlap.h"

namespace caffe2rt {
namespace {

constexpr double kLowIou = 0.5;  // of objects of low score
constexpr float kWider = 0.5F;
constexpr double kFirstIouMargin = 0.1;  // on top, of tracks that have no id yet

// The object as it is after its box `from` became `to`.
Object moved(const Object& object, const Box& from, const Box& to) {
  const double x = to.width() / std::max(1e-6F, from.width()),
               y = to.height() / std::max(1e-6F, from.height());
  const Affine map{x, 0, to.x1 - x * from.x1, 0, y, to.y1 - y * from.y1};
  Object now = object;
  now.box = map_box(object.box, map);
  if (object.rotated) now.rotated = map_box(*object.rotated, map);
  for (Keypoint& point : now.keypoints) {
    const Point p = map(point.x, point.y);
    point.x = static_cast<float>(p.x);
    point.y = static_cast<float>(p.y);
  }
  return now;
}

// Half as wide and high again on each side.
Box widened(const Box& box) {
  const float x = box.width() * kWider, y = box.height() * kWider;
  return {box.x1 - x, box.y1 - y, box.x2 + x, box.y2 + y};
}

bool finite(const Box& box) {
  return std::isfinite(box.x1) && std::isfinite(box.y1) && std::isfinite(box.x2) && std::isfinite(box.y2);
}

std::span<const float> mask_of(const Detections& seen, int object) {
  const size_t cells = static_cast<size_t>(seen.masks.size) * static_cast<size_t>(seen.masks.size);
  return std::span(seen.masks.probs).subspan(static_cast<size_t>(object) * cells, cells);
}

// The frame alone: no objects, nor what else was seen in it.
Detections frame_of(const Detections& seen) {
  Detections frame;
  frame.width = seen.width;
  frame.height = seen.height;
  frame.labels = seen.labels;
  frame.masks.size = seen.masks.size;
  frame.masks.pasting = seen.masks.pasting;
  return frame;
}

bool in_frame(const Box& box, const Detections& frame) {
  return box.x2 > 0 && box.y2 > 0 && box.x1 < static_cast<float>(frame.width) &&
         box.y1 < static_cast<float>(frame.height);
}

// Leaves out the objects without an id, their masks, and what panoptic segments say of them.
void drop_untracked(Detections& seen) {
  std::vector<int> now(seen.objects.size(), -1);
  const size_t cells = static_cast<size_t>(seen.masks.size) * static_cast<size_t>(seen.masks.size);
  size_t kept = 0;
  for (size_t i = 0; i < seen.objects.size(); i++) {
    if (seen.objects[i].track_id < 0) continue;
    now[i] = static_cast<int>(kept);
    if (kept != i) {
      seen.objects[kept] = std::move(seen.objects[i]);
      std::copy_n(seen.masks.probs.begin() + static_cast<std::ptrdiff_t>(i * cells), cells,
                  seen.masks.probs.begin() + static_cast<std::ptrdiff_t>(kept * cells));
    }
    kept++;
  }
  seen.objects.resize(kept);
  seen.masks.probs.resize(kept * cells);
  for (PanopticSegment& segment : seen.segments)
    if (segment.object >= 0) segment.object = now[segment.object];
}

}  // namespace

void Tracker::reset() {
  ended_.clear();
  for (const Track& track : tracks_)
    if (track.id >= 0) ended_.push_back(track.id);
  tracks_.clear();
  last_ = {};
}

void Tracker::look_ahead(double seconds) {
  const double frames = std::max(0.0, seconds - seconds_) * BoxMotion::kFramesPerSecond;
  seconds_ = seconds;
  for (Track& track : tracks_) {
    if (track.missed > 0) track.motion.keep_size();
    track.motion.advance(frames);
    track.expected = moved(track.object, track.origin, track.motion.at(0));
    track.found = -1;
  }
}

double Tracker::wide_overlap(const Track& track, const Detections& seen, int object) const {
  const Object& o = seen.objects[object];
  if (options_.match_classes && o.class_id != track.object.class_id) return 0;
  return box_overlap(widened(track.expected.box), widened(o.box));
}

double Tracker::overlap(const Track& track, const Detections& seen, int object) const {
  const Object& o = seen.objects[object];
  if (options_.match_classes && o.class_id != track.object.class_id) return 0;
  const double boxes = box_overlap(track.expected, o);
  const std::span<const float> mask = mask_of(seen, object);
  if (!options_.mask_iou || boxes <= 0 || mask.empty() || mask.size() != track.mask.size()) return boxes;
  return mask_overlap(track.expected.box, track.mask, o.box, mask, seen.masks.size);
}

template <class Gain>
void Tracker::match(Indices& tracks, Indices& objects, const Detections& seen, Likeness likeness,
                    Gain&& gain) {
  std::vector<Candidate> candidates;
  for (size_t row = 0; row < tracks.size(); row++) {
    for (size_t column = 0; column < objects.size(); column++) {
      const double shared = (this->*likeness)(tracks_[tracks[row]], seen, objects[column]);
      if (shared <= 0) continue;
      const double gained = gain(shared, seen.objects[objects[column]].score);
      if (gained > 0) candidates.push_back({static_cast<int>(row), static_cast<int>(column), gained});
    }
  }
  constexpr int kTaken = -1;
  for (const auto& [row, column] :
       assign(candidates, static_cast<int>(tracks.size()), static_cast<int>(objects.size()))) {
    tracks_[tracks[row]].found = objects[column];
    tracks[row] = objects[column] = kTaken;
  }
  std::erase(tracks, kTaken);
  std::erase(objects, kTaken);
}

void Tracker::settle(const Detections& seen) {
  ended_.clear();
  for (Track& track : tracks_) {
    if (track.found < 0) {
      track.missed++;
      continue;
    }
    track.object = seen.objects[track.found];
    if (seen.masks.size > 0) {
      const std::span<const float> mask = mask_of(seen, track.found);
      track.mask.assign(mask.begin(), mask.end());
    }
    track.motion.correct(track.object.box);
    track.origin = track.motion.at(0);
    track.missed = 0;
    track.seen = seconds_;
    track.hits++;
    if (track.id < 0 && track.hits >= options_.min_hits) track.id = ++ids_;
  }
  std::erase_if(tracks_, [&](const Track& track) {
    const bool over = track.missed > 0 && (track.id < 0 || seconds_ - track.seen > options_.max_age);
    if (over && track.id >= 0) ended_.push_back(track.id);
    return over;
  });
}

void Tracker::begin_tracks(const Indices& objects, const Detections& seen) {
  for (const int i : objects) {
    const Object& object = seen.objects[i];
    if (object.score < options_.new_threshold) continue;
    Track track{.motion = BoxMotion(object.box), .object = object, .mask = {}, .origin = {}, .expected = {}};
    if (seen.masks.size > 0) {
      const std::span<const float> mask = mask_of(seen, i);
      track.mask.assign(mask.begin(), mask.end());
    }
    track.origin = track.motion.at(0);
    track.found = i;
    track.seen = seconds_;
    if (options_.min_hits <= 1) track.id = ++ids_;
    tracks_.push_back(std::move(track));
  }
}

Detections Tracker::with_ids(const Detections& seen) const {
  Detections tracked = seen;
  for (Object& object : tracked.objects) object.track_id = -1;  // of another tracker before
  for (const Track& track : tracks_)
    if (track.found >= 0) tracked.objects[track.found].track_id = track.id;
  if (options_.drop_untracked) drop_untracked(tracked);
  return tracked;
}

Detections Tracker::update(const Detections& seen, double seconds) {
  std::vector<std::int64_t> of_old_size;
  if (last_.width != seen.width || last_.height != seen.height) {
    reset();
    of_old_size = std::move(ended_);
  }
  look_ahead(seconds);
  Indices known, present, fresh;
  for (int i = 0; i < std::ssize(tracks_); i++) (tracks_[i].id >= 0 ? known : fresh).push_back(i);
  Indices high, low;
  for (int i = 0; i < std::ssize(seen.objects); i++) {
    const Object& object = seen.objects[i];
    if (!finite(object.box)) continue;
    if (object.score >= options_.high_threshold)
      high.push_back(i);
    else if (object.score >= options_.low_threshold)
      low.push_back(i);
  }
  const double least = options_.iou_threshold;
  match(known, high, seen, &Tracker::overlap,
        [&](double shared, double score) { return shared * score - least; });
  for (const int i : known)
    if (tracks_[i].missed == 0) present.push_back(i);
  match(present, low, seen, &Tracker::overlap,
        [&](double shared, double) { return shared - std::max(kLowIou, least); });
  match(fresh, high, seen, &Tracker::overlap,
        [&](double shared, double score) { return shared * score - least - kFirstIouMargin; });
  Indices lagging;
  for (const int i : known)
    if (tracks_[i].missed == 0 && tracks_[i].found < 0) lagging.push_back(i);
  lagging.insert(lagging.end(), fresh.begin(), fresh.end());
  match(lagging, high, seen, &Tracker::wide_overlap,
        [&](double shared, double score) { return shared * score - least; });
  last_ = frame_of(seen);
  settle(seen);
  begin_tracks(high, seen);
  ended_.insert(ended_.end(), of_old_size.begin(), of_old_size.end());
  return with_ids(seen);
}

Detections Tracker::predict(double seconds) const {
  Detections now = last_;
  const double frames = std::max(0.0, seconds - seconds_) * BoxMotion::kFramesPerSecond;
  std::vector<const Track*> present;
  for (const Track& track : tracks_)
    if (track.missed == 0 && (track.id >= 0 || !options_.drop_untracked)) present.push_back(&track);
  std::ranges::stable_sort(present, std::greater(), [](const Track* track) { return track->object.score; });
  for (const Track* shown : present) {
    const Track& track = *shown;
    Object object = moved(track.object, track.origin, track.motion.at(frames));
    if (!in_frame(object.box, now)) continue;
    object.track_id = track.id;
    object.region = -1;
    now.objects.push_back(std::move(object));
    now.masks.probs.insert(now.masks.probs.end(), track.mask.begin(), track.mask.end());
  }
  return now;
}

}  // namespace caffe2rt
