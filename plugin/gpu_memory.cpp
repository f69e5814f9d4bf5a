#include "gpu_memory.h"

#ifdef CAFFE2RT_GSTCUDA
#define GST_USE_UNSTABLE_API
#include <gst/cuda/gstcudamemory.h>
#endif

#include "frame_pixels.h"
#include "gst_ref.h"

namespace caffe2rt::gst {

namespace {

constexpr const char* kFeature = "memory:CUDAMemory";

// Those that are not in a GPU's memory.
Ref<GstCaps> of_host(const GstCaps* caps) {
  Ref<GstCaps> some(gst_caps_copy(caps));
  gst_caps_filter_and_map_in_place(
      some.get(),
      [](GstCapsFeatures* features, GstStructure*, gpointer) -> gboolean {
        return !gst_caps_features_contains(features, kFeature);
      },
      nullptr);
  return some;
}

}  // namespace

GstCaps* new_inference_caps() {
  GstCaps* caps = gst_caps_from_string(kVideoCaps);
#ifdef CAFFE2RT_GSTCUDA
  GstCaps* all = gst_caps_copy(caps);
  gst_caps_set_features_simple(all, gst_caps_features_new(kFeature, nullptr));
  gst_caps_append(all, caps);
  return all;
#else
  return caps;
#endif
}

bool may_run_on_gpu(const std::string& device) { return device != "cpu"; }

bool asks_for_caps(const GstQuery* query) {
  return GST_QUERY_TYPE(query) == GST_QUERY_CAPS || GST_QUERY_TYPE(query) == GST_QUERY_ACCEPT_CAPS;
}

bool answer_caps(GstPad* pad, GstQuery* query, bool on_gpu) {
  if (!gst_pad_query_default(pad, GST_OBJECT_PARENT(pad), query)) return false;
  if (on_gpu) return true;
  GstCaps* caps = nullptr;
  if (GST_QUERY_TYPE(query) == GST_QUERY_ACCEPT_CAPS) {
    // A pad that asks its peers' opinion compares with its template alone.
    gst_query_parse_accept_caps(query, &caps);
    if (!gst_caps_is_equal(of_host(caps).get(), caps)) gst_query_set_accept_caps_result(query, FALSE);
    return true;
  }
  gst_query_parse_caps_result(query, &caps);
  if (caps && !gst_caps_is_any(caps)) gst_query_set_caps_result(query, of_host(caps).get());
  return true;
}

#ifdef CAFFE2RT_GSTCUDA

const GstMapFlags kMapOnGpu = static_cast<GstMapFlags>(GST_MAP_CUDA);

bool is_in_gpu_memory(GstBuffer* buffer) {
  return gst_buffer_n_memory(buffer) > 0 && gst_is_cuda_memory(gst_buffer_peek_memory(buffer, 0));
}

void await_gpu_memory(GstBuffer* buffer) {
  for (guint i = 0; i < gst_buffer_n_memory(buffer); i++)
    if (GstMemory* memory = gst_buffer_peek_memory(buffer, i); gst_is_cuda_memory(memory))
      gst_cuda_memory_sync(GST_CUDA_MEMORY_CAST(memory));
}

#else

const GstMapFlags kMapOnGpu{};
bool is_in_gpu_memory(GstBuffer*) { return false; }
void await_gpu_memory(GstBuffer*) {}

#endif

}  // namespace caffe2rt::gst
