#include "video_frame.h"

#include <algorithm>
#include <utility>

#include "decode/merge_regions.h"
#include "gpu_memory.h"
#include "guard.h"
#include "meta/meta.h"

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
                       Plan plan)
    : Frame({GST_VIDEO_INFO_HEIGHT(&readers->info()), GST_VIDEO_INFO_WIDTH(&readers->info())},
            std::move(options)),
      buffer_(std::move(buffer)),
      readers_(std::move(readers)),
      plan_(std::move(plan)) {}

std::vector<FrameView> VideoFrame::map(bool in_gpu_memory) {
  try {
    reader_ = readers_->take();
    const bool stays = in_gpu_memory && reader_->reads_in_place() && is_in_gpu_memory(buffer_.get());
    mapped_.emplace(readers_->info(), buffer_.get(),
                    static_cast<GstMapFlags>(stays ? GST_MAP_READ | kMapOnGpu : GST_MAP_READ));
    if (!*mapped_) throw StreamError(GST_STREAM_ERROR_FAILED, "a buffer that cannot be mapped for reading");
    if (stays) await_gpu_memory(buffer_.get());
    const FrameView whole = reader_->view(**mapped_, stays ? FrameMemory::kGpu : FrameMemory::kHost);
    if (!plan_.regions) return {whole};
    std::vector<FrameView> views;
    for (const Region& region : *plan_.regions) views.push_back(crop(whole, region.rect));
    return views;
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
      return plan_.look;
  }
}

std::shared_ptr<const Detections> VideoFrame::detections() const {
  if (fate() == Fate::kInferred && !plan_.regions) return results().at(0);
  Detections seen;
  seen.width = size().width;
  seen.height = size().height;
  if (fate() == Fate::kInferred) {
    seen = merge_regions(results(), *plan_.regions, size());
    // Regions of objects overlap where objects do, and each is a matter of its own.
    if (std::ranges::all_of(*plan_.regions, [](const Region& region) { return region.parent < 0; }))
      suppress_across_regions(seen);
  }
  return std::make_shared<const Detections>(std::move(seen));
}

Ref<GstBuffer> VideoFrame::take_buffer() {
  if (fate() == Fate::kFailed) std::rethrow_exception(error());
  SeenFrame seen;
  seen.width = size().width;
  seen.height = size().height;
  seen.look = look();
  seen.detections = detections();
  Ref<GstBuffer> buffer(gst_buffer_make_writable(buffer_.release()));
  attach_metas(buffer.get(), std::move(seen), plan_.metas);
  return buffer;
}

}  // namespace caffe2rt::gst
