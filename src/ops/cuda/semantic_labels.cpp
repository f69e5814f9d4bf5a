// caffe2rt.SemanticLabels on a GPU: see ops/semantic_labels.cpp.
#include "ops/semantic_labels.h"

#include <ATen/ops/empty.h>

#include "ops/cuda/semantic_labels.h"
#include "ops/cuda/tensors.h"
#include "runtime/cuda_operator.h"

namespace caffe2rt::cuda {
namespace {

class SemanticLabels final : public Operator {
 public:
  explicit SemanticLabels(const OperatorArgs& /*args*/) {}

  void run(const Inputs& in, Outputs& out) const override {
    const auto images = read_image_sizes(in);
    const at::Tensor& logits = in[kSemanticLogits];
    out[0] = at::empty({pixels_of(images)}, logits.options().dtype(at::kInt));
    LabeledFrame f;
    f.type = numbers_of(logits);
    f.strides = strides_of(logits);
    f.classes = static_cast<int>(logits.size(1));
    f.to = out[0].mutable_data_ptr<int>();
    for (std::size_t n = 0; n < images.size(); n++) {
      f.logits = logits.select(0, static_cast<std::int64_t>(n)).const_data_ptr();
      f.height = images[n].input.height;
      f.width = images[n].input.width;
      f.frame_height = images[n].frame.height;
      f.frame_width = images[n].frame.width;
      find_labels(f, stream());
      check_launch();
      f.to += std::int64_t{f.frame_height} * f.frame_width;
    }
  }
  bool can_be_recorded() const override { return true; }
};

REGISTER_CUDA_OPERATOR("caffe2rt.SemanticLabels", SemanticLabels);

}  // namespace
}  // namespace caffe2rt::cuda
