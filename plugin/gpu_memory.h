// Frames in a GPU's memory, as GstCuda's elements hand them on (caps feature memory:CUDAMemory). Where the
// plugin was built without GstCuda, which programs can use since 1.24, there are none.
#pragma once

#include <gst/gst.h>

#include <string>

namespace caffe2rt::gst {

// What caffe2inference takes and gives: video in a GPU's memory, and then in the host's.
GstCaps* new_inference_caps();

// Whether a net on this device (ModelOptions::device) may have frames there.
bool may_run_on_gpu(const std::string& device);

// Whether answer_caps() answers it.
bool asks_for_caps(const GstQuery* query);

// Answers what caps a pad has, or whether it accepts some, as gst_pad_query_default does. `on_gpu`: whether
// frames may be in a GPU's memory.
bool answer_caps(GstPad* pad, GstQuery* query, bool on_gpu);

// Whether a buffer's memory is a GPU's.
bool is_in_gpu_memory(GstBuffer* buffer);

// With GST_MAP_READ: maps such a buffer where it is, for a GPU to read; without, what it holds is brought to
// the host.
extern const GstMapFlags kMapOnGpu;

// Waits until what was asked for before has been written into the buffer.
void await_gpu_memory(GstBuffer* buffer);

}  // namespace caffe2rt::gst
