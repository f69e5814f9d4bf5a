#include "frame/rect.h"

#include <algorithm>
#include <cmath>

namespace caffe2rt {
namespace {

struct Span {
  int begin, size;
};

// `count` spans that cover [begin, begin + size).
std::vector<Span> cover(int begin, int size, int count, double overlap) {
  const double length = size / (count - (count - 1) * overlap);
  std::vector<Span> spans;
  for (int i = 0; i < count; i++) {
    const double from = count == 1 ? 0 : i * (size - length) / (count - 1);
    const int first = static_cast<int>(std::floor(from + 1e-6));
    const int last = std::min(size, static_cast<int>(std::ceil(from + length - 1e-6)));
    spans.push_back({begin + first, last - first});
  }
  return spans;
}

}  // namespace

FrameRect fit_to_frame(const FrameRect& rect, const FrameSize& frame) {
  const int x = std::clamp(rect.x, 0, frame.width) & ~1, y = std::clamp(rect.y, 0, frame.height) & ~1;
  const auto end = [](int begin, int size, int bound) {
    return static_cast<int>(std::clamp(static_cast<long>(begin) + size, 0L, static_cast<long>(bound)));
  };
  return {x, y, end(rect.x, rect.width, frame.width) - x, end(rect.y, rect.height, frame.height) - y};
}

FrameView crop(const FrameView& frame, const FrameRect& rect) {
  FrameView part = frame;
  part.width = rect.width;
  part.height = rect.height;
  part.data = frame.row(rect.y) + static_cast<std::ptrdiff_t>(rect.x) * bytes_per_pixel(frame.format);
  if (frame.format == PixelFormat::kYuv420) {
    const std::ptrdiff_t chroma = rect.y / 2 * frame.yuv.stride + rect.x / 2 * frame.yuv.step;
    part.yuv.u += chroma;
    part.yuv.v += chroma;
  }
  return part;
}

std::vector<FrameRect> tile(const FrameRect& rect, int columns, int rows, double overlap) {
  std::vector<FrameRect> tiles;
  for (const Span& down : cover(rect.y, rect.height, rows, overlap))
    for (const Span& across : cover(rect.x, rect.width, columns, overlap))
      tiles.push_back({across.begin, down.begin, across.size, down.size});
  return tiles;
}

}  // namespace caffe2rt
