// TrackIds: which track the metadata of an object belongs to, by what it says of the object.
#pragma once

#include <glib.h>

#include <cstdint>
#include <map>
#include <optional>
#include <tuple>

#include "decode/detections.h"

namespace caffe2rt::gst {

class TrackIds {
 public:
  // `box_of` gives an object's box as the metadata has it, in whole pixels of the frame.
  template <class BoxOf>
  TrackIds(const Detections& frame, BoxOf&& box_of) {
    for (const Object& object : frame.objects)
      ids_.emplace(key(box_of(object, frame), g_quark_from_string(frame.label(object.class_id).c_str())),
                   object.track_id);
  }

  // The track id, perhaps -1, of an object with that box and label, which is not given again; nothing where
  // there is none.
  std::optional<std::int64_t> take(const FrameRect& box, GQuark label) {
    const auto found = ids_.find(key(box, label));
    if (found == ids_.end()) return {};
    const std::int64_t id = found->second;
    ids_.erase(found);
    return id;
  }

 private:
  using Key = std::tuple<int, int, int, int, GQuark>;
  static Key key(const FrameRect& box, GQuark label) { return {box.x, box.y, box.width, box.height, label}; }

  std::multimap<Key, std::int64_t> ids_;
};

}  // namespace caffe2rt::gst
