// CollectRpnProposals, DistributeFpnProposals: rois of all levels -> the best of each image -> the levels
// they are pooled from, level(roi) = clamp(floor(level0 + log2(sqrt(area) / scale0)), min, max).
//
// Feature Pyramid Networks (Lin et al., https://arxiv.org/abs/1612.03144), equation 1. Where the original
// ranked the proposals of all images together, so that an image got fewer in a batch than alone, here each
// image has its own ranking.
#include <ATen/ops/empty.h>

#include <cmath>
#include <numeric>

#include "ops/box_args.h"
#include "ops/pyramid_args.h"
#include "runtime/operator.h"

namespace caffe2rt {
namespace {

template <class B>
constexpr int64_t kRoiSize = 1 + B::kSize;  // image, box

float size_of(const Box& box, float one) { return std::sqrt(box.area(one)); }
float size_of(const RotatedBox& box, float) { return std::sqrt(box.area()); }

// Collects: 2 * levels inputs, rois of each level and then scores of each level -> rois.
template <class B>
class Collector {
 public:
  explicit Collector(const OperatorArgs& args)
      : levels_(args, "rpn", 2, 6), most_(args.get("rpn_post_nms_topN", 2000)) {
    // With slots im_info comes last, which says how many images there are.
    const std::size_t more = args.get("caffe2rt.slots", false) ? 1 : 0;
    require(args.num_inputs() == 2 * levels_.count() + more, ErrorCode::kGraph,
            "expected {0} inputs, rois and scores of {1} levels, got {2}", 2 * levels_.count(),
            levels_.count(), args.num_inputs());
  }

  at::Tensor collect(const Inputs& in) const {
    std::vector<at::Tensor> kept_alive;
    std::vector<Proposal> proposals;
    for (size_t level = 0; level < levels_.count(); level++) {
      const size_t scores_at = level + levels_.count();
      require_shape(in, level, {kUnknown, kRoiSize<B>});
      require_shape(in, scores_at, {in[level].size(0)});
      const at::Tensor rois = kept_alive.emplace_back(in[level].contiguous());
      const at::Tensor scores = kept_alive.emplace_back(in[scores_at].contiguous());
      for (int64_t r = 0; r < rois.size(0); r++) {
        const Proposal p = {rois.data_ptr<float>() + r * kRoiSize<B>, scores.data_ptr<float>()[r]};
        require(p.image() >= 0, ErrorCode::kArgument, "{}: row {} belongs to image {}", in.describe(level), r,
                p.image());
        proposals.push_back(p);
      }
    }
    std::stable_sort(proposals.begin(), proposals.end());
    limit(proposals);

    at::Tensor out = at::empty({static_cast<int64_t>(proposals.size()), kRoiSize<B>}, in[0].options());
    auto* to = out.data_ptr<float>();
    for (const Proposal& p : proposals) to = std::copy_n(p.roi, kRoiSize<B>, to);
    return out;
  }

 private:
  struct Proposal {
    const float* roi;
    float score;

    float image() const { return roi[0]; }
    // By image, then the best first, not-a-number last; equal ones stay in the order of levels.
    bool operator<(const Proposal& other) const {
      if (image() != other.image()) return image() < other.image();
      return score > other.score || (std::isnan(other.score) && !std::isnan(score));
    }
  };

  // Leaves the first `most_` of each image.
  void limit(std::vector<Proposal>& proposals) const {
    if (most_ <= 0) return;
    float image = -1;
    int rank = 0;
    std::erase_if(proposals, [&](const Proposal& p) {
      rank = p.image() == image ? rank + 1 : 0;
      image = p.image();
      return rank >= most_;
    });
  }

  const Levels levels_;
  const int most_;
};

// Distributes: rois -> one output a level and, after them, the order that undoes it.
template <class B>
class Distributor {
 public:
  Distributor(const OperatorArgs& args, size_t outputs)
      : levels_(args, "roi", 2, 5), pyramid_(read_pyramid_levels(args)), one_(read_one(args)) {
    require(outputs == levels_.count() + 1, ErrorCode::kGraph,
            "expected {} outputs for {} levels and the order, got {}", levels_.count() + 1, levels_.count(),
            outputs);
  }

  // Writes out[first] and those after it. rois: with the image, or without of image 0.
  void distribute(const at::Tensor& rois_of_any_layout, Outputs& out, size_t first) const {
    const at::Tensor rois = rois_of_any_layout.contiguous();
    const int64_t count = rois.size(0), columns = rois.size(1);
    const auto* from = rois.data_ptr<float>();
    std::vector<std::vector<int32_t>> by_level(levels_.count());
    for (int64_t r = 0; r < count; r++)
      by_level[pyramid_.of(size_of(read_box<B>(from + (r + 1) * columns - B::kSize), one_))].push_back(
          static_cast<int32_t>(r));

    at::Tensor restore = at::empty({count}, rois.options().dtype(at::kInt));
    int32_t position = 0;
    for (size_t level = 0; level < by_level.size(); level++) {
      at::Tensor some =
          at::empty({static_cast<int64_t>(by_level[level].size()), kRoiSize<B>}, rois.options());
      auto* to = some.data_ptr<float>();
      for (const int32_t r : by_level[level]) {
        if (columns == B::kSize) *to++ = 0;
        to = std::copy_n(from + r * columns, columns, to);
        restore.data_ptr<int32_t>()[r] = position++;
      }
      out[first + level] = some;
    }
    out[first + by_level.size()] = restore;
  }

 private:
  const Levels levels_;
  const PyramidLevels pyramid_;
  const float one_;
};

template <class B>
class Collect final : public Operator {
 public:
  explicit Collect(const OperatorArgs& args) : collector_(args) {}
  void run(const Inputs& in, Outputs& out) const override { out[0] = collector_.collect(in); }

