// GenerateProposals: rois = nms(clip(decode(anchors + stride * (w,h), deltas)))[:post_nms_topN], best scores
// first.
//
// The last step of a region proposal network (Ren et al., https://arxiv.org/abs/1506.01497), for each image
// by itself.
//
// caffe2rt.GenerateProposals is our own: places are as far apart as the net's input is larger than the
// feature map, rounded down, and low scores may be left out. torchvision/models/detection (anchor_utils.py,
// rpn.py) does so.
#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "geometry/nms.h"
#include "ops/proposal_args.h"

namespace caffe2rt {
namespace {

class GenerateProposals final : public Operator {
 public:
  using Input = ProposalArgs::Input;
  static constexpr auto kScores = Input::kScores, kDeltas = Input::kDeltas, kImInfo = Input::kImInfo,
                        kAnchors = Input::kAnchors;

  explicit GenerateProposals(const OperatorArgs& args) : args_(args) {}

  PartialShape infer_rois(PartialShapes in) const {
    const int64_t box_size = dim_or_unknown(in[kAnchors], 1);
    if (box_size == kUnknown) return std::vector<int64_t>{kUnknown, kUnknown};
    ProposalArgs::check_box_size(box_size);
    const int64_t anchors = dim_or_unknown(in[kAnchors], 0);
    require(compatible(in[kScores], std::vector{kUnknown, anchors, kUnknown, kUnknown}), ErrorCode::kShape,
            "input 0 'scores': expected {} channels, one an anchor, got {}", anchors, to_string(in[kScores]));
    require(compatible(in[kDeltas], std::vector{kUnknown, anchors * box_size, kUnknown, kUnknown}),
            ErrorCode::kShape, "input 1 'bbox_deltas': expected {} channels for {} anchors, got {}",
            anchors * box_size, anchors, to_string(in[kDeltas]));
    return std::vector<int64_t>{kUnknown, box_size + 1};
  }

  void run(const Inputs& in, Outputs& out) const override {
    args_.check(in);
    if (in[kAnchors].size(1) == Box::kSize)
      propose<Box>(in, out);
    else
      propose<RotatedBox>(in, out);
  }

 private:
  template <class B>
  struct Proposals {
    std::vector<B> boxes;
    std::vector<float> scores;
  };

  template <class B>
  void propose(const Inputs& in, Outputs& out) const {
    const int64_t images = in[kScores].size(0);
    std::vector<Proposals<B>> found(static_cast<size_t>(images));
    at::parallel_for(0, images, 1, [&](int64_t from, int64_t to) {
      for (int64_t n = from; n < to; n++)
        found[n] =
            propose_for_image<B>(in[kScores][n].contiguous(), in[kDeltas][n], in[kImInfo][n].contiguous(),
                                 in[kAnchors].contiguous(), args_.strides(in));
    });

    int64_t total = 0;
    for (const auto& proposals : found) total += static_cast<int64_t>(proposals.boxes.size());
    out[0] = at::empty({total, B::kSize + 1}, in[kScores].options());
    out[1] = at::empty({total}, in[kScores].options());
    auto* roi = out[0].data_ptr<float>();
    auto* score = out[1].data_ptr<float>();
    for (size_t n = 0; n < found.size(); n++) {
      for (const B& box : found[n].boxes) {
        *roi = static_cast<float>(n);
        write_box(box, roi + 1);
        roi += B::kSize + 1;
      }
      score = std::copy(found[n].scores.begin(), found[n].scores.end(), score);
    }
  }

  // scores (A,H,W), deltas (A*box_size,H,W) of any strides, im_info (3), anchors (A,box_size).
  template <class B>
  Proposals<B> propose_for_image(const at::Tensor& scores, const at::Tensor& deltas,
                                 const at::Tensor& im_info, const at::Tensor& anchors,
                                 ProposalArgs::Strides stride) const {
    const int64_t height = scores.size(1), width = scores.size(2);
    const auto* score = scores.data_ptr<float>();
    const auto* delta = deltas.data_ptr<float>();
    const auto* info = im_info.data_ptr<float>();

    Proposals<B> candidates;
    for (const int i : best(score, scores.numel())) {
      if (score[i] < args_.score_threshold) break;  // and so are all that follow
      const int64_t w = i % width, h = i / width % height, a = i / (width * height);
      float d[B::kSize];
      for (int64_t k = 0; k < B::kSize; k++)
        d[k] = delta[(a * B::kSize + k) * deltas.stride(0) + h * deltas.stride(1) + w * deltas.stride(2)];
      const B anchor = shifted(read_box<B>(anchors.data_ptr<float>() + a * B::kSize),
                               static_cast<float>(w) * stride.x, static_cast<float>(h) * stride.y);
      const B box = args_.coder.clip(args_.coder.decode(anchor, d), info[1], info[0]);
      if (!args_.coder.is_proposal(box, info[1], info[0], args_.min_size * info[2])) continue;
      candidates.boxes.push_back(box);
      candidates.scores.push_back(score[i]);
    }

    Proposals<B> kept;
    const int limit = args_.post_nms > 0 ? args_.post_nms : -1;
    for (const int i : nms(candidates.boxes, args_.nms_threshold, limit, args_.coder.one)) {
      kept.boxes.push_back(candidates.boxes[i]);
      kept.scores.push_back(candidates.scores[i]);
    }
    return kept;
  }

