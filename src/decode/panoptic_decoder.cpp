#include <utility>

#include "decode/decoders.h"
#include "decode/merge_panoptic.h"
#include "decode/net_args.h"
#include "decode/rcnn_decoder.h"
#include "decode/semantic.h"

namespace caffe2rt {
namespace {

class PanopticDecoder final : public RcnnDecoder {
 public:
  explicit PanopticDecoder(const NetDef& net)
      : RcnnDecoder("PanopticFPN", net), merges_(net_int(net, "combine_on", 1) != 0) {
    need("sem_seg", Output::kMasks);
    add_operator_for_gpu(semantic_operator_for_gpu(), {"sem_seg"}, Output::kMasks);
    merge_.overlap_threshold = net_float(net, "combine_overlap_threshold", merge_.overlap_threshold);
    merge_.stuff_area = net_int(net, "combine_stuff_area_limit", merge_.stuff_area);
    merge_.object_threshold =
        net_float(net, "combine_instances_confidence_threshold", merge_.object_threshold);
  }

 private:
  void fill(const Blobs& blobs, std::span<const ImageSizes> images, const DetectOptions& options,
            std::vector<Detections>& results) const override {
    RcnnDecoder::fill(blobs, images, options, results);
    if (options.output == Output::kBoxes) return;
    std::vector<LabelMap> maps = semantic_maps(blobs, images);
    for (size_t i = 0; i < images.size(); i++) {
      results[i].semantic = std::move(maps[i]);
      if (merges_) merge_panoptic(merge_, results[i]);
    }
  }

  bool merges_;  // older exporters say whether
  MergeOptions merge_;
};

}  // namespace

std::unique_ptr<Decoder> make_panoptic_decoder(const NetDef& net) {
  return std::make_unique<PanopticDecoder>(net);
}

}  // namespace caffe2rt
