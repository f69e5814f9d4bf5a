#include "geometry/nms.h"

#include <algorithm>
#include <numeric>

#include "base/vector_clones.h"

namespace caffe2rt {
namespace {

// Boxes as one array a coordinate, which is what makes the inner loop below vectorise.
struct BoxColumns {
  BoxColumns(std::span<const Box> boxes, float one) {
    for (auto* column : {&x1, &y1, &x2, &y2, &area}) column->reserve(boxes.size());
    for (const Box& b : boxes) {
      x1.push_back(b.x1);
      y1.push_back(b.y1);
      x2.push_back(b.x2);
      y2.push_back(b.y2);
      area.push_back(b.area(one));
    }
  }
  std::vector<float> x1, y1, x2, y2, area;
};

// Clears alive[j] for every box j after box i that overlaps it too much.
CAFFE2RT_VECTOR_CLONES
void suppress(const BoxColumns& boxes, size_t i, float threshold, float one, std::int32_t* __restrict alive) {
  const float *x1 = boxes.x1.data(), *y1 = boxes.y1.data(), *x2 = boxes.x2.data(), *y2 = boxes.y2.data();
  const float* area = boxes.area.data();
  const float left = x1[i], top = y1[i], right = x2[i], bottom = y2[i], own = area[i];
  const size_t size = boxes.area.size();
  for (size_t j = i + 1; j < size; j++) {
    const float near_x = x1[j] > left ? x1[j] : left, far_x = x2[j] < right ? x2[j] : right;
    const float near_y = y1[j] > top ? y1[j] : top, far_y = y2[j] < bottom ? y2[j] : bottom;
    const float w = far_x - near_x + one, h = far_y - near_y + one;
    const float shared = (w > 0 ? w : 0) * (h > 0 ? h : 0);
    alive[j] &= shared / (own + area[j] - shared) <= threshold;
  }
}

template <class Suppress>
std::vector<int> greedy(size_t size, int limit, std::vector<std::int32_t>& alive, Suppress&& suppress_after) {
  const size_t most = limit < 0 ? size : static_cast<size_t>(limit);
  std::vector<int> kept;
  for (size_t i = 0; i < size && kept.size() < most; i++) {
    if (alive[i] == 0) continue;
    kept.push_back(static_cast<int>(i));
    suppress_after(i);
  }
  return kept;
}

template <class B>
std::vector<int> soft_nms_of(std::span<const B> boxes, std::span<float> scores, const SoftNms& how,
                             float one) {
  std::vector<int> pending(boxes.size()), kept;
  std::iota(pending.begin(), pending.end(), 0);
  while (!pending.empty()) {
    // Which of several equal scores is picked, and the order of the rest, follow the original: the first,
    // then swapped.
    const auto best =
        std::max_element(pending.begin(), pending.end(), [&](int a, int b) { return scores[a] < scores[b]; });
    std::iter_swap(pending.begin(), best);
    const int picked = pending.front();
    kept.push_back(picked);
    std::erase_if(pending, [&](int i) {
      if (i == picked) return true;
      scores[i] *= how.factor(overlap(boxes[picked], boxes[i], one));
      return !(scores[i] >= how.min_score);
    });
  }
  return kept;
}

}  // namespace

std::vector<int> nms(std::span<const Box> boxes, float threshold, int limit, float one) {
  const BoxColumns columns(boxes, one);
  std::vector<std::int32_t> alive(boxes.size(), 1);
  return greedy(boxes.size(), limit, alive,
                [&](size_t i) { suppress(columns, i, threshold, one, alive.data()); });
}

std::vector<int> nms(std::span<const RotatedBox> boxes, float threshold, int limit, float /*one*/) {
  std::vector<std::int32_t> alive(boxes.size(), 1);
  return greedy(boxes.size(), limit, alive, [&](size_t i) {
    for (size_t j = i + 1; j < boxes.size(); j++)
      if (alive[j] != 0) alive[j] = iou(boxes[i], boxes[j]) <= threshold;
  });
}

std::vector<int> soft_nms(std::span<const Box> boxes, std::span<float> scores, const SoftNms& how,
                          float one) {
  return soft_nms_of(boxes, scores, how, one);
}

std::vector<int> soft_nms(std::span<const RotatedBox> boxes, std::span<float> scores, const SoftNms& how,
                          float one) {
  return soft_nms_of(boxes, scores, how, one);
}

}  // namespace caffe2rt
