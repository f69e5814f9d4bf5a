#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "decode/blob_access.h"
#include "decode/decoders.h"

namespace caffe2rt {
namespace {

constexpr size_t kTopClasses = 5;

std::vector<ClassScore> top_classes(std::span<const float> scores, const DetectOptions& options) {
  std::vector<int> order(scores.size());
  std::iota(order.begin(), order.end(), 0);
  const size_t count = std::min(scores.size(), kTopClasses);
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(),
                    [&](int a, int b) { return scores[a] > scores[b] || (scores[a] == scores[b] && a < b); });
  std::vector<ClassScore> top;
  for (size_t i = 0; i < count; i++)
    if (scores[order[i]] >= options.threshold_of(order[i])) top.push_back({order[i], scores[order[i]]});
  if (options.max_detections >= 0)
    top.resize(std::min(top.size(), static_cast<size_t>(options.max_detections)));
  return top;
}

class Classifier final : public Decoder {
 public:
  explicit Classifier(const NetDef& net) : Decoder("", net) {
    if (!net.ops.empty() && net.ops.back().type == "Softmax") softmax_ = net.ops.back().outputs.at(0);
    if (!softmax_.empty()) need(softmax_);
  }

 private:
  void fill(const Blobs& blobs, std::span<const ImageSizes> images, const DetectOptions& options,
            std::vector<Detections>& results) const override {
    if (softmax_.empty()) return;
    const at::Tensor scores = host_blob(blobs, softmax_);
    const bool one_vector_each = scores.dim() >= 2 &&
                                 scores.size(0) == static_cast<std::int64_t>(images.size()) &&
                                 scores.numel() == scores.size(0) * scores.size(1);
    if (!one_vector_each) return;
    const size_t classes = scores.size(1);
    for (size_t i = 0; i < images.size(); i++)
      results[i].classes = top_classes({scores.const_data_ptr<float>() + i * classes, classes}, options);
  }

  std::string softmax_;  // blob; empty: the net ends in something else
};

}  // namespace

std::unique_ptr<Decoder> make_classifier(const NetDef& net) { return std::make_unique<Classifier>(net); }

}  // namespace caffe2rt
