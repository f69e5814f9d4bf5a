// caffe2rt.SemanticLabels: the best class of each pixel of frames, of a semantic head's logits: what
// detectron2 does after the net (sem_seg_postprocess in detectron2/modeling/postprocessing.py, then argmax),
// as an operator, so that a GPU does it where the logits are.
#include "ops/semantic_labels.h"

#include <ATen/ops/empty.h>

#include <algorithm>

#include "decode/semantic.h"

namespace caffe2rt {
namespace {

class SemanticLabels final : public Operator {
 public:
  explicit SemanticLabels(const OperatorArgs& /*args*/) {}

  void run(const Inputs& in, Outputs& out) const override {
    const auto images = read_image_sizes(in);
    const at::Tensor logits = in[kSemanticLogits].contiguous();
    out[0] = at::empty({pixels_of(images)}, logits.options().dtype(at::kInt));
    auto* to = out[0].mutable_data_ptr<int>();
    for (size_t n = 0; n < images.size(); n++)
      to = std::ranges::copy(semantic_map(logits.select(0, static_cast<std::int64_t>(n)), images[n]).ids, to)
               .out;
  }
};

REGISTER_OPERATOR_AS("caffe2rt.SemanticLabels", SemanticLabels)
    .says(
        "Stretches each image's logits, without their padding, over its frame: the best class of each pixel, "
        "of equal ones the first.")
    .input("logits", "(N,C,H,W) float32")
    .host_input("sizes",
                "(N,4) float32: height and width of the image without padding, height and width of the frame")
    .output("labels", "(P) int32: those of the first frame, row by row, then those of the next",
            infer::fixed({kUnknown}));

}  // namespace
}  // namespace caffe2rt
