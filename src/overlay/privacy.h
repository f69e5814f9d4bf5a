// Privacy: makes objects of some classes unrecognisable, in the frame itself.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "decode/detections.h"
#include "decode/paste_masks.h"
#include "frame/frame_plane.h"

namespace caffe2rt {

// The names of classes whose objects are concealed; "*" stands for all.
struct PrivacyStyle {
  std::vector<std::string> blur, pixelate;
  bool any() const { return !blur.empty() || !pixelate.empty(); }
};

// Everything within an object's mask, a little widened, or its box where it has none, is averaged into eight
// cells along its longer side, drawn as squares or as their smooth interpolation. Where a detector misses an
// object that it saw, the place stays concealed for ten more looks, or until an object is seen there; and as
// long as nobody looks. One thread at a time.
class Privacy {
 public:
  // `map` leads from the detections' frame to the frame of the planes, of `width` x `height` pixels.
  // `looked`: whether they are what was seen in this very frame.
  void conceal(std::span<const FramePlane> planes, int width, int height, const Detections& detections,
               const Affine& map, bool looked, const PrivacyStyle& style);

  // Forgets what was seen.
  void clear() { areas_.clear(); }

 private:
  struct Area {
    PastedMask mask;
    bool pixelate = false;
    int unseen = 0;  // looks
  };

  void remember(std::vector<Area> now, bool looked);

  std::vector<Area> areas_;
};

// Which of the style's names are no classes of `labels`.
std::vector<std::string> unknown_classes(const PrivacyStyle& style, const std::vector<std::string>& labels);

}  // namespace caffe2rt
