#include <utility>

#include "decode/decoders.h"
#include "decode/semantic.h"

namespace caffe2rt {
namespace {

class SemanticDecoder final : public Decoder {
 public:
  explicit SemanticDecoder(const NetDef& net) : Decoder("SemanticSegmentor", net) {
    need("sem_seg", Output::kMasks);
    add_operator_for_gpu(semantic_operator_for_gpu(), {"sem_seg"}, Output::kMasks);
  }

 private:
  void fill(const Blobs& blobs, std::span<const ImageSizes> images, const DetectOptions& options,
            std::vector<Detections>& results) const override {
    if (options.output == Output::kBoxes) return;
    std::vector<LabelMap> maps = semantic_maps(blobs, images);
    for (size_t i = 0; i < images.size(); i++) results[i].semantic = std::move(maps[i]);
  }
};

}  // namespace

std::unique_ptr<Decoder> make_semantic_decoder(const NetDef& net) {
  return std::make_unique<SemanticDecoder>(net);
}

}  // namespace caffe2rt
