#include "inference_stream.h"

#include <algorithm>
#include <utility>

#include "gpu_memory.h"
#include "guard.h"
#include "inference_properties.h"
#include "pad_items.h"

GST_DEBUG_CATEGORY_EXTERN(caffe2inference_debug);
#define GST_CAT_DEFAULT caffe2inference_debug

namespace caffe2rt::gst {
namespace {

bool begins(const GstEvent* event) {
  return GST_EVENT_TYPE(event) == GST_EVENT_STREAM_START || GST_EVENT_TYPE(event) == GST_EVENT_SEGMENT;
}

}  // namespace

void InferenceStream::start() {
  auto stream = std::make_shared<Stream>(inference_.server());
  options_ = {};
  live_known_ = false;
  frames_ = 0;
  dropped_ = 0;
  batch_size_ = inference_.server()->batch_size();
  planned_ = inference_.settings().regions;
  plan_ = RegionPlan(planned_);
  gst_segment_init(&segment_, GST_FORMAT_TIME);
  const std::lock_guard lock(lock_);
  stream_ = std::move(stream);
  latency_ = {};
  qos_.reset();
}

void InferenceStream::stop() {
  readers_.reset();
  refused_caps_.reset();
  asked_model_.reset();
  const std::lock_guard lock(lock_);
  if (stream_) last_stats_ = stream_->stats();
  stream_.reset();
}

std::shared_ptr<Stream> InferenceStream::stream() const {
  const std::lock_guard lock(lock_);
  return stream_;
}

StreamStats InferenceStream::stats() const {
  const std::lock_guard lock(lock_);
  return stream_ ? stream_->stats() : last_stats_;
}

bool InferenceStream::is_live() {
  if (live_known_) return live_;
  live_known_ = true;
  GstQuery* query = gst_query_new_latency();
  gboolean live = FALSE;
  if (gst_pad_peer_query(sink_, query)) gst_query_parse_latency(query, &live, nullptr, nullptr);
  gst_query_unref(query);
  return live_ = live;
}

// Brings the stream's options up to date with the settings.
void InferenceStream::adapt(const InferenceSettings& settings) {
  constexpr GstClockTime kHeldAtLeast = GST_SECOND;  // of overrun frames behind an older one
  newest_ =
      settings.drop_policy == DropPolicy::kNewest || (settings.drop_policy == DropPolicy::kAuto && is_live());
  StreamOptions options;
  options.queue_size = settings.queue_size;
  if (newest_) {
    options.overflow = settings.on_drop == OnDrop::kDrop ? Overflow::kDrop : Overflow::kPass;
    const std::lock_guard lock(lock_);
    const auto held = std::max<GstClockTime>(kHeldAtLeast, 2 * latency_.reported().count());
    options.most_held =
        settings.queue_size + inference_.server()->capacity() +
        static_cast<int>(std::min<GstClockTime>(held / frame_duration(readers_->info()), 1000));
  }
  if (options == options_) return;
  options_ = options;
  stream_->set_options(options);
}

// What is asked of the model, found anew where it or the settings changed.
const DetectOptions& InferenceStream::detect_options(const InferenceSettings& settings) {
  const auto model = inference_.server()->model();
  if (model == asked_model_ && settings.same_questions(asked_)) return detect_options_;
  asked_model_ = model;
  asked_ = settings;
  DetectOptions options = model->defaults();
  options.output = settings.output;
  if (settings.threshold >= 0) options.threshold = static_cast<float>(settings.threshold);
  if (settings.max_detections >= 0) options.max_detections = settings.max_detections;
  for (const std::string& label : set_class_thresholds(settings.class_thresholds, *model, options))
    GST_ELEMENT_WARNING(element_, RESOURCE, SETTINGS,
                        ("class-thresholds: the model has no class '%s'", label.c_str()), (nullptr));
  return detect_options_ = std::move(options);
}

const RegionPlan& InferenceStream::region_plan(const InferenceSettings& settings) {
  if (settings.regions == planned_) return plan_;
  planned_ = settings.regions;
  try {
    plan_ = RegionPlan(settings.regions);
  } catch (const std::exception& e) {
    post_warning(element_, During::kSetup, e, "What was looked at before is looked at still");
  }
  return plan_;
}

// Once for the same place and size: where no region of the frame is looked at.
void InferenceStream::warn_of_nothing(const RegionSettings& settings, const FrameSize& size) {
  if (settings.of_objects || std::pair(settings, size) == warned_of_) return;
  warned_of_ = {settings, size};
  GST_ELEMENT_WARNING(
      element_, RESOURCE, SETTINGS,
      ("roi: %s lies outside frames of %dx%d pixels", settings.rect.c_str(), size.width, size.height),
      ("nothing is looked at"));
}

// Whether the model is to look at the frame, and why not.
GstCaffe2Look InferenceStream::look_at(const InferenceSettings& settings, GstBuffer* buffer) {
  const guint64 index = frames_++;
  if (GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_GAP)) return GST_CAFFE2_LOOK_GAP;
  if (index % static_cast<guint64>(settings.interval) != 0) return GST_CAFFE2_LOOK_INTERVAL;
  if (!newest_ || !settings.qos || segment_.format != GST_FORMAT_TIME) return GST_CAFFE2_LOOK_INFERRED;
  const GstClockTime time = gst_segment_to_running_time(&segment_, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer));
  return qos_.is_late(time) ? GST_CAFFE2_LOOK_LATE : GST_CAFFE2_LOOK_INFERRED;
}

