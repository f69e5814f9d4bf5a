// The properties of caffe2inference: from and to GObject.
#pragma once

#include <gst/gst.h>

#include "inference_settings.h"
#include "serving/stream_stats.h"

namespace caffe2rt::gst {

// For class_init.
void install_inference_properties(GObjectClass* object);

// False for an id that is none of ours.
bool set_inference_property(InferenceSettings& settings, guint id, const GValue* value);
bool get_inference_property(const InferenceSettings& settings, const StreamStats& stats, guint id,
                            GValue* value);

// Whether the property says something of the model.
bool is_model_property(guint id);

// The counters as an element message carries them: "caffe2inference-stats" with frames-in, frames-inferred,
// frames-passed, frames-dropped, latency-mean and latency-p95 (uint64; latencies in us).
GstStructure* structure_of(const StreamStats& stats);

}  // namespace caffe2rt::gst
