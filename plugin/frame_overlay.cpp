#include "frame_overlay.h"

#include <utility>

#include "frame_pixels.h"
#include "guard.h"
#include "roi_meta.h"

namespace caffe2rt::gst {
namespace {

Ref<GstVideoOverlayRectangle> rectangle(const OverlayPiece& piece) {
  const auto size = static_cast<gsize>(piece.stride * (piece.height - 1) + piece.width * 4);
  const Ref<GstBuffer> pixels(gst_buffer_new_wrapped_full(
      GST_MEMORY_FLAG_READONLY, const_cast<std::uint8_t*>(piece.pixels), size, 0, size, nullptr, nullptr));
  gsize offset[GST_VIDEO_MAX_PLANES] = {0};
  gint stride[GST_VIDEO_MAX_PLANES] = {static_cast<gint>(piece.stride)};
  gst_buffer_add_video_meta_full(pixels.get(), GST_VIDEO_FRAME_FLAG_NONE,
                                 GST_VIDEO_OVERLAY_COMPOSITION_FORMAT_RGB, piece.width, piece.height, 1,
                                 offset, stride);
  return Ref<GstVideoOverlayRectangle>(
      gst_video_overlay_rectangle_new_raw(pixels.get(), piece.x, piece.y, piece.width, piece.height,
                                          GST_VIDEO_OVERLAY_FORMAT_FLAG_PREMULTIPLIED_ALPHA));
}

// The rectangles view the pieces' own pixels, and are gone before those change.
void blend(std::span<const OverlayPiece> pieces, GstVideoFrame* frame) {
  if (pieces.empty()) return;
  const Ref<GstVideoOverlayComposition> composition(gst_video_overlay_composition_new(nullptr));
  for (const OverlayPiece& piece : pieces)
    gst_video_overlay_composition_add_rectangle(composition.get(), rectangle(piece).get());
  if (!gst_video_overlay_composition_blend(composition.get(), frame))
    throw StreamError(GST_STREAM_ERROR_FAILED, "the overlay cannot be blended into {}",
                      gst_video_format_to_string(GST_VIDEO_FRAME_FORMAT(frame)));
}

}  // namespace

OverlaySettings FrameOverlay::settings() const {
  const std::lock_guard lock(settings_lock_);
  return settings_;
}

void FrameOverlay::draw(GstVideoFrame* frame) {
  require_complete(*frame);
  const OverlaySettings settings = this->settings();
  const int width = GST_VIDEO_FRAME_WIDTH(frame), height = GST_VIDEO_FRAME_HEIGHT(frame);
  overlay_.begin(width, height, settings.style);
  if (settings.privacy.any()) conceal(frame, settings.privacy);
  bool known = false;
  for_each_meta(frame->buffer, [&](const SeenFrame& seen) {
    known = true;
    if (seen.width == width && seen.height == height) overlay_.draw(*seen.detections, seen.map);
  });
  if (!known) draw_regions(frame->buffer, overlay_, settings.style);
  blend(overlay_.pieces(), frame);
}

void FrameOverlay::forget() {
  overlay_.clear();
  privacy_.clear();
}

// By the frame's first model.
void FrameOverlay::conceal(GstVideoFrame* frame, const PrivacyStyle& style) {
  const int width = GST_VIDEO_FRAME_WIDTH(frame), height = GST_VIDEO_FRAME_HEIGHT(frame);
  const GstCaffe2Meta* meta = gst_buffer_get_caffe2_meta(frame->buffer);
  if (!meta || gst::seen(meta).width != width || gst::seen(meta).height != height) {
    if (!std::exchange(warned_of_nothing_, true))
      GST_ELEMENT_WARNING(element_, STREAM, FORMAT, ("frames pass with nothing concealed"),
                          ("expected caffe2inference's metadata, which elements that crop drop, got none"));
    return;
  }
  const SeenFrame& seen = gst::seen(meta);
  const auto& labels = seen.detections->labels;
  if (labels || seen.look == GST_CAFFE2_LOOK_INFERRED)
    warn_of_unknown(style, labels ? *labels : std::vector<std::string>());
  privacy_.conceal(planes_of(*frame), width, height, *seen.detections, seen.map,
                   seen.look == GST_CAFFE2_LOOK_INFERRED, style);
}

// Once for the same names: somebody believes to be concealed.
void FrameOverlay::warn_of_unknown(const PrivacyStyle& style, const std::vector<std::string>& labels) {
  const std::string unknown = fmt::format("{}", fmt::join(unknown_classes(style, labels), ", "));
  if (unknown == std::exchange(warned_of_, unknown) || unknown.empty()) return;
  const std::string known =
      labels.empty() ? "only numbers: 'class 0', 'class 1'" : fmt::format("{}", fmt::join(labels, ", "));
  GST_ELEMENT_WARNING(element_, LIBRARY, SETTINGS,
                      ("classes to conceal that the model has not: %s", unknown.c_str()),
                      ("it has: %s", known.c_str()));
}

}  // namespace caffe2rt::gst
