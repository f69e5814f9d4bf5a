#include "decode/paste_masks.h"

#include "base/error.h"

namespace caffe2rt {

PastedMask paste_mask(const Detections& detections, int index, float threshold) {
  const SoftMasks& masks = detections.masks;
  const size_t area = static_cast<size_t>(masks.size) * masks.size;
  require(index >= 0 && static_cast<size_t>(index) < detections.objects.size(), ErrorCode::kArgument,
          "mask: expected an object below {}, got {}", detections.objects.size(), index);
  require(masks.size > 0 && masks.probs.size() >= (index + 1) * area, ErrorCode::kArgument,
          "mask: object {} has none", index);
  return paste_mask({masks.probs.data() + index * area, masks.size, masks.pasting},
                    detections.objects[index].box, {detections.height, detections.width}, threshold);
}

}  // namespace caffe2rt
