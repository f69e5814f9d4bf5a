// What a net takes its images as: found out by asking its operators, since a NetDef does not say.
#pragma once

#include <optional>
#include <string>

#include "frame/frame_view.h"
#include "runtime/compiled_net.h"

namespace caffe2rt {

struct ImageLayout {
  int channels = 3;               // 3 or 1
  bool channels_last = false;     // (N,H,W,C)
  std::optional<FrameSize> size;  // the one that the net was made for, where that shows
};

// `input` is the net's input for the image. Where `weights` hold a place for it, (N,C,H,W) or (N,H,W,C), that
// decides. Else it is the first of 3 and 1 channels, first and last, that all operators accept; and where
// they do not accept every size, as a fully connected layer does not, the smallest square that they do, or
// the smallest of its kind whose side 32 divides. Throws Error(kShape) where nothing fits, with what the
// first operator that refuses 3 channels says.
ImageLayout find_image_layout(const CompiledNet& net, const std::string& input, const Blobs& weights);

}  // namespace caffe2rt
