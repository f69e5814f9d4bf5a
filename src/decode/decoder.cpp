#include "decode/decoder.h"

#include <ATen/ops/tensor.h>

#include <algorithm>
#include <iterator>
#include <set>

#include "base/error.h"
#include "decode/blob_access.h"
#include "decode/decoders.h"
#include "decode/net_args.h"
#include "ops/detection_limits.h"

namespace caffe2rt {
namespace {

// Outputs of an R-CNN that have one row a detection.
const std::set<std::string> kPerDetection = {"bbox_nms",       "score_nms", "class_nms",
                                             "mask_fcn_probs", "kps_score", "keypoints_out"};

RawTensor raw_tensor(const std::string& name, const at::Tensor& values) {
  const at::Tensor contiguous = values.contiguous();
  const auto* begin = contiguous.const_data_ptr<float>();
  return {name, contiguous.sizes().vec(), {begin, begin + contiguous.numel()}};
}

}  // namespace

at::Tensor tensor_of(const DetectOptions& options) {
  std::vector<float> limits(DetectionLimits::kClassThresholds);
  limits[DetectionLimits::kThreshold] = options.threshold;
  limits[DetectionLimits::kMost] = static_cast<float>(options.max_detections);
  limits.insert(limits.end(), options.class_thresholds.begin(), options.class_thresholds.end());
  return at::tensor(limits);
}

Decoder::Decoder(std::string meta_architecture, const NetDef& net)
    : meta_architecture_(std::move(meta_architecture)), outputs_(net.external_outputs) {
  if (outputs_.empty() && !net.ops.empty()) outputs_ = net.ops.back().outputs;
  blobs_needed_ = outputs_;
}

void Decoder::need(const std::string& blob, Output least) {
  least_output_.try_emplace(blob, least);
  if (std::find(blobs_needed_.begin(), blobs_needed_.end(), blob) == blobs_needed_.end())
    blobs_needed_.push_back(blob);
}

void Decoder::add_operator_for_gpu(OperatorDef op, const std::vector<std::string>& in_place_of,
                                   Output least) {
  replaced_on_gpu_.insert(in_place_of.begin(), in_place_of.end());
  for (const auto& blob : op.outputs) least_output_.try_emplace(blob, least);
  operators_for_gpu_.push_back(std::move(op));
}

std::vector<std::string> Decoder::blobs_read(Output output, bool with_operators_for_gpu) const {
  const auto wanted = [&](const std::string& blob) {
    const auto least = least_output_.find(blob);
    return least != least_output_.end() && least->second <= output;
  };
  const bool all = output == Output::kRaw || meta_architecture_.empty();
  std::vector<std::string> read;
  for (const auto& blob : blobs_needed_)
    if (all || (wanted(blob) && !(with_operators_for_gpu && replaced_on_gpu_.contains(blob))))
      read.push_back(blob);
  if (with_operators_for_gpu)
    for (const OperatorDef& op : operators_for_gpu_)
      std::ranges::copy_if(op.outputs, std::back_inserter(read), wanted);
  return read;
}

std::vector<std::int64_t> Decoder::detection_offsets(const Blobs&, size_t) const { return {}; }

std::vector<Detections> Decoder::decode(const Blobs& blobs, std::span<const ImageSizes> images,
                                        const DetectOptions& options) const {
  std::vector<Detections> results(images.size());
  for (size_t i = 0; i < images.size(); i++) {
    results[i].width = images[i].frame.width;
    results[i].height = images[i].frame.height;
  }
  fill(blobs, images, options, results);
  if (options.output == Output::kRaw || meta_architecture_.empty()) add_raw(blobs, results);
  return results;
}

void Decoder::add_raw(const Blobs& blobs, std::vector<Detections>& results) const {
  const auto images = static_cast<std::int64_t>(results.size());
  const auto offsets = detection_offsets(blobs, results.size());
  for (const auto& name : outputs_) {
    const at::Tensor blob = host_blob(blobs, name);
    const bool per_image = blob.dim() > 0 && blob.size(0) == images;
    const bool per_detection = !offsets.empty() && kPerDetection.contains(name);
    for (std::int64_t i = 0; i < images; i++) {
      at::Tensor part = blob;
      if (per_detection)
        part = blob.narrow(0, offsets[i], offsets[i + 1] - offsets[i]);
      else if (per_image)
        part = blob.narrow(0, i, 1);
      results[i].raw.push_back(raw_tensor(name, part));
    }
  }
}

std::unique_ptr<Decoder> make_decoder(const NetDef& net) {
  return at_place([&] { return net.source; },
                  [&]() -> std::unique_ptr<Decoder> {
                    const std::string name = net_string(net, "meta_architecture", "");
                    if (name == "RetinaNet") return make_retinanet_decoder(net);
                    if (name == "PanopticFPN") return make_panoptic_decoder(net);
                    if (name == "SemanticSegmentor") return make_semantic_decoder(net);
                    if (name == "ProposalNetwork") return make_proposal_decoder(net);
                    const bool has_detections =
                        writes(net, "bbox_nms") && writes(net, "score_nms") && writes(net, "class_nms");
                    if (name == "GeneralizedRCNN" || (name.empty() && has_detections))
                      return make_rcnn_decoder(net);
                    return make_classifier(net);
                  });
}

}  // namespace caffe2rt