 private:
  const Collector<B> collector_;
};

template <class B>
class Distribute final : public Operator {
 public:
  explicit Distribute(const OperatorArgs& args) : distributor_(args, args.num_outputs()) {}

  void run(const Inputs& in, Outputs& out) const override {
    require_rank(in, 0, 2);
    require(in[0].size(1) == kRoiSize<B> || in[0].size(1) == B::kSize, ErrorCode::kShape,
            "{}: expected {} columns, or {} without the image, got {}", in.describe(0), kRoiSize<B>, B::kSize,
            in[0].size(1));
    distributor_.distribute(in[0], out, 0);
  }

 private:
  const Distributor<B> distributor_;
};

class CollectAndDistributeFpnRpnProposals final : public Operator {
 public:
  explicit CollectAndDistributeFpnRpnProposals(const OperatorArgs& args)
      : collector_(args), distributor_(args, args.num_outputs() - 1) {}

  void run(const Inputs& in, Outputs& out) const override {
    out[0] = collector_.collect(in);
    distributor_.distribute(out[0], out, 1);
  }

 private:
  const Collector<Box> collector_;
  const Distributor<Box> distributor_;
};

constexpr const char* kRpnMin = "lowest level that has proposals, default 2";
constexpr const char* kRpnMax = "highest level that has proposals, default 6";
constexpr const char* kTopN = "how many an image keeps, default 2000; 0: all";
constexpr const char* kRoiMin = "lowest level to pool from, default 2";
constexpr const char* kRoiMax = "highest level to pool from, default 5";
constexpr const char* kScale = "size in pixels of a box of the canonical level, default 224";
constexpr const char* kLevel = "the canonical level, default 4";
constexpr const char* kLevelsIn =
    "rpn_max_level - rpn_min_level + 1 times (R_l,5) float32: image, x1, y1, x2, y2; then as many (R_l) "
    "float32 scores";
constexpr const char* kLevelsOut =
    "roi_max_level - roi_min_level + 1 times (R_l,5) float32; last (R) int32: where each roi went, counted "
    "through all levels";

REGISTER_OPERATOR_AS("CollectRpnProposals", Collect<Box>)
    .says("Keeps the best proposals of all levels, for each image by itself.")
    .inputs("rpn_rois_and_scores", kLevelsIn)
    .output("rois", "(R,5) float32, images in order, best score first in each",
            infer::fixed({kUnknown, kRoiSize<Box>}))
    .arg("rpn_min_level", kRpnMin)
    .arg("rpn_max_level", kRpnMax)
    .arg("rpn_post_nms_topN", kTopN)
    .arg("caffe2rt.slots", kSlotsDoc);

REGISTER_OPERATOR_AS("DistributeFpnProposals", Distribute<Box>)
    .says("Sends each box to the level of the pyramid that fits its size.")
    .input("rois", "(R,5) float32: image, x1, y1, x2, y2; or (R,4) where there is one image")
    .outputs("rois_and_restore", kLevelsOut)
    .arg("roi_min_level", kRoiMin)
    .arg("roi_max_level", kRoiMax)
    .arg("roi_canonical_scale", kScale)
    .arg("roi_canonical_level", kLevel)
    .arg("legacy_plus_one", kLegacyPlusOneDoc);

// Of our own: the original knows rotated boxes on one level only.
REGISTER_OPERATOR_AS("caffe2rt.CollectRotatedRpnProposals", Collect<RotatedBox>)
    .says("CollectRpnProposals of rotated boxes.")
    .inputs("rpn_rois_and_scores",
            "rpn_max_level - rpn_min_level + 1 times (R_l,6) float32: image, cx, cy, width, height, degrees; "
            "then "
            "as many (R_l) float32 scores")
    .output("rois", "(R,6) float32, images in order, best score first in each",
            infer::fixed({kUnknown, kRoiSize<RotatedBox>}))
    .arg("rpn_min_level", kRpnMin)
    .arg("rpn_max_level", kRpnMax)
    .arg("rpn_post_nms_topN", kTopN);

REGISTER_OPERATOR_AS("caffe2rt.DistributeRotatedFpnProposals", Distribute<RotatedBox>)
    .says("DistributeFpnProposals of rotated boxes.")
    .input("rois", "(R,6) float32: image, cx, cy, width, height, degrees; or (R,5) where there is one image")
    .outputs("rois_and_restore",
             "roi_max_level - roi_min_level + 1 times (R_l,6) float32; last (R) int32: where each roi went, "
             "counted "
             "through all levels")
    .arg("roi_min_level", kRoiMin)
    .arg("roi_max_level", kRoiMax)
    .arg("roi_canonical_scale", kScale)
    .arg("roi_canonical_level", kLevel);

REGISTER_OPERATOR(CollectAndDistributeFpnRpnProposals)
    .says("CollectRpnProposals and DistributeFpnProposals in one.")
    .inputs("rpn_rois_and_scores", kLevelsIn)
    .output("rois", "(R,5) float32, as CollectRpnProposals writes them",
            infer::fixed({kUnknown, kRoiSize<Box>}))
    .outputs("rois_and_restore", kLevelsOut)
    .arg("rpn_min_level", kRpnMin)
    .arg("rpn_max_level", kRpnMax)
    .arg("rpn_post_nms_topN", kTopN)
    .arg("roi_min_level", kRoiMin)
    .arg("roi_max_level", kRoiMax)
    .arg("roi_canonical_scale", kScale)
    .arg("roi_canonical_level", kLevel)
    .arg("legacy_plus_one", kLegacyPlusOneDoc);

}  // namespace
}  // namespace caffe2rt
