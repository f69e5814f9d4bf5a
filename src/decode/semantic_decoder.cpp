#include "decode/blob_access.h"
#include "decode/decoders.h"
#include "decode/semantic.h"

namespace caffe2rt {
namespace {

class SemanticDecoder final : public Decoder {
 public:
  explicit SemanticDecoder(const NetDef& net) : Decoder("SemanticSegmentor", net) { need("sem_seg"); }

 private:
  void fill(const Blobs& blobs, std::span<const ImageSizes> images, const DetectOptions& options,
            std::vector<Detections>& results) const override {
    if (options.output == Output::kBoxes) return;
    const at::Tensor logits =
        host_blob(blobs, "sem_seg", {static_cast<std::int64_t>(images.size()), -1, -1, -1});
    for (size_t i = 0; i < images.size(); i++)
      results[i].semantic = semantic_map(logits.select(0, static_cast<std::int64_t>(i)), images[i]);
  }
};

}  // namespace

std::unique_ptr<Decoder> make_semantic_decoder(const NetDef& net) {
  return std::make_unique<SemanticDecoder>(net);
}

}  // namespace caffe2rt