GstFlowReturn InferenceStream::chain(GstBuffer* pushed) noexcept {
  Ref<GstBuffer> buffer(pushed);
  if (flow_ != GST_FLOW_OK) return flow_;
  if (!readers_) return GST_FLOW_NOT_NEGOTIATED;
  const auto enter = [&] {
    const InferenceSettings settings = inference_.settings();
    require_mappable(readers_->info(), buffer.get());
    adapt(settings);
    VideoFrame::Plan plan{look_at(settings, buffer.get()), {}, settings.metas};
    if (plan.look == GST_CAFFE2_LOOK_LATE) post_qos(buffer.get());
    const GstVideoInfo& info = readers_->info();
    const FrameSize size{GST_VIDEO_INFO_HEIGHT(&info), GST_VIDEO_INFO_WIDTH(&info)};
    plan.regions = region_plan(settings).regions_of(buffer.get(), size);
    if (plan.regions && plan.regions->empty()) warn_of_nothing(settings.regions, size);
    const bool wanted = plan.look == GST_CAFFE2_LOOK_INFERRED;
    stream()->push(
        std::make_shared<VideoFrame>(std::move(buffer), readers_, detect_options(settings), std::move(plan)),
        wanted);
    return flow_.load();
  };
  return guarded(element_, During::kStreaming, GST_FLOW_ERROR, enter);
}

bool InferenceStream::set_caps(GstCaps* caps) {
  readers_.reset();
  // GStreamer sends an event again that was not taken, and one error is enough.
  if (refused_caps_ && gst_caps_is_equal(refused_caps_.get(), caps)) return false;
  refused_caps_.reset(gst_caps_ref(caps));
  readers_ = std::make_shared<FrameReaders>(progressive_video(caps));
  refused_caps_.reset();
  return true;
}

bool InferenceStream::activate_sink(bool active) noexcept {
  if (!active) halt(GST_FLOW_FLUSHING, true);
  return true;
}

bool InferenceStream::activate_src(bool active) noexcept {
  if (active) {
    resume();
    return true;
  }
  halt(GST_FLOW_FLUSHING, true);
  return gst_pad_stop_task(src_);
}

// REQUIRES: the source pad's thread is not running, or about to pause.
void InferenceStream::resume() {
  const std::lock_guard lock(flow_lock_);
  ended_ = false;
  beginnings_ = 0;
  if (const auto stream = this->stream()) stream->start();
  flow_ = GST_FLOW_OK;
  gst_pad_start_task(
      src_, [](gpointer self) { static_cast<InferenceStream*>(self)->loop(); }, this, nullptr);
}

