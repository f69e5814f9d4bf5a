#include <utility>

#include "decode/blob_access.h"
#include "decode/decoders.h"
#include "decode/merge_panoptic.h"
#include "decode/net_args.h"
#include "decode/rcnn_decoder.h"
#include "decode/semantic.h"

namespace caffe2rt {
namespace {

// Outputs of caffe2rt.PanopticMap.
constexpr const char *kMap = "caffe2rt.panoptic_map", *kThings = "caffe2rt.panoptic_things",
                     *kStuffAreas = "caffe2rt.panoptic_stuff_areas";

class PanopticDecoder final : public RcnnDecoder {
 public:
  explicit PanopticDecoder(const NetDef& net)
      : RcnnDecoder("PanopticFPN", net), merges_(net_int(net, "combine_on", 1) != 0) {
    need("sem_seg", Output::kMasks);
    rules_.overlap_threshold = net_float(net, "combine_overlap_threshold", rules_.overlap_threshold);
    rules_.stuff_area = net_int(net, "combine_stuff_area_limit", rules_.stuff_area);
    rules_.object_threshold =
        net_float(net, "combine_instances_confidence_threshold", rules_.object_threshold);
    add_operator_for_gpu(semantic_operator_for_gpu(), {"sem_seg"}, Output::kMasks);
    if (merges_ && has_masks()) add_operator_for_gpu(merging_operator(), {}, Output::kMasks);
  }

 private:
  OperatorDef merging_operator() const {
    OperatorDef op{.type = "caffe2rt.PanopticMap",
                   .inputs = {kSemanticLabelsBlob, "sem_seg", "bbox_nms", "score_nms", "class_nms",
                              "mask_fcn_probs", kImageSizesBlob, kDetectionLimitsBlob},
                   .outputs = {kMap, kThings, kStuffAreas}};
    if (!splits_blob().empty()) op.inputs.push_back(splits_blob());
    const auto set = [&](const char* name) -> Argument& {
      return op.args.emplace_back(Argument{.name = name});
    };
    set("overlap_threshold").f = rules_.overlap_threshold;
    set("stuff_area").i = rules_.stuff_area;
    set("object_threshold").f = rules_.object_threshold;
    set("integer_boxes").i = pasting() == MaskPasting::kIntegerBoxes ? 1 : 0;
    set("background").i = background();
    return op;
  }

  void fill(const Blobs& blobs, std::span<const ImageSizes> images, const DetectOptions& options,
            std::vector<Detections>& results) const override {
    const auto rows = fill_objects(blobs, images, options, results);
    if (options.output == Output::kBoxes) return;
    std::vector<LabelMap> maps = semantic_maps(blobs, images);
    for (size_t i = 0; i < images.size(); i++) results[i].semantic = std::move(maps[i]);
    if (!merges_) return;
    if (blobs.contains(kMap)) return read_merged(blobs, images, rows, results);
    for (Detections& result : results) merge_panoptic(rules_, result);
  }

  void read_merged(const Blobs& blobs, std::span<const ImageSizes> images,
                   std::span<const std::vector<std::int64_t>> rows, std::vector<Detections>& results) const {
    std::vector<LabelMap> maps = label_maps(blobs, kMap, images);
    const at::Tensor things = host_ints(blobs, kThings), areas = host_ints(blobs, kStuffAreas);
    for (size_t i = 0; i < images.size(); i++) {
      results[i].panoptic = std::move(maps[i]);
      std::vector<std::int32_t> of_objects;
      for (const std::int64_t row : rows[i]) of_objects.push_back(things.const_data_ptr<std::int32_t>()[row]);
      const at::Tensor of_image = areas.select(0, static_cast<std::int64_t>(i));
      const auto* area = of_image.const_data_ptr<std::int32_t>();
      const std::vector<std::int64_t> stuff_areas(area, area + of_image.numel());
      describe_segments(of_objects, stuff_areas, rules_, results[i]);
    }
  }

  bool merges_;  // older exporters say whether
  MergeRules rules_;
};

}  // namespace

std::unique_ptr<Decoder> make_panoptic_decoder(const NetDef& net) {
  return std::make_unique<PanopticDecoder>(net);
}

}  // namespace caffe2rt
