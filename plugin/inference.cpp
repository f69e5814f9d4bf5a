#include "inference.h"

#include <utility>

#include "guard.h"
#include "meta/meta.h"
#include "roi_meta.h"

GST_DEBUG_CATEGORY_EXTERN(caffe2inference_debug);
#define GST_CAT_DEFAULT caffe2inference_debug

namespace caffe2rt::gst {

Inference::Settings Inference::settings() const {
  const std::lock_guard lock(settings_lock_);
  return settings_;
}

void Inference::open() {
  Settings settings;
  {
    const std::lock_guard lock(settings_lock_);
    if (model_ && !stale_) return;
    settings = settings_;
    stale_ = false;
  }
  model_.reset();
  ModelOptions& options = settings.options;
  if (!settings.model.empty()) find_model_files(settings.model, options);
  require(
      !options.predict_net.empty() && !options.init_net.empty(), ErrorCode::kArgument,
      "no model: set 'model' to a directory with model.pb and model_init.pb, or 'predict-net' and 'init-net' "
      "to files");
  model_ = open_model(options);
  const ModelInfo& info = model_->info();
  GST_INFO_OBJECT(element_, "%s: %s '%s', short side %d, long side at most %d, %s",
                  options.predict_net.c_str(), info.meta_architecture.c_str(), info.name.c_str(),
                  info.min_size, info.max_size, info.input_format.c_str());
}

void Inference::stop() {
  has_caps_ = false;
  refused_caps_.reset();
  pixels_.release();
}

bool Inference::set_caps(GstCaps* caps) {
  has_caps_ = false;
  if (refused_caps_ && gst_caps_is_equal(refused_caps_.get(), caps)) return false;
  refused_caps_.reset(gst_caps_ref(caps));
  info_ = progressive_video(caps);
  pixels_.set_info(info_);
  refused_caps_.reset();
  has_caps_ = true;
  return true;
}

DetectOptions Inference::detect_options() const {
  DetectOptions options = model_->defaults();
  const std::lock_guard lock(settings_lock_);
  if (settings_.threshold >= 0) options.threshold = static_cast<float>(settings_.threshold);
  if (settings_.max_detections >= 0) options.max_detections = settings_.max_detections;
  return options;
}

std::shared_ptr<const Detections> Inference::detect(GstBuffer* buffer) {
  require_mappable(info_, buffer);
  const MappedFrame frame(info_, buffer, GST_MAP_READ);
  if (!frame) throw StreamError(GST_STREAM_ERROR_FAILED, "a buffer that cannot be mapped for reading");
  const FrameView view = pixels_.view(*frame);
  return model_->detect({&view, 1}, detect_options()).at(0);
}

void Inference::process(Ref<GstBuffer>& buffer) {
  SeenFrame seen;
  seen.width = GST_VIDEO_INFO_WIDTH(&info_);
  seen.height = GST_VIDEO_INFO_HEIGHT(&info_);
  // A gap buffer fills a hole in the stream: its pixels show nothing.
  seen.inferred = !GST_BUFFER_FLAG_IS_SET(buffer.get(), GST_BUFFER_FLAG_GAP);
  if (seen.inferred) {
    seen.detections = detect(buffer.get());
    GST_LOG_OBJECT(element_, "%zu objects in the frame of %" GST_TIME_FORMAT, seen.detections->objects.size(),
                   GST_TIME_ARGS(GST_BUFFER_PTS(buffer.get())));
  } else {
    auto nothing = std::make_shared<Detections>();
    nothing->width = seen.width;
    nothing->height = seen.height;
    seen.detections = std::move(nothing);
  }
  buffer.reset(gst_buffer_make_writable(buffer.release()));
  attach_regions(buffer.get(), *seen.detections);
  attach(buffer.get(), std::move(seen));
}

}  // namespace caffe2rt::gst
