#include "decode/predictions.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <array>

#include "decode/paste_masks.h"

namespace caffe2rt {
namespace {

// (R,H,W) bool: every object's mask in pixels of the frame.
at::Tensor pasted_masks(const Detections& seen) {
  const auto count = static_cast<std::int64_t>(seen.objects.size());
  const std::array<std::int64_t, 3> shape = {count, seen.height, seen.width};
  at::Tensor masks = at::zeros(shape, at::kBool);
  for (std::int64_t i = 0; i < count; i++) {
    const PastedMask mask = paste_mask(seen, static_cast<int>(i));
    for (int y = 0; y < mask.height; y++) {
      bool* row = masks.mutable_data_ptr<bool>() + (i * seen.height + mask.y + y) * seen.width + mask.x;
      for (int x = 0; x < mask.width; x++) row[x] = mask.pixels[static_cast<size_t>(y) * mask.width + x] != 0;
    }
  }
  return masks;
}

template <class T>
at::Tensor to_tensor(const std::vector<T>& values, const std::vector<std::int64_t>& shape,
                     at::ScalarType type) {
  at::Tensor tensor = at::empty(shape, type);
  std::copy(values.begin(), values.end(), tensor.mutable_data_ptr<T>());
  return tensor;
}

at::Tensor to_tensor(const LabelMap& map) { return to_tensor(map.ids, {map.height, map.width}, at::kInt); }

}  // namespace

NamedTensors predictions(const Detections& seen) {
  const auto count = static_cast<std::int64_t>(seen.objects.size());
  std::vector<float> boxes, scores, keypoints;
  std::vector<std::int64_t> classes;
  const bool rotated = count > 0 && seen.objects.front().rotated.has_value();
  for (const Object& object : seen.objects) {
    const Box& b = object.box;
    if (const auto& r = object.rotated)
      boxes.insert(boxes.end(), {r->cx, r->cy, r->width, r->height, r->angle});
    else
      boxes.insert(boxes.end(), {b.x1, b.y1, b.x2, b.y2});
    scores.push_back(object.score);
    classes.push_back(object.class_id);
    for (const Keypoint& k : object.keypoints) keypoints.insert(keypoints.end(), {k.x, k.y, k.score});
  }
  NamedTensors formatted = {{"boxes", to_tensor(boxes, {count, rotated ? 5 : 4}, at::kFloat)},
                            {"scores", to_tensor(scores, {count}, at::kFloat)},
                            {"classes", to_tensor(classes, {count}, at::kLong)}};
  if (seen.masks.size > 0) formatted["masks"] = pasted_masks(seen);
  if (!keypoints.empty()) {
    const auto per_object = static_cast<std::int64_t>(seen.objects.front().keypoints.size());
    formatted["keypoints"] = to_tensor(keypoints, {count, per_object, 3}, at::kFloat);
  }
  if (seen.semantic) formatted["sem_seg_argmax"] = to_tensor(*seen.semantic);
  if (seen.panoptic) formatted["panoptic"] = to_tensor(*seen.panoptic);
  return formatted;
}

}  // namespace caffe2rt
