#include "decode/semantic.h"

#include "base/error.h"
#include "decode/blob_access.h"
#include "ops/semantic_labels.h"

namespace caffe2rt {
namespace {

constexpr const char* kLogits = "sem_seg";

}  // namespace

LabelMap semantic_map(const at::Tensor& logits, const ImageSizes& sizes) {
  return {sizes.frame.width, sizes.frame.height, semantic_labels(logits, sizes)};
}

std::vector<LabelMap> semantic_maps(const Blobs& blobs, std::span<const ImageSizes> images) {
  if (blobs.contains(kSemanticLabelsBlob)) return label_maps(blobs, kSemanticLabelsBlob, images);
  const at::Tensor logits = host_blob(blobs, kLogits, {static_cast<std::int64_t>(images.size()), -1, -1, -1},
                                      at::MemoryFormat::ChannelsLast);
  std::vector<LabelMap> maps;
  for (size_t i = 0; i < images.size(); i++)
    maps.push_back(semantic_map(logits.select(0, static_cast<std::int64_t>(i)), images[i]));
  return maps;
}

std::vector<LabelMap> label_maps(const Blobs& blobs, const std::string& name,
                                 std::span<const ImageSizes> images) {
  const at::Tensor labels = host_ints(blobs, name);
  const auto* ids = labels.const_data_ptr<int>();
  std::int64_t left = labels.numel();
  std::vector<LabelMap> maps;
  for (const ImageSizes& image : images) {
    const std::int64_t pixels = std::int64_t{image.frame.height} * image.frame.width;
    require(pixels <= left, ErrorCode::kShape, "blob '{}': expected labels of {} more pixels, got {}", name,
            pixels, left);
    maps.push_back({image.frame.width, image.frame.height, {ids, ids + pixels}});
    ids += pixels;
    left -= pixels;
  }
  return maps;
}

OperatorDef semantic_operator_for_gpu() {
  return {.type = "caffe2rt.SemanticLabels",
          .inputs = {kLogits, kImageSizesBlob},
          .outputs = {kSemanticLabelsBlob}};
}

}  // namespace caffe2rt
