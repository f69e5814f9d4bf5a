// What InferenceStream answers to queries.
#include "allocation.h"
#include "gpu_memory.h"
#include "inference_stream.h"
#include "pad_items.h"

GST_DEBUG_CATEGORY_EXTERN(caffe2inference_debug);
#define GST_CAT_DEFAULT caffe2inference_debug

namespace caffe2rt::gst {

bool InferenceStream::sink_query(GstQuery* query) noexcept {
  if (asks_for_caps(query)) return answer_caps(sink_, query, takes_gpu_memory());
  if (!GST_QUERY_IS_SERIALIZED(query)) return gst_pad_query_default(sink_, GST_OBJECT(element_), query);
  const auto stream = this->stream();
  auto answer = std::make_shared<QueryItem>(query);
  auto answered = answer->answered();
  if (!stream || !stream->push(std::move(answer))) return false;
  return answered.get();
}

bool InferenceStream::takes_gpu_memory() const {
  return may_run_on_gpu(inference_.settings().options.device);
}

bool InferenceStream::answer_latency(GstQuery* query) {
  if (!gst_pad_peer_query(sink_, query)) return false;
  gboolean live = FALSE;
  GstClockTime least = 0, most = GST_CLOCK_TIME_NONE;
  gst_query_parse_latency(query, &live, &least, &most);
  const InferenceSettings settings = inference_.settings();
  GstClockTime ours = 0;
  {
    const std::lock_guard lock(lock_);
    ours = settings.latency >= 0 ? settings.latency * GST_MSECOND : latency_.reported().count();
  }
  GstVideoInfo info{};
  if (const Ref<GstCaps> caps{gst_pad_get_current_caps(src_)}) gst_video_info_from_caps(&info, caps.get());
  least += ours;
  if (GST_CLOCK_TIME_IS_VALID(most)) most += ours + settings.queue_size * frame_duration(info);
  GST_DEBUG_OBJECT(element_, "latency %" GST_TIME_FORMAT ", %" GST_TIME_FORMAT " in all", GST_TIME_ARGS(ours),
                   GST_TIME_ARGS(least));
  gst_query_set_latency(query, live, least, most);
  return true;
}

bool InferenceStream::src_query(GstQuery* query) noexcept {
  if (GST_QUERY_TYPE(query) == GST_QUERY_LATENCY) return answer_latency(query);
  if (asks_for_caps(query)) return answer_caps(src_, query, takes_gpu_memory());
  return gst_pad_query_default(src_, GST_OBJECT(element_), query);
}

// A serialised query's turn.
bool InferenceStream::ask(GstQuery* query) {
  if (GST_QUERY_TYPE(query) != GST_QUERY_ALLOCATION) return gst_pad_peer_query(src_, query);
  const guint inside = inference_.settings().queue_size + inference_.server()->capacity();
  const Allocation allocation = answer_allocation(src_, query, inside);
  repack_ = allocation.wants_packed;
  return allocation.answered;
}

}  // namespace caffe2rt::gst
