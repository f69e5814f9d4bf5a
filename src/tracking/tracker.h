// Tracker: gives the objects of a video identities, and carries them on through frames that nobody looked at.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "decode/detections.h"
#include "tracking/box_motion.h"

namespace caffe2rt {

struct TrackerOptions {
  double max_age = 1;  // seconds that a track lives on unseen
  int min_hits = 2;    // sightings in a row until an object gets its id
  // Overlap with where it should be, times the score, from which an object continues a track, 0..1.
  double iou_threshold = 0.2;
  double high_threshold = 0.5;  // scores from which objects are matched first
  double low_threshold = 0.1;   // scores below which objects are left out
  double new_threshold = 0.5;   // scores from which objects begin tracks
  bool match_classes = true;    // whether a track stays within its class
  bool mask_iou = false;        // overlap of masks, where the model has them, instead of boxes
  bool drop_untracked = false;  // leave out objects without an id
};

// Association as ByteTrack does it (arXiv:2110.06864): predicted boxes of all tracks with objects of high
// score; then of tracks seen at the last look with those of low score, by an overlap of at least a half; then
// of tracks that have no id yet; and then of both, boxes half as wide and high again on each side, as C-BIoU
// has them (arXiv:2211.14317), for what is faster than it was thought to be. Each time the assignment of the
// largest gain. Tracks without an id end at their first miss, others at the first that comes more than
// `max_age` after they were seen. One thread at a time; boxes that are not finite get no id.
class Tracker {
 public:
  explicit Tracker(const TrackerOptions& options = {}) : options_(options) {}

  void set_options(const TrackerOptions& options) { options_ = options; }

  // What a model saw in a frame, `seconds` into the video: returns it with ids. Times that go back count as
  // none gone by. A frame of another size begins anew, as reset() does.
  Detections update(const Detections& seen, double seconds);

  // What should be seen in a frame that nobody looked at: the objects of the last look that have a track,
  // with their masks, keypoints and scores, where they are by now. Those outside the frame are left out.
  Detections predict(double seconds) const;

  // Forgets all tracks. Later ids are new all the same.
  void reset();

  // Ids of tracks that ended with the last update or reset.
  std::span<const std::int64_t> ended() const { return ended_; }

  // How many ids were given.
  std::int64_t ids() const { return ids_; }

 private:
  struct Track {
    std::int64_t id = -1;  // -1: not yet
    BoxMotion motion;
    Object object;            // as last seen
    std::vector<float> mask;  // its soft mask, or empty
    Box origin;               // what the motion made of its box
    int hits = 1;
    int missed = 0;   // looks since
    double seen = 0;  // seconds into the video
    Object expected;  // at the present look
    int found = -1;   // index of the object that continues it now
  };
  using Indices = std::vector<int>;

  void look_ahead(double seconds);
  using Likeness = double (Tracker::*)(const Track& track, const Detections& seen, int object) const;
  // Matches tracks to objects that are still free; takes both that are matched out of the lists.
  template <class Gain>
  void match(Indices& tracks, Indices& objects, const Detections& seen, Likeness likeness, Gain&& gain);
  double overlap(const Track& track, const Detections& seen, int object) const;
  double wide_overlap(const Track& track, const Detections& seen, int object) const;
  void settle(const Detections& seen);
  void begin_tracks(const Indices& objects, const Detections& seen);
  Detections with_ids(const Detections& seen) const;

  TrackerOptions options_;
  std::vector<Track> tracks_;
  std::vector<std::int64_t> ended_;
  std::int64_t ids_ = 0;
  double seconds_ = 0;  // of the last look
  Detections last_;     // its frame and labels, without objects
};

}  // namespace caffe2rt
