// Rows of video frames as pixels of four bytes, whatever the format: what resizing starts from. Plain
// pointers, a row at a time; every vector width that the processor has, chosen when it runs.
#pragma once

#include <cstddef>
#include <cstdint>

#include "frame/frame_view.h"

namespace caffe2rt {

// Bytes of a row of `width` pixels, with the room that unpack_row writes beyond the last one.
size_t unpacked_row_size(int width);

// Row y of a frame -> (width,4) uint8: red, green and blue where `rgb`, else blue, green and red, then any
// byte. Grey is repeated. Reads no byte outside the frame's pixels. REQUIRES: `to` has
// unpacked_row_size(frame.width) bytes.
void unpack_row(const FrameView& frame, int y, bool rgb, std::uint8_t* to);

}  // namespace caffe2rt