// Ends the flow of data: what is inside is discarded, and chain() returns `why`. What belongs to the stream
// rather than to its frames stays on the pad for whoever is linked next; a flush does away with that too.
void InferenceStream::halt(GstFlowReturn why, bool flush) {
  bool ended = false;
  {
    const std::lock_guard lock(flow_lock_);
    if (flow_ == GST_FLOW_FLUSHING && !flush) return;
    flow_ = why;
    const auto stream = this->stream();
    if (!stream) return;
    for (const auto& item : stream->stop()) {
      const auto* event = dynamic_cast<const EventItem*>(item.get());
      if (!event) continue;
      ended |= GST_EVENT_TYPE(event->get()) == GST_EVENT_EOS;
      event->keep(src_, flush);
    }
  }
  // Nobody upstream is left to hear of an error.
  if (ended && !flush && (why == GST_FLOW_NOT_LINKED || why < GST_FLOW_EOS)) {
    GST_ELEMENT_FLOW_ERROR(element_, why);
    gst_pad_push_event(src_, gst_event_new_eos());
  }
}

bool InferenceStream::sink_event(GstEvent* event) noexcept {
  switch (GST_EVENT_TYPE(event)) {
    case GST_EVENT_FLUSH_START:
      gst_pad_push_event(src_, event);
      halt(GST_FLOW_FLUSHING, true);
      gst_pad_pause_task(src_);
      return true;
    case GST_EVENT_FLUSH_STOP: {
      const bool passed = gst_pad_push_event(src_, event);
      gst_segment_init(&segment_, GST_FORMAT_TIME);
      qos_.reset();
      if (GST_PAD_MODE(src_) == GST_PAD_MODE_PUSH) resume();
      return passed;
    }
    case GST_EVENT_CAPS: {
      GstCaps* caps = nullptr;
      gst_event_parse_caps(event, &caps);
      if (!guarded(element_, During::kStreaming, false, [&] { return set_caps(caps); })) {
        gst_event_unref(event);
        return false;
      }
      break;
    }
    case GST_EVENT_SEGMENT:
      gst_event_copy_segment(event, &segment_);
      [[fallthrough]];
    case GST_EVENT_STREAM_START:
      live_known_ = false;
      break;
    default:
      break;
  }
  return GST_EVENT_IS_SERIALIZED(event) ? enqueue(event) : gst_pad_push_event(src_, event);
}

bool InferenceStream::enqueue(GstEvent* event) {
  const auto item = std::make_shared<EventItem>(event);
  const bool beginning = begins(event);
  const auto stream = this->stream();
  if (stream && stream->push(item)) {
    if (!beginning) return true;
    beginnings_++;
    GstFlowReturn ended = GST_FLOW_EOS;
    flow_.compare_exchange_strong(ended, GST_FLOW_OK);  // those downstream may want what comes now
    return true;
  }
  const GstFlowReturn flow = flow_;
  if (flow == GST_FLOW_FLUSHING) return false;
  item->keep(src_, false);
  if (GST_EVENT_TYPE(event) != GST_EVENT_EOS) return true;
  if (flow == GST_FLOW_NOT_LINKED || flow < GST_FLOW_EOS) GST_ELEMENT_FLOW_ERROR(element_, flow);
  return false;
}

bool InferenceStream::src_event(GstEvent* event) noexcept {
  switch (GST_EVENT_TYPE(event)) {
    case GST_EVENT_QOS: {
      // Where every frame is wanted, no decoder upstream shall leave any out. Of a file that is played at its
      // own pace nobody has said so: without decoders that catch up, all that a slow model has seen is too
      // late.
      const InferenceSettings settings = inference_.settings();
      if (!settings.qos || settings.drop_policy == DropPolicy::kBlock) {
        gst_event_unref(event);
        return true;
      }
      if (newest_) qos_.update(event);
      break;
    }
    case GST_EVENT_RECONFIGURE:
      links_++;
      if (flow_ == GST_FLOW_NOT_LINKED) resume();  // somebody is linked now
      break;
    default:
      break;
  }
  return gst_pad_push_event(sink_, event);
}

