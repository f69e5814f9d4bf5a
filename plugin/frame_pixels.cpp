#include "frame_pixels.h"

#include <algorithm>

#include "guard.h"

namespace caffe2rt::gst {
namespace {

std::optional<PixelFormat> packed_format(const GstVideoInfo& info) {
  if (GST_VIDEO_INFO_COLORIMETRY(&info).range == GST_VIDEO_COLOR_RANGE_16_235) return {};
  switch (GST_VIDEO_INFO_FORMAT(&info)) {
    case GST_VIDEO_FORMAT_BGR:
      return PixelFormat::kBgr;
    case GST_VIDEO_FORMAT_RGB:
      return PixelFormat::kRgb;
    case GST_VIDEO_FORMAT_BGRx:
    case GST_VIDEO_FORMAT_BGRA:
      return PixelFormat::kBgrx;
    case GST_VIDEO_FORMAT_RGBx:
    case GST_VIDEO_FORMAT_RGBA:
      return PixelFormat::kRgbx;
    case GST_VIDEO_FORMAT_GRAY8:
      return PixelFormat::kGray;
    default:
      return {};
  }
}

// The colours of NV12 and I420 as GstVideoConverter understands them. Its short way from I420 knows no chroma
// sites.
std::optional<Yuv> yuv_of(const GstVideoInfo& info) {
  const GstVideoFormat format = GST_VIDEO_INFO_FORMAT(&info);
  const auto& colours = GST_VIDEO_INFO_COLORIMETRY(&info);
  const bool full = colours.range == GST_VIDEO_COLOR_RANGE_0_255;
  double red = 0, blue = 0;
  if ((format != GST_VIDEO_FORMAT_NV12 && format != GST_VIDEO_FORMAT_I420) ||
      (!full && colours.range != GST_VIDEO_COLOR_RANGE_16_235) ||
      !gst_video_color_matrix_get_Kr_Kb(colours.matrix, &red, &blue))
    return {};
  Yuv yuv;
  yuv.matrix = yuv_matrix(red, blue, full);
  if (format == GST_VIDEO_FORMAT_NV12) {
    const int site = GST_VIDEO_INFO_CHROMA_SITE(&info);
    yuv.columns = site & GST_VIDEO_CHROMA_SITE_H_COSITED ? ChromaFilter::kCosited : ChromaFilter::kBetween;
    yuv.rows_between = !(site & GST_VIDEO_CHROMA_SITE_V_COSITED);
  }
  return yuv;
}

std::optional<FrameView> direct_view(const GstVideoInfo& info) {
  FrameView view;
  if (const auto format = packed_format(info))
    view.format = *format;
  else if (const auto yuv = yuv_of(info)) {
    view.format = PixelFormat::kYuv420;
    view.yuv = *yuv;
  } else
    return {};
  return view;
}

const guint8* component(const GstVideoFrame& frame, int index) {
  return static_cast<const guint8*>(GST_VIDEO_FRAME_COMP_DATA(&frame, index));
}

}  // namespace

GstVideoInfo progressive_video(const GstCaps* caps) {
  constexpr int kMostSide = 16384;
  constexpr gint64 kMostPixels = gint64{1} << 27;
  GstVideoInfo info;
  if (!gst_video_info_from_caps(&info, caps))
    throw StreamError(GST_STREAM_ERROR_FORMAT, "caps that are no raw video");
  if (GST_VIDEO_INFO_IS_INTERLACED(&info))
    throw StreamError(GST_STREAM_ERROR_FORMAT, "interlaced video: put 'deinterlace' before this element");
  const int width = GST_VIDEO_INFO_WIDTH(&info), height = GST_VIDEO_INFO_HEIGHT(&info);
  if (width < 1 || height < 1 || width > kMostSide || height > kMostSide ||
      gint64{width} * height > kMostPixels)
    throw StreamError(GST_STREAM_ERROR_FORMAT,
                      "frames of {}x{} pixels: expected 1 to {} a side and at most {} in all", width, height,
                      kMostSide, kMostPixels);
  return info;
}

GstClockTime frame_duration(const GstVideoInfo& info) {
  if (info.fps_n <= 0 || info.fps_d <= 0) return GST_SECOND / 30;
  return gst_util_uint64_scale(GST_SECOND, info.fps_d, info.fps_n);
}

void require_mappable(const GstVideoInfo& info, GstBuffer* buffer) {
  const GstVideoMeta* meta = gst_buffer_get_video_meta(buffer);
  const int width = GST_VIDEO_INFO_WIDTH(&info), height = GST_VIDEO_INFO_HEIGHT(&info);
  if (!meta && gst_buffer_get_size(buffer) < GST_VIDEO_INFO_SIZE(&info))
    throw StreamError(GST_STREAM_ERROR_FORMAT, "a buffer of {} bytes where {}x{} {} needs {}",
                      gst_buffer_get_size(buffer), width, height, GST_VIDEO_INFO_NAME(&info),
                      GST_VIDEO_INFO_SIZE(&info));
  if (meta && (meta->format != GST_VIDEO_INFO_FORMAT(&info) || static_cast<int>(meta->width) < width ||
               static_cast<int>(meta->height) < height))
    throw StreamError(GST_STREAM_ERROR_FORMAT, "a buffer of {}x{} {} where the caps say {}x{} {}",
                      meta->width, meta->height, gst_video_format_to_string(meta->format), width, height,
                      GST_VIDEO_INFO_NAME(&info));
}

void require_complete(const GstVideoFrame& frame) {
  for (guint plane = 0; plane < GST_VIDEO_FRAME_N_PLANES(&frame); plane++) {
    gint components[GST_VIDEO_MAX_COMPONENTS];
    gst_video_format_info_component(frame.info.finfo, plane, components);
    const gint64 row = GST_VIDEO_FRAME_COMP_WIDTH(&frame, components[0]) *
                       static_cast<gint64>(GST_VIDEO_FRAME_COMP_PSTRIDE(&frame, components[0]));
    const gint64 rows = GST_VIDEO_FRAME_COMP_HEIGHT(&frame, components[0]);
    const gint64 stride = GST_VIDEO_FRAME_PLANE_STRIDE(&frame, plane);
    const GstMapInfo& map = frame.meta ? frame.map[plane] : frame.map[0];
    const gint64 offset = static_cast<guint8*>(GST_VIDEO_FRAME_PLANE_DATA(&frame, plane)) - map.data;
    if (stride < row || offset < 0 || offset + stride * (rows - 1) + row > static_cast<gint64>(map.size))
      throw StreamError(
          GST_STREAM_ERROR_FORMAT,
          "plane {} of a buffer with {} bytes from {} and stride {} where {} rows of {} bytes are due", plane,
          map.size, offset, stride, rows, row);
  }
}

Ref<GstBuffer> packed(const GstVideoInfo& info, Ref<GstBuffer> buffer) {
  const GstVideoMeta* meta = gst_buffer_get_video_meta(buffer.get());
  if (!meta) return buffer;
  bool same = true;
  for (guint plane = 0; plane < GST_VIDEO_INFO_N_PLANES(&info); plane++)
    same &= meta->stride[plane] == GST_VIDEO_INFO_PLANE_STRIDE(&info, plane) &&
            meta->offset[plane] == GST_VIDEO_INFO_PLANE_OFFSET(&info, plane);
  if (same) return buffer;
  Ref<GstBuffer> copy(gst_buffer_new_allocate(nullptr, GST_VIDEO_INFO_SIZE(&info), nullptr));
  {
    const MappedFrame from(info, buffer.get(), GST_MAP_READ), to(info, copy.get(), GST_MAP_WRITE);
    if (!from || !to)
      throw StreamError(GST_STREAM_ERROR_FAILED, "a buffer that cannot be mapped for copying");
    gst_video_frame_copy(const_cast<GstVideoFrame*>(&*to), &*from);
  }
  constexpr auto kAllButMemory =
      GstBufferCopyFlags(GST_BUFFER_COPY_FLAGS | GST_BUFFER_COPY_TIMESTAMPS | GST_BUFFER_COPY_META);
  gst_buffer_copy_into(copy.get(), buffer.get(), kAllButMemory, 0, gsize(-1));
  if (GstVideoMeta* old = gst_buffer_get_video_meta(copy.get()))
    gst_buffer_remove_meta(copy.get(), &old->meta);
  return copy;
}

std::vector<FramePlane> planes_of(const GstVideoFrame& frame) {
  std::vector<FramePlane> planes(GST_VIDEO_FRAME_N_PLANES(&frame));
  // The first component of each plane says what it is like.
  for (int c = static_cast<int>(GST_VIDEO_FRAME_N_COMPONENTS(&frame)) - 1; c >= 0; c--) {
    const auto p = static_cast<size_t>(GST_VIDEO_FRAME_COMP_PLANE(&frame, c));
    planes[p] = {static_cast<std::uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(&frame, p)),
                 GST_VIDEO_FRAME_PLANE_STRIDE(&frame, p), GST_VIDEO_FRAME_COMP_WIDTH(&frame, c),
                 GST_VIDEO_FRAME_COMP_HEIGHT(&frame, c), GST_VIDEO_FRAME_COMP_PSTRIDE(&frame, c)};
  }
  return planes;
}

