#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "decode/blob_access.h"
#include "decode/decoders.h"
#include "decode/net_args.h"
#include "geometry/fit_to_frame.h"

namespace caffe2rt {
namespace {

constexpr std::string_view kRois = "rpn_rois", kScores = "rpn_roi_probs";

// The best regions of all levels, as objects of class 0. Source: detectron2/modeling/meta_arch/rcnn.py.
class ProposalDecoder final : public Decoder {
 public:
  explicit ProposalDecoder(const NetDef& net)
      : Decoder("ProposalNetwork", net), most_(net_int(net, "post_nms_topk", 1000)) {
    for (const auto& blob : net.external_outputs) {
      if (!blob.starts_with(kRois)) continue;
      levels_.push_back({blob, std::string(kScores) + blob.substr(kRois.size())});
      need(levels_.back().rois);
      need(levels_.back().scores);
    }
    require(!levels_.empty(), ErrorCode::kGraph, "expected outputs named {}...", kRois);
  }

 private:
  struct Level {
    std::string rois, scores;
  };

  void fill(const Blobs& blobs, std::span<const ImageSizes> images, const DetectOptions& options,
            std::vector<Detections>& results) const override {
    for (const Level& level : levels_) {
      const at::Tensor rois = host_blob(blobs, level.rois, {-1, -1});
      const at::Tensor scores = host_blob(blobs, level.scores, {rois.size(0)});
      require(rois.size(1) == 5 || rois.size(1) == 6, ErrorCode::kShape,
              "blob '{}': expected 5 columns, or 6 of rotated boxes, got {}", level.rois, rois.size(1));
      for (std::int64_t r = 0; r < rois.size(0); r++) {
        const float* row = rois.const_data_ptr<float>() + r * rois.size(1);
        require(row[0] >= 0 && row[0] < static_cast<float>(images.size()), ErrorCode::kShape,
                "blob '{}': a region of image {}", level.rois, row[0]);
        const auto image = static_cast<size_t>(row[0]);
        const float score = 1 / (1 + std::exp(-scores.const_data_ptr<float>()[r]));
        if (score >= options.threshold_of(0))
          add({row + 1, static_cast<size_t>(rois.size(1)) - 1}, score, FrameScale(images[image]),
              results[image]);
      }
    }
    const std::int64_t most =
        options.max_detections < 0 ? most_ : std::min<std::int64_t>(most_, options.max_detections);
    for (Detections& seen : results) {
      std::ranges::stable_sort(seen.objects, std::ranges::greater(), &Object::score);
      if (std::ssize(seen.objects) > most) seen.objects.resize(most);
    }
  }

  static void add(std::span<const float> v, float score, const FrameScale& scale, Detections& seen) {
    Object object;
    object.score = score;
    if (v.size() == RotatedBox::kSize) {
      object.rotated = fit_to_frame(read_box<RotatedBox>(v.data()), scale);
      if (!object.rotated) return;
      object.box = upright_box(*object.rotated, scale.frame);
    } else {
      const auto box = fit_to_frame(read_box<Box>(v.data()), scale);
      if (!box) return;
      object.box = *box;
    }
    seen.objects.push_back(object);
  }

  std::int64_t most_;  // of an image
  std::vector<Level> levels_;
};

}  // namespace

std::unique_ptr<Decoder> make_proposal_decoder(const NetDef& net) {
  return std::make_unique<ProposalDecoder>(net);
}

}  // namespace caffe2rt
