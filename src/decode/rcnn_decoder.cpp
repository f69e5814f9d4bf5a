#include "decode/rcnn_decoder.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "decode/blob_access.h"
#include "decode/decoders.h"
#include "decode/net_args.h"
#include "geometry/fit_to_frame.h"
#include "ops/heatmaps_to_keypoints.h"

namespace caffe2rt {

struct RcnnDecoder::Heads {
  at::Tensor boxes;      // (R,4), or (R,5) rotated
  at::Tensor scores;     // (R)
  at::Tensor classes;    // (R)
  at::Tensor masks;      // (R,C,M,M) or (R,1,M,M); undefined: none
  at::Tensor heat_maps;  // (R,K,H,W)
  at::Tensor found;      // (R,K,3): x, y, softmax, of the heat maps
  at::Tensor keypoints;  // (R,4,K): x, y, the map's value, its softmax

  int class_in_file(std::int64_t row) const {
    const float value = classes.const_data_ptr<float>()[row];
    require(value >= 0 && value < 1e6F, ErrorCode::kShape,
            "blob 'class_nms': expected classes from 0, got {}", value);
    return static_cast<int>(value);
  }
};

struct RcnnDecoder::Picked {
  Object object;
  std::int64_t row = 0;
};

namespace {

constexpr const char* kKeypointsOfMaps = "caffe2rt.keypoints";

// The last BoxWithNMSLimit of a net, which makes its detections; null where there is none.
const OperatorDef* detection_operator(const NetDef& net) {
  const auto found = std::find_if(net.ops.rbegin(), net.ops.rend(),
                                  [](const auto& op) { return op.type == "BoxWithNMSLimit"; });
  return found == net.ops.rend() ? nullptr : &*found;
}

MaskPasting read_pasting(const NetDef& net) {
  const std::string pasting = net_string(net, "mask_pasting", "subpixel");
  require(pasting == "subpixel" || pasting == "integer_boxes", ErrorCode::kArgument,
          "net argument 'mask_pasting': expected subpixel or integer_boxes, got '{}'", pasting);
  return pasting == "subpixel" ? MaskPasting::kSubpixel : MaskPasting::kIntegerBoxes;
}

std::optional<Object> object_of_row(const at::Tensor& boxes, std::int64_t row, const FrameScale& scale) {
  const float* v = boxes.const_data_ptr<float>() + row * boxes.size(1);
  Object object;
  if (boxes.size(1) == 5) {
    object.rotated = fit_to_frame(RotatedBox{v[0], v[1], v[2], v[3], v[4]}, scale);
    if (!object.rotated) return std::nullopt;
    object.box = upright_box(*object.rotated, scale.frame);
    return object;
  }
  const auto box = fit_to_frame(Box{v[0], v[1], v[2], v[3]}, scale);
  if (!box) return std::nullopt;
  object.box = *box;
  return object;
}

std::vector<Keypoint> read_keypoints(const at::Tensor& rows, std::int64_t row) {
  const at::Tensor of_object = rows.select(0, row);  // (4,K)
  const float* values = of_object.const_data_ptr<float>();
  const std::int64_t count = of_object.size(1);
  std::vector<Keypoint> keypoints(count);
  for (std::int64_t k = 0; k < count; k++)
    keypoints[k] = {values[k], values[count + k], values[2 * count + k]};
  return keypoints;
}

// Of caffe2rt.HeatmapsToKeypoints.
std::vector<Keypoint> read_found(const at::Tensor& rows, std::int64_t row) {
  const float* values = rows.const_data_ptr<float>() + row * rows.stride(0);
  std::vector<Keypoint> keypoints;
  for (std::int64_t k = 0; k < rows.size(1); k++, values += 3)
    keypoints.push_back({values[0], values[1], values[2]});
  return keypoints;
}

void append_mask(const at::Tensor& masks, std::int64_t row, int class_in_file, SoftMasks& to) {
  const std::int64_t channel = masks.size(1) == 1 ? 0 : class_in_file;  // one channel: class-agnostic masks
  require(channel >= 0 && channel < masks.size(1), ErrorCode::kShape,
          "blob 'mask_fcn_probs': expected a mask for class {}, got {} classes", channel, masks.size(1));
  const std::int64_t area = masks.size(2) * masks.size(3);
  const float* from = masks.const_data_ptr<float>() + (row * masks.size(1) + channel) * area;
  to.probs.insert(to.probs.end(), from, from + area);
}

}  // namespace

RcnnDecoder::RcnnDecoder(const std::string& meta_architecture, const NetDef& net)
    : Decoder(meta_architecture, net),
      has_masks_(writes(net, "mask_fcn_probs")),
      has_heat_maps_(writes(net, "kps_score") && !writes(net, "keypoints_out")),
      has_keypoints_(writes(net, "keypoints_out")),
      pasting_(read_pasting(net)) {
  for (const char* blob : {"bbox_nms", "score_nms", "class_nms"}) need(blob);
  if (has_masks_) need("mask_fcn_probs", Output::kMasks);
  if (has_heat_maps_) {
    need("kps_score");
    add_operator_for_gpu({.type = "caffe2rt.HeatmapsToKeypoints",
                          .inputs = {"kps_score", "bbox_nms"},
                          .outputs = {kKeypointsOfMaps}},
                         {"kps_score"});
  }
  if (has_keypoints_) need("keypoints_out");
  const OperatorDef* op = detection_operator(net);
  if (!op) return;
  const Argument* includes_background = op->find("output_classes_include_bg_cls");
  background_ = !includes_background || includes_background->i.value_or(1) != 0 ? 1 : 0;
  if (op->outputs.size() > 3) splits_blob_ = op->outputs[3];
  if (!splits_blob_.empty()) need(splits_blob_);
}

RcnnDecoder::Heads RcnnDecoder::read_heads(const Blobs& blobs, const DetectOptions& options) const {
  Heads heads;
  heads.boxes = host_blob(blobs, "bbox_nms", {-1, -1});
  const std::int64_t rows = heads.boxes.size(0);
  require(heads.boxes.size(1) == 4 || heads.boxes.size(1) == 5, ErrorCode::kShape,
          "blob 'bbox_nms': expected (R,4) or (R,5), got ({},{})", rows, heads.boxes.size(1));
  heads.scores = host_blob(blobs, "score_nms", {rows});
  heads.classes = host_blob(blobs, "class_nms", {rows});
  if (rows == 0) return heads;  // the other heads have nothing, in whatever shape
  if (has_masks_ && options.output != Output::kBoxes) {
    heads.masks = host_blob(blobs, "mask_fcn_probs", {rows, -1, -1, -1});
    require(heads.masks.size(2) == heads.masks.size(3), ErrorCode::kShape,
            "blob 'mask_fcn_probs': expected square masks, got {}x{}", heads.masks.size(2),
            heads.masks.size(3));
  }
  if (blobs.contains(kKeypointsOfMaps))
    heads.found = host_blob(blobs, kKeypointsOfMaps, {rows, -1, 3});
  else if (has_heat_maps_)
    heads.heat_maps = host_blob(blobs, "kps_score", {rows, -1, -1, -1}, at::MemoryFormat::ChannelsLast);
  if (has_keypoints_) heads.keypoints = host_blob(blobs, "keypoints_out", {rows, 4, -1});
  return heads;
}

std::vector<std::int64_t> RcnnDecoder::detection_offsets(const Blobs& blobs, size_t images) const {
  const std::int64_t rows = host_blob(blobs, "bbox_nms").size(0);
  if (splits_blob_.empty()) {
    require(images == 1, ErrorCode::kUnsupported,
            "a batch of {} images: the net does not say which detection is of which image", images);
    return {0, rows};
  }
  const at::Tensor splits = host_blob(blobs, splits_blob_, {static_cast<std::int64_t>(images)});
  std::vector<std::int64_t> offsets = {0};
  for (size_t i = 0; i < images; i++) {
    const float count = splits.const_data_ptr<float>()[i];
    require(count >= 0 && count <= static_cast<float>(rows), ErrorCode::kShape,
            "blob '{}': expected up to {} detections, got {}", splits_blob_, rows, count);
    offsets.push_back(offsets.back() + static_cast<std::int64_t>(count));
  }
  require(offsets.back() == rows, ErrorCode::kShape, "blob '{}': expected {} detections in all, got {}",
          splits_blob_, rows, offsets.back());
  return offsets;
}

std::vector<RcnnDecoder::Picked> RcnnDecoder::pick_objects(const Heads& heads, std::int64_t begin,
                                                           std::int64_t end, const ImageSizes& sizes,
                                                           const DetectOptions& options) const {
  const FrameScale scale(sizes);
  std::vector<Picked> picked;
  for (std::int64_t row = begin; row < end; row++) {
    const float score = heads.scores.const_data_ptr<float>()[row];
    const int class_id = heads.class_in_file(row) - background_;
    if (!(score >= options.threshold_of(class_id))) continue;
    auto object = object_of_row(heads.boxes, row, scale);
    if (!object) continue;
    object->score = score;
    object->class_id = class_id;
    picked.push_back({std::move(*object), row});
  }
  std::stable_sort(picked.begin(), picked.end(),
                   [](const Picked& a, const Picked& b) { return a.object.score > b.object.score; });
  if (options.max_detections >= 0 && picked.size() > static_cast<size_t>(options.max_detections))
    picked.resize(options.max_detections);
  return picked;
}

void RcnnDecoder::fill(const Blobs& blobs, std::span<const ImageSizes> images, const DetectOptions& options,
                       std::vector<Detections>& results) const {
  fill_objects(blobs, images, options, results);
}

std::vector<std::vector<std::int64_t>> RcnnDecoder::fill_objects(const Blobs& blobs,
                                                                 std::span<const ImageSizes> images,
                                                                 const DetectOptions& options,
                                                                 std::vector<Detections>& results) const {
  std::vector<std::vector<std::int64_t>> rows(images.size());
  const Heads heads = read_heads(blobs, options);
  const auto offsets = detection_offsets(blobs, images.size());
  for (size_t i = 0; i < images.size(); i++) {
    const FrameScale scale(images[i]);
    Detections& result = results[i];
    for (auto& [object, row] : pick_objects(heads, offsets[i], offsets[i + 1], images[i], options)) {
      if (heads.heat_maps.defined()) {
        const float* box = heads.boxes.const_data_ptr<float>() + row * heads.boxes.size(1);
        for (const Peak& peak :
             stretched_peaks(heads.heat_maps.select(0, row).contiguous(), {box[0], box[1], box[2], box[3]}))
          object.keypoints.push_back({peak.x, peak.y, peak.score});
      }
      if (heads.found.defined()) object.keypoints = read_found(heads.found, row);
      if (heads.keypoints.defined()) object.keypoints = read_keypoints(heads.keypoints, row);
      for (Keypoint& keypoint : object.keypoints) {
        keypoint.x *= scale.x;
        keypoint.y *= scale.y;
      }
      if (heads.masks.defined()) {
        result.masks.size = static_cast<int>(heads.masks.size(3));
        result.masks.pasting = pasting_;
        append_mask(heads.masks, row, heads.class_in_file(row), result.masks);
      }
      result.objects.push_back(std::move(object));
      rows[i].push_back(row);
    }
  }
  return rows;
}

std::unique_ptr<Decoder> make_rcnn_decoder(const NetDef& net) { return std::make_unique<RcnnDecoder>(net); }

}  // namespace caffe2rt