void FramePixels::set_info(const GstVideoInfo& info) {
  info_ = info;
  direct_ = direct_view(info);
  release();
}

void FramePixels::release() {
  bgr_frame_.reset();
  bgr_.reset();
  converter_.reset();
}

FrameView FramePixels::view(const GstVideoFrame& frame, FrameMemory memory) {
  require_complete(frame);
  if (!direct_ || (direct_->format == PixelFormat::kYuv420 &&
                   GST_VIDEO_FRAME_COMP_STRIDE(&frame, 1) != GST_VIDEO_FRAME_COMP_STRIDE(&frame, 2))) {
    if (memory == FrameMemory::kHost) return converted(frame);
    throw StreamError(GST_STREAM_ERROR_FORMAT,
                      "{} in a GPU's memory whose planes have different strides: put 'cudadownload' before "
                      "this element",
                      GST_VIDEO_INFO_NAME(&info_));
  }
  FrameView view = *direct_;
  view.memory = memory;
  // What is padded beyond the caps' size is no picture.
  view.width = std::min(GST_VIDEO_FRAME_WIDTH(&frame), GST_VIDEO_INFO_WIDTH(&info_));
  view.height = std::min(GST_VIDEO_FRAME_HEIGHT(&frame), GST_VIDEO_INFO_HEIGHT(&info_));
  view.stride = GST_VIDEO_FRAME_PLANE_STRIDE(&frame, 0);
  view.data = static_cast<const guint8*>(GST_VIDEO_FRAME_PLANE_DATA(&frame, 0));
  if (view.format == PixelFormat::kYuv420) {
    view.yuv.u = component(frame, 1);
    view.yuv.v = component(frame, 2);
    view.yuv.stride = GST_VIDEO_FRAME_COMP_STRIDE(&frame, 1);
    view.yuv.step = GST_VIDEO_FRAME_COMP_PSTRIDE(&frame, 1);
  }
  return view;
}