  // Indices of the pre_nms_topN best scores, best first. Which of equal scores comes first is decided by the
  // very algorithms that the original used, as its results depend on that. Not-a-number comes last.
  std::vector<int> best(const float* scores, int64_t size) const {
    require(size <= std::numeric_limits<int>::max(), ErrorCode::kLimit, "{} anchors in an image", size);
    struct Candidate {
      float score;
      int index;
    };
    std::vector<Candidate> order(static_cast<size_t>(size));
    for (size_t i = 0; i < order.size(); i++) order[i] = {scores[i], static_cast<int>(i)};
    const auto better = [](const Candidate& a, const Candidate& b) {
      return a.score > b.score || (std::isnan(b.score) && !std::isnan(a.score));
    };
    if (args_.pre_nms <= 0 || args_.pre_nms >= size) {
      std::sort(order.begin(), order.end(), better);
    } else {
      std::partial_sort(order.begin(), order.begin() + args_.pre_nms, order.end(), better);
      order.resize(static_cast<size_t>(args_.pre_nms));
    }
    std::vector<int> indices(order.size());
    for (size_t i = 0; i < order.size(); i++) indices[i] = order[i].index;
    return indices;
  }

  static std::vector<int> nms(const std::vector<Box>& boxes, float threshold, int limit, float one) {
    return caffe2rt::nms(std::span(boxes), threshold, limit, one);
  }
  static std::vector<int> nms(const std::vector<RotatedBox>& boxes, float threshold, int limit, float one) {
    return caffe2rt::nms(std::span(boxes), threshold, limit, one);
  }

  const ProposalArgs args_;
};

SchemaBuilder describe(const char* type, bool own = false) {
  SchemaBuilder schema = describe_operator<GenerateProposals>(type);
  schema.says("Turns the scores and deltas of a region proposal network into the best regions of each image.")
      .input("scores", "(N,A,H,W) float32: one for each of A anchors at each place")
      .input("bbox_deltas", "(N,4*A,H,W) float32: dx, dy, dw, dh an anchor. Rotated: (N,5*A,H,W)")
      .input("im_info", "(N,3) float32: height, width, scale of each image")
      .input("anchors", "(A,4) float32: x1, y1, x2, y2 around the first place. Rotated: (A,5)");
  if (own)
    schema
        .optional_input("data",
                        "(N,C,h,w): the net's input. Places are floor(h / H) and floor(w / W) pixels apart, "
                        "whatever spatial_scale says")
        .arg("score_thresh", "least score of a region, default: any");
  schema
      .output(
          "rois",
          "(R,5) float32: image, x1, y1, x2, y2, images in order, best score first in each. Rotated: (R,6)",
          infer::by(&GenerateProposals::infer_rois))
      .output("rois_probs", "(R) float32: their scores", infer::fixed({kUnknown}))
      .arg("spatial_scale", "places a pixel, default 1/16")
      .arg("pre_nms_topN", "how many of an image's anchors are looked at, default 6000; 0: all")
      .arg("post_nms_topN", "how many regions an image may have, default 300; 0: any number")
      .arg("nms_thresh", "largest IoU of two regions, default 0.7")
      .arg("min_size", "shortest side in pixels of the image before scaling, default 16")
      .arg("angle_bound_on", kAngleBoundOnDoc)
      .arg("angle_bound_lo", kAngleBoundLoDoc)
      .arg("angle_bound_hi", kAngleBoundHiDoc)
      .arg("clip_angle_thresh", kClipAngleThreshDoc)
      .arg("correct_transform_coords", "ignored, as the original does: legacy_plus_one took its place")
      .arg("legacy_plus_one", kLegacyPlusOneDoc)
      .arg("caffe2rt.slots", kSlotsDoc);
  return schema;
}

const Registered generate_proposals(describe("GenerateProposals"));
const Registered generate_proposals_cpp(describe("GenerateProposalsCPP"));  // what older exporters call it
const Registered own_generate_proposals(describe("caffe2rt.GenerateProposals", true));

}  // namespace
}  // namespace caffe2rt
