// Makes a class map of a semantic head's logits: the padding is cut off, the rest stretched over the frame,
// and each pixel gets its best class. Source: sem_seg_postprocess in detectron2/modeling/postprocessing.py.
#pragma once

#include <ATen/core/Tensor.h>

#include <span>
#include <string>
#include <vector>

#include "decode/decoder.h"

namespace caffe2rt {

// As semantic_labels (ops/semantic_labels.h). Throws Error(kShape).
LabelMap semantic_map(const at::Tensor& logits, const ImageSizes& sizes);

// The maps of a batch, of blob sem_seg (N,C,H,W), or of what the operator below made of it. Throws Error.
std::vector<LabelMap> semantic_maps(const Blobs& blobs, std::span<const ImageSizes> images);

// Maps of a batch's frames that lie one after the other in a blob, (P) int32. Throws Error.
std::vector<LabelMap> label_maps(const Blobs& blobs, const std::string& name,
                                 std::span<const ImageSizes> images);

// What a GPU does of it, and what it writes: see Decoder::operators_for_gpu().
OperatorDef semantic_operator_for_gpu();
inline constexpr const char* kSemanticLabelsBlob = "caffe2rt.semantic_labels";

}  // namespace caffe2rt
