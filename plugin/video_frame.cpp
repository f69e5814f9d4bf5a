#include "video_frame.h"

#include <utility>

#include "guard.h"
#include "meta/meta.h"
#include "roi_meta.h"

namespace caffe2rt::gst {

std::unique_ptr<FramePixels> FrameReaders::take() {
  {
    const std::lock_guard lock(lock_);
    if (!free_.empty()) {
      auto reader = std::move(free_.back());
      free_.pop_back();
      return reader;
    }
  }
  auto reader = std::make_unique<FramePixels>();
  reader->set_info(info_);
  return reader;
}

void FrameReaders::give_back(std::unique_ptr<FramePixels> reader) {
  const std::lock_guard lock(lock_);
  free_.push_back(std::move(reader));
}

VideoFrame::VideoFrame(Ref<GstBuffer> buffer, std::shared_ptr<FrameReaders> readers, DetectOptions options,
                       GstCaffe2Look seen_as)
    : Frame({GST_VIDEO_INFO_HEIGHT(&readers->info()), GST_VIDEO_INFO_WIDTH(&readers->info())},
            std::move(options)),
      buffer_(std::move(buffer)),
      readers_(std::move(readers)),
      seen_as_(seen_as) {}

std::vector<FrameView> VideoFrame::map() {
  mapped_.emplace(readers_->info(), buffer_.get(), GST_MAP_READ);
  try {
    if (!*mapped_) throw StreamError(GST_STREAM_ERROR_FAILED, "a buffer that cannot be mapped for reading");
    reader_ = readers_->take();
    return {reader_->view(**mapped_)};
  } catch (...) {
    unmap();
    throw;
  }
}

void VideoFrame::unmap() noexcept {
  mapped_.reset();
  if (reader_) readers_->give_back(std::move(reader_));
}

GstCaffe2Look VideoFrame::look() const {
  switch (fate()) {
    case Fate::kInferred:
      return GST_CAFFE2_LOOK_INFERRED;
    case Fate::kOverrun:
      return GST_CAFFE2_LOOK_OVERRUN;
    default:
      return seen_as_;
  }
}

Ref<GstBuffer> VideoFrame::take_buffer() {
  if (fate() == Fate::kFailed) std::rethrow_exception(error());
  SeenFrame seen;
  seen.width = size().width;
  seen.height = size().height;
  seen.look = look();
  if (seen.look == GST_CAFFE2_LOOK_INFERRED) {
    seen.detections = results().at(0);
  } else {
    auto nothing = std::make_shared<Detections>();
    nothing->width = seen.width;
    nothing->height = seen.height;
    seen.detections = std::move(nothing);
  }
  Ref<GstBuffer> buffer(gst_buffer_make_writable(buffer_.release()));
  attach_regions(buffer.get(), *seen.detections);
  attach(buffer.get(), std::move(seen));
  return buffer;
}

}  // namespace caffe2rt::gst
