// FramePixels: a GStreamer video frame as the FrameView that a model looks at: in place, with what its caps
// say of colorimetry, range and chroma site. Frames of rarer colours, as RGB of 16..235, are converted to BGR
// into a frame that is kept.
#pragma once

#include <optional>
#include <vector>

#include "frame/frame_plane.h"
#include "frame/frame_view.h"
#include "gst_ref.h"

namespace caffe2rt::gst {

// The formats that our elements take, for pad templates.
inline constexpr auto kVideoCaps =
    GST_VIDEO_CAPS_MAKE("{ BGR, RGB, BGRx, RGBx, BGRA, RGBA, GRAY8, NV12, I420 }");

// Reads and checks caps: throws StreamError for what is no progressive raw video, for empty frames and for
// frames past 16384 pixels a side or 2^27 in all.
GstVideoInfo progressive_video(const GstCaps* caps);

// From one frame to the next; of streams without a frame rate a guess.
GstClockTime frame_duration(const GstVideoInfo& info);

// Before a buffer is mapped: throws StreamError where it is smaller than its caps, or its GstVideoMeta does
// not fit them.
void require_mappable(const GstVideoInfo& info, GstBuffer* buffer);

// gst_video_frame_map believes the offsets and strides of a GstVideoMeta: throws StreamError where they lead
// out of the memory.
void require_complete(const GstVideoFrame& frame);

// The frame as its caps alone describe it: copied where its GstVideoMeta has rows with padding or planes
// elsewhere, else the buffer itself. Metadata goes along.
Ref<GstBuffer> packed(const GstVideoInfo& info, Ref<GstBuffer> buffer);

// The frame's samples, for those who change them. REQUIRES: it is mapped to be written, of a format in
// kVideoCaps, and complete.
std::vector<FramePlane> planes_of(const GstVideoFrame& frame);

// One thread at a time.
class FramePixels {
 public:
  void set_info(const GstVideoInfo& info);

  // Whether frames are read where they are, without the converter.
  bool reads_in_place() const { return direct_.has_value(); }

  // The buffer's pixels, which are mapped in `memory`, for as long as it stays mapped and until the next
  // call. Throws StreamError where the buffer holds less than its caps and its GstVideoMeta promise, or would
  // have to be converted on a GPU.
  FrameView view(const GstVideoFrame& frame, FrameMemory memory = FrameMemory::kHost);

 private:
  void release();
  void make_converter();
  FrameView converted(const GstVideoFrame& frame);

  GstVideoInfo info_{}, bgr_info_{};
  std::optional<FrameView> direct_;  // all but the pixels; nothing: by way of the converter
  Ref<GstVideoConverter> converter_;
  Ref<GstBuffer> bgr_;
  std::optional<MappedFrame> bgr_frame_;
};

}  // namespace caffe2rt::gst
