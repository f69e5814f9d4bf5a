// VideoFrame: a GStreamer video frame on its way through a Stream.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "attach_metas.h"
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
  struct Plan {
    // What the frame's metadata says where no worker looks at it; inferred: one is to.
    GstCaffe2Look look = GST_CAFFE2_LOOK_INFERRED;
    std::optional<std::vector<Region>> regions;  // to look at; nothing: the whole frame
    guint metas = 0;                             // MetaFlags of what to attach
  };
  VideoFrame(Ref<GstBuffer> buffer, std::shared_ptr<FrameReaders> readers, DetectOptions options, Plan plan);

  std::vector<FrameView> map(bool in_gpu_memory) override;
  void unmap() noexcept override;

  // REQUIRES: the frame came out of the stream. The buffer, which is the caller's then, with metadata of what
  // was seen. Throws what the frame failed with.
  Ref<GstBuffer> take_buffer();

  // REQUIRES: the buffer has not been taken.
  GstBuffer* buffer() const { return buffer_.get(); }
  const GstVideoInfo& info() const { return readers_->info(); }

 private:
  GstCaffe2Look look() const;
  std::shared_ptr<const Detections> detections() const;

  Ref<GstBuffer> buffer_;
  const std::shared_ptr<FrameReaders> readers_;
  const Plan plan_;
  std::optional<MappedFrame> mapped_;
  std::unique_ptr<FramePixels> reader_;
};

}  // namespace caffe2rt::gst