void InferenceStream::loop() noexcept {
  const auto stream = this->stream();
  const std::shared_ptr<Item> item = stream ? stream->pop() : nullptr;
  if (!item) {
    gst_pad_pause_task(src_);
    return;
  }
  const int links = links_;
  const GstFlowReturn flow =
      guarded(element_, During::kStreaming, GST_FLOW_ERROR, [&] { return deliver(*item); });
  if (flow == GST_FLOW_OK) return;
  if (flow == GST_FLOW_NOT_LINKED && links_ != links) return;  // somebody has been linked meanwhile
  GST_DEBUG_OBJECT(element_, "the flow ends: %s", gst_flow_get_name(flow));
  // In this order: whoever sees the flow halted may resume it.
  gst_pad_pause_task(src_);
  if (flow != GST_FLOW_FLUSHING) halt(flow, false);
}

GstFlowReturn InferenceStream::deliver(Item& item) {
  if (auto* frame = dynamic_cast<VideoFrame*>(&item)) return ended_ ? GST_FLOW_OK : push_frame(*frame);
  if (auto* event = dynamic_cast<EventItem*>(&item)) {
    if (begins(event->get())) {
      ended_ = false;
      beginnings_--;
    }
    gst_pad_push_event(src_, event->release());
    return GST_FLOW_OK;
  }
  auto& query = dynamic_cast<QueryItem&>(item);
  query.answer(ask(query.get()));
  return GST_FLOW_OK;
}

GstFlowReturn InferenceStream::push_frame(VideoFrame& frame) {
  after_frame();
  const std::uint64_t dropped = stream()->frames_dropped();
  if (frame.fate() == Fate::kOverrun || (newest_ && dropped > dropped_)) post_qos(frame.buffer());
  dropped_ = dropped;
  Ref<GstBuffer> buffer = frame.take_buffer();
  if (repack_ && !is_in_gpu_memory(buffer.get())) buffer = packed(frame.info(), std::move(buffer));
  const GstFlowReturn flow = gst_pad_push(src_, buffer.release());
  if (flow != GST_FLOW_EOS) return flow;
  // No more frames, until something else begins; events go on.
  ended_ = true;
  flow_ = GST_FLOW_EOS;
  if (beginnings_ > 0) flow_ = GST_FLOW_OK;
  return GST_FLOW_OK;
}

// What is due now that a frame is about to leave.
void InferenceStream::after_frame() {
  const InferenceSettings settings = inference_.settings();
  const auto now = Clock::now();
  const auto latency = stream()->latency();
  bool changed = false;
  {
    const std::lock_guard lock(lock_);
    changed = latency_.update(latency, now);
  }
  const int batch_size = inference_.server()->batch_size();
  if (batch_size < batch_size_)
    GST_ELEMENT_WARNING(
        element_, RESOURCE, NO_SPACE_LEFT,
        ("Memory does not take batches of %d frames: going on with %d.", batch_size_, batch_size), (nullptr));
  batch_size_ = batch_size;
  if (changed && settings.latency < 0)
    gst_element_post_message(element_, gst_message_new_latency(GST_OBJECT(element_)));
  if (settings.stats_interval > 0 &&
      now - stats_posted_ >= std::chrono::milliseconds(settings.stats_interval)) {
    stats_posted_ = now;
    post_stats();
  }
}

void InferenceStream::post_qos(GstBuffer* buffer) { qos_.post(element_, sink_, buffer, newest_, stats()); }

void InferenceStream::post_stats() {
  gst_element_post_message(element_, gst_message_new_element(GST_OBJECT(element_), structure_of(stats())));
}

}  // namespace caffe2rt::gst
