// VideoFrame: a GStreamer video frame on its way through a Stream.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "frame_pixels.h"
#include "gst/caffe2/gstcaffe2meta.h"
#include "gst_ref.h"
#include "serving/frame.h"

namespace caffe2rt::gst {

// What it takes to see the pixels of frames of some caps, for as many frames as are looked at at once.
// Thread-safe.
class FrameReaders {
 public:
  explicit FrameReaders(const GstVideoInfo& info) : info_(info) {}
  const GstVideoInfo& info() const { return info_; }

  std::unique_ptr<FramePixels> take();
  void give_back(std::unique_ptr<FramePixels> reader);

 private:
  const GstVideoInfo info_;
  std::mutex lock_;
  std::vector<std::unique_ptr<FramePixels>> free_;  // guarded by lock_
};

class VideoFrame final : public Frame {
 public:
  // `seen_as`: what the frame's metadata says where no worker looks at it.
  VideoFrame(Ref<GstBuffer> buffer, std::shared_ptr<FrameReaders> readers, DetectOptions options,
             GstCaffe2Look seen_as);

  std::vector<FrameView> map() override;
  void unmap() noexcept override;

  // REQUIRES: the frame came out of the stream. The buffer, which is the caller's then, with metadata of what
  // was seen. Throws what the frame failed with.
  Ref<GstBuffer> take_buffer();

  // REQUIRES: the buffer has not been taken.
  GstBuffer* buffer() const { return buffer_.get(); }
  const GstVideoInfo& info() const { return readers_->info(); }

 private:
  GstCaffe2Look look() const;

  Ref<GstBuffer> buffer_;
  const std::shared_ptr<FrameReaders> readers_;
  const GstCaffe2Look seen_as_;
  std::optional<MappedFrame> mapped_;
  std::unique_ptr<FramePixels> reader_;
};

}  // namespace caffe2rt::gst