void FramePixels::make_converter() {
  gst_video_info_set_format(&bgr_info_, GST_VIDEO_FORMAT_BGR, GST_VIDEO_INFO_WIDTH(&info_),
                            GST_VIDEO_INFO_HEIGHT(&info_));
  bgr_info_.fps_n = info_.fps_n;  // or the converter refuses
  bgr_info_.fps_d = info_.fps_d;
  bgr_.reset(gst_buffer_new_allocate(nullptr, GST_VIDEO_INFO_SIZE(&bgr_info_), nullptr));
  converter_.reset(gst_video_converter_new(&info_, &bgr_info_, nullptr));
  if (bgr_) bgr_frame_.emplace(bgr_info_, bgr_.get(), GST_MAP_READWRITE);
  if (!converter_ || !bgr_frame_ || !*bgr_frame_)
    throw StreamError(GST_STREAM_ERROR_FORMAT, "{} of {}x{} pixels cannot be converted to BGR",
                      GST_VIDEO_INFO_NAME(&info_), GST_VIDEO_INFO_WIDTH(&info_),
                      GST_VIDEO_INFO_HEIGHT(&info_));
}

FrameView FramePixels::converted(const GstVideoFrame& frame) {
  if (!converter_) make_converter();
  GstVideoFrame to = **bgr_frame_;
  gst_video_converter_frame(converter_.get(), &frame, &to);
  return {PixelFormat::kBgr, GST_VIDEO_FRAME_WIDTH(&to), GST_VIDEO_FRAME_HEIGHT(&to),
          GST_VIDEO_FRAME_PLANE_STRIDE(&to, 0),
          static_cast<const guint8*>(GST_VIDEO_FRAME_PLANE_DATA(&to, 0))};
}

}  // namespace caffe2rt::gst
