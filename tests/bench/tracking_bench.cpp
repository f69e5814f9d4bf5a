// The tracker: a frame of so many objects, each on its way.
#include <benchmark/benchmark.h>

#include <cmath>

#include "tracking/tracker.h"

namespace caffe2rt {
namespace {

// Objects of 80 pixels in 1080p. In a crowd they stand in one another's way, with seven neighbours each at
// the least.
Detections frame_of(int objects, bool crowd, int frame, int mask_size) {
  Detections seen;
  seen.width = 1920;
  seen.height = 1080;
  const int columns = static_cast<int>(std::ceil(std::sqrt(objects * 2.0)));
  const double step = crowd ? 30 : 1920.0 / columns;
  for (int i = 0; i < objects; i++) {
    const int row = i / columns, column = i % columns;
    const double phase = 0.05 * frame + i;
    const auto x = static_cast<float>(40 + step * column + 8 * std::sin(phase));
    const auto y = static_cast<float>(40 + step * row + 8 * std::cos(phase));
    Object object;
    object.box = {x, y, x + 80, y + 80};
    object.score = 0.9F;
    seen.objects.push_back(object);
  }
  seen.masks.size = mask_size;
  seen.masks.probs.assign(static_cast<size_t>(objects) * mask_size * mask_size, 0.9F);
  return seen;
}

void tracking(benchmark::State& state, bool crowd, int mask_size) {
  std::vector<Detections> frames;
  frames.reserve(125);
  for (int i = 0; i < 125; i++)
    frames.push_back(frame_of(static_cast<int>(state.range(0)), crowd, i, mask_size));
  Tracker tracker({.mask_iou = mask_size > 0});
  int frame = 0;
  while (state.KeepRunning()) {
    benchmark::DoNotOptimize(tracker.update(frames[frame % frames.size()], frame / 30.0));
    frame++;
  }
  state.counters["ids"] = static_cast<double>(tracker.ids());
}
BENCHMARK_CAPTURE(tracking, spread, false, 0)->Arg(100)->Arg(500)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(tracking, crowd, true, 0)->Arg(100)->Arg(500)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(tracking, masks, false, 28)->Arg(100)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(tracking, masks_in_a_crowd, true, 28)->Arg(100)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace caffe2rt
