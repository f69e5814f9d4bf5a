// Rectangles of whole pixels, and the parts of a frame that a model may be shown instead of all of it.
#pragma once

#include <vector>

#include "frame/frame_view.h"

namespace caffe2rt {

// Origin top left; x + width and y + height are outside.
struct FrameRect {
  int x = 0, y = 0;
  int width = 0, height = 0;
  bool operator==(const FrameRect&) const = default;
  bool empty() const { return width <= 0 || height <= 0; }
};

// What of the rectangle lies inside a frame of that size, begun at an even column and row, where frames of
// quarter chroma can be cut; it may be empty.
FrameRect fit_to_frame(const FrameRect& rect, const FrameSize& frame);

// The pixels there, for as long as the frame's are. REQUIRES: the rectangle fits the frame, see above.
FrameView crop(const FrameView& frame, const FrameRect& rect);

// Tiles that cover a rectangle row by row, `columns` x `rows` of them, of the same size but for a pixel. Of
// two neighbours each shares the part `overlap` (0..0.9) of its width or height with the other. REQUIRES:
// columns and rows are at least 1.
std::vector<FrameRect> tile(const FrameRect& rect, int columns, int rows, double overlap);

}  // namespace caffe2rt
