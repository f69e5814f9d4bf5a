// InferenceStream: the stream between the two pads of caffe2inference. Its source pad has a thread of its
// own, as a queue's has: what comes in waits in a Stream while workers look at it and leaves in order.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <utility>

#include "inference.h"
#include "qos.h"
#include "serving/latency_report.h"
#include "serving/stream.h"
#include "video_frame.h"

namespace caffe2rt::gst {

class InferenceStream {
 public:
  // All but `settings` belongs to the element and outlives this.
  InferenceStream(GstElement* element, GstPad* sink, GstPad* src, const Inference& settings)
      : element_(element), sink_(sink), src_(src), inference_(settings) {}

  // State changes, while the pads are inactive. start() throws Error for settings that make no sense.
  // REQUIRES, for start(): the settings' server is open.
  void start();
  void stop();

  // Pads. Arguments are theirs to own. Throw nothing.
  GstFlowReturn chain(GstBuffer* buffer) noexcept;
  bool sink_event(GstEvent* event) noexcept;
  bool sink_query(GstQuery* query) noexcept;
  bool src_event(GstEvent* event) noexcept;
  bool src_query(GstQuery* query) noexcept;
  bool activate_sink(bool active) noexcept;
  bool activate_src(bool active) noexcept;

  // Any thread.
  StreamStats stats() const;

 private:
  std::shared_ptr<Stream> stream() const;
  bool is_live();
  void adapt(const InferenceSettings& settings);
  const DetectOptions& detect_options(const InferenceSettings& settings);
  GstCaffe2Look look_at(const InferenceSettings& settings, GstBuffer* buffer);
  const RegionPlan& region_plan(const InferenceSettings& settings);
  void warn_of_nothing(const RegionSettings& settings, const FrameSize& size);
  bool set_caps(GstCaps* caps);

  void loop() noexcept;
  GstFlowReturn deliver(Item& item);
  GstFlowReturn push_frame(VideoFrame& frame);
  void after_frame();
  bool enqueue(GstEvent* event);
  bool ask(GstQuery* query);
  bool takes_gpu_memory() const;
  bool answer_latency(GstQuery* query);
  void halt(GstFlowReturn why, bool flush);
  void resume();
  void post_qos(GstBuffer* buffer);
  void post_stats();

  GstElement* const element_;
  GstPad *const sink_, *const src_;
  const Inference& inference_;

  mutable std::mutex lock_;
  // Guarded by lock_.
  std::shared_ptr<Stream> stream_;  // null while the pads are inactive
  StreamStats last_stats_;          // of the stream before
  LatencyReport latency_;

  Qos qos_;
  std::mutex flow_lock_;                                 // held while the flow is halted or resumed
  std::atomic<GstFlowReturn> flow_ = GST_FLOW_FLUSHING;  // what chain() returns
  std::atomic<bool> newest_ = false;  // whether the stream prefers new frames to all frames
  std::atomic<int> beginnings_ = 0;   // segments and streams that begin inside
  std::atomic<int> links_ = 0;        // how often the source pad may have been linked anew
  std::atomic<bool> repack_ = false;  // whether those downstream want rows without padding

  // Of the thread that pushes into the sink pad.
  std::shared_ptr<FrameReaders> readers_;  // null before caps
  Ref<GstCaps> refused_caps_;
  GstSegment segment_;
  StreamOptions options_;
  bool live_ = false, live_known_ = false;
  std::shared_ptr<const Model> asked_model_;  // what asked_ and detect_options_ were made for
  InferenceSettings asked_;
  DetectOptions detect_options_;
  RegionSettings planned_;  // what plan_ was made of
  RegionPlan plan_;
  std::pair<RegionSettings, FrameSize> warned_of_;
  guint64 frames_ = 0;

  // Of the source pad's thread.
  std::uint64_t dropped_ = 0;  // frames that had been dropped when the last one left
  int batch_size_ = 0;         // that memory took then
  bool ended_ = false;         // nobody downstream wants more frames of this segment
  Clock::time_point stats_posted_;
};

}  // namespace caffe2rt::gst
