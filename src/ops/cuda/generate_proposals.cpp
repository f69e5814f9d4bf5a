// GenerateProposals on a GPU. Of equal scores the earlier anchor comes first, where on the CPU the original's
// sort decides.
#include "ops/cuda/generate_proposals.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/topk.h>

#include "ops/cuda/nms.h"
#include "ops/cuda/slots.h"
#include "ops/cuda/tensors.h"
#include "ops/proposal_args.h"
#include "runtime/cuda_operator.h"

namespace caffe2rt::cuda {
namespace {

class GenerateProposals final : public Operator {
 public:
  using Args = ProposalArgs;

  explicit GenerateProposals(const OperatorArgs& args) : args_(args), slots_(has_slots(args)) {}

  void run(const Inputs& in, Outputs& out) const override {
    args_.check(in);
    const bool rotated = in[Args::kAnchors].size(1) != Box::kSize;
    // (N,C,H,W) of any strides.
    const at::Tensor scores = in[Args::kScores].to(at::kFloat), deltas = in[Args::kDeltas].to(at::kFloat),
                     anchors = floats(in[Args::kAnchors]), im_info = floats(in[Args::kImInfo]);
    if (scores.numel() == 0) {
      out[0] = at::empty({0, box_size(rotated) + 1}, scores.options());
      out[1] = at::empty({0}, scores.options());
      return;
    }
    const std::int64_t images = scores.size(0), of_image = scores[0].numel();
    require(of_image <= std::numeric_limits<int>::max(), ErrorCode::kLimit, "{} anchors in an image",
            of_image);
    const std::int64_t count = std::min<std::int64_t>(args_.pre_nms, of_image);
    const std::int64_t limit = args_.post_nms > 0 ? std::min<std::int64_t>(args_.post_nms, count) : count;

    const at::Tensor keys = best_keys(scores, count);
    Found found(images, count, limit, box_size(rotated), scores.options());
    Candidates c;
    c.keys = keys.const_data_ptr<std::int64_t>();
    c.scores = scores.const_data_ptr<float>();
    c.score_strides = strides_of(scores);
    c.deltas = deltas.const_data_ptr<float>();
    c.delta_strides = strides_of(deltas);
    c.anchors = anchors.const_data_ptr<float>();
    c.im_info = im_info.const_data_ptr<float>();
    c.images = static_cast<int>(images);
    c.count = static_cast<int>(count);
    c.height = static_cast<int>(scores.size(2));
    c.width = static_cast<int>(scores.size(3));
    const Args::Strides stride = args_.strides(in);
    c.stride_x = stride.x;
    c.stride_y = stride.y;
    c.min_size = args_.min_size;
    c.score_threshold = args_.score_threshold;
    c.coder = args_.coder;
    c.rotated = rotated;
    c.boxes = found.boxes.mutable_data_ptr<float>();
    c.box_scores = found.scores.mutable_data_ptr<float>();
    c.valid = found.valid.mutable_data_ptr<std::uint8_t>();
    make_candidates(c, stream());
    check_launch();
    suppress(c, found, limit);
    write(c, found, limit, out);
  }
  bool can_be_recorded() const override { return slots_; }

 private:
  // What lies between the kernels.
  struct Found {
    Found(std::int64_t images, std::int64_t count, std::int64_t limit, int box_size,
          const at::TensorOptions& options)
        : boxes(at::empty({images, count, box_size}, options)),
          scores(at::empty({images, count}, options)),
          valid(at::empty({images, count}, options.dtype(at::kByte))),
          kept(at::empty({images, limit}, options.dtype(at::kInt))),
          kept_sizes(at::empty({images}, options.dtype(at::kInt))) {}
    at::Tensor boxes, scores, valid, kept, kept_sizes;
  };

  // (N,count) int64, best first.
  static at::Tensor best_keys(const at::Tensor& scores, std::int64_t count) {
    const at::Tensor keys = at::empty({scores.size(0), scores[0].numel()}, scores.options().dtype(at::kLong));
    ScoreKeys k;
    k.scores = scores.const_data_ptr<float>();
    k.strides = strides_of(scores);
    k.images = static_cast<int>(scores.size(0));
    k.anchors = static_cast<int>(scores.size(1));
    k.height = static_cast<int>(scores.size(2));
    k.width = static_cast<int>(scores.size(3));
    k.keys = keys.mutable_data_ptr<std::int64_t>();
    make_keys(k, stream());
    check_launch();
    return std::get<0>(at::topk(keys, count, 1, /*largest=*/true, /*sorted=*/true)).contiguous();
  }

  void suppress(const Candidates& c, Found& found, std::int64_t limit) const {
    BoxLists b;
    b.boxes = c.boxes;
    b.rotated = c.rotated;
    b.valid = c.valid;
    b.lists = c.images;
    b.most = c.count;
    b.threshold = args_.nms_threshold;
    b.one = args_.coder.one;
    b.limit = static_cast<int>(limit);
    const at::Tensor mask =
        at::empty({c.images, c.count, words_for(c.count)}, found.boxes.options().dtype(at::kLong));
    b.mask = reinterpret_cast<std::uint64_t*>(mask.mutable_data_ptr<std::int64_t>());
    b.kept = found.kept.mutable_data_ptr<int>();
    b.kept_sizes = found.kept_sizes.mutable_data_ptr<int>();
    suppress_boxes(b, stream());
    check_launch();
  }

  // How many there are is only known to the GPU. It is waited for, unless each image has its slots.
  void write(const Candidates& c, const Found& found, std::int64_t limit, Outputs& out) const {
    std::int64_t total = c.images * limit;
    if (!slots_) {
      const at::Tensor sizes = found.kept_sizes.cpu();
      total = 0;
      for (std::int64_t n = 0; n < c.images; n++) total += sizes.const_data_ptr<int>()[n];
    }
    out[0] = at::empty({total, box_size(c.rotated) + 1}, found.boxes.options());
    out[1] = at::empty({total}, found.boxes.options());
    Rows r;
    r.rotated = c.rotated;
    r.boxes = c.boxes;
    r.box_scores = c.box_scores;
    r.kept = found.kept.const_data_ptr<int>();
    r.kept_sizes = found.kept_sizes.const_data_ptr<int>();
    r.images = c.images;
    r.count = c.count;
    r.limit = static_cast<int>(limit);
    r.rois = out[0].mutable_data_ptr<float>();
    r.scores = out[1].mutable_data_ptr<float>();
    (slots_ ? write_slots : write_rows)(r, stream());
    check_launch();
  }

  const ProposalArgs args_;
  const bool slots_;
};

// The matrix of bits bounds how many boxes are compared.
std::unique_ptr<Operator> make(const OperatorArgs& args) {
  const int pre_nms = args.get("pre_nms_topN", 6000);
  if (pre_nms <= 0 || pre_nms > kMostBoxes) return nullptr;
  return std::make_unique<GenerateProposals>(args);
}

const RegisteredOnCuda generate_proposals("GenerateProposals", make);
const RegisteredOnCuda generate_proposals_cpp("GenerateProposalsCPP", make);
const RegisteredOnCuda own_generate_proposals("caffe2rt.GenerateProposals", make);

}  // namespace
}  // namespace caffe2rt::cuda
