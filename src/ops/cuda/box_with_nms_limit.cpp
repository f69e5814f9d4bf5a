// BoxWithNMSLimit on a GPU. Of equal scores the earlier row comes first (of those that Soft-NMS lowered the
// one that was better before), and of those the earlier class, where on the CPU the original's sort decides.
#include "ops/cuda/box_with_nms_limit.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/sort.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/topk.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

#include "ops/box_limit_args.h"
#include "ops/cuda/nms.h"
#include "ops/cuda/slots.h"
#include "ops/cuda/tensors.h"
#include "runtime/cuda_operator.h"
#include "runtime/place_operator.h"

namespace caffe2rt::cuda {
namespace {

// Of one image.
struct Detected {
  at::Tensor scores, boxes, classes, rows, keeps_size, count;  // count: (1) float32, on the device
};

class BoxWithNMSLimit final : public Operator {
 public:
  using Args = BoxLimitArgs;

  explicit BoxWithNMSLimit(const OperatorArgs& args)
      : args_(args),
        rotated_(args_.box_size != Box::kSize),
        slots_(has_slots(args)),
        host_(make_host_operator(args)) {}

  void run(const Inputs& in, Outputs& out) const override {
    const Args::Matrices m = args_.read(in);
    const at::Tensor scores = floats(m.scores), boxes = floats(m.boxes);
    if (slots_) return write(detect_in_slots(scores, boxes, floats(in[Args::kBatchSplits])), out);
    const std::vector<std::int64_t> splits = Args::read_splits(in, scores.size(0));
    if (!fits(scores.size(1) - 1, *std::ranges::max_element(splits))) return host_->run(in, out);
    std::vector<Detected> images;
    std::int64_t first = 0;
    for (const std::int64_t rows : splits) {
      images.push_back(detect(scores.narrow(0, first, rows), boxes.narrow(0, first, rows), nullptr));
      first += rows;
    }
    write(images, out);
  }
  bool can_be_recorded() const override { return slots_; }

 private:
  static constexpr std::int64_t kMostMaskBytes = std::int64_t{1} << 30;

  static bool fits(std::int64_t classes, std::int64_t rows) {
    const std::int64_t words = words_for(static_cast<int>(std::min<std::int64_t>(rows, kMostBoxes)));
    return rows <= kMostBoxes && classes <= 65535 && classes * rows * words * 8 <= kMostMaskBytes;
  }

  // `filled` (N): how many of each image's slots are.
  std::vector<Detected> detect_in_slots(const at::Tensor& scores, const at::Tensor& boxes,
                                        const at::Tensor& filled) const {
    const std::int64_t count = filled.size(0), slots = scores.size(0) / std::max<std::int64_t>(1, count);
    require(fits(scores.size(1) - 1, slots), ErrorCode::kLimit, "{} regions of {} classes in an image", slots,
            scores.size(1));
    std::vector<Detected> images;
    for (std::int64_t n = 0; n < count; n++)
      images.push_back(detect(scores.narrow(0, n * slots, slots), boxes.narrow(0, n * slots, slots),
                              filled.const_data_ptr<float>() + n));
    return images;
  }

  // scores (R,K), boxes (R,box_size*columns), both contiguous. `filled`: how many rows there are, on the
  // device, so that results are in slots; null: all.
  Detected detect(const at::Tensor& scores, const at::Tensor& boxes, const float* filled) const {
    const auto rows = static_cast<int>(scores.size(0)), classes = static_cast<int>(scores.size(1)) - 1;
    const at::TensorOptions floats_there = scores.options(), ints = floats_there.dtype(at::kInt);
    const std::int64_t slots = filled ? args_.most : 0;
    Detected none = make_detected(slots, classes, floats_there);
    if (rows == 0 || classes == 0) return none;

    at::Tensor sizes = at::zeros({classes}, ints);
    const at::Tensor keys = sorted_keys(scores, classes, filled, sizes);
    const at::Tensor sorted = at::empty({classes, rows, args_.box_size}, floats_there);
    ClassBoxes b;
    b.keys = keys.const_data_ptr<std::int64_t>();
    b.sizes = sizes.const_data_ptr<int>();
    b.boxes = boxes.const_data_ptr<float>();
    b.rows = rows;
    b.columns = static_cast<int>(boxes.size(1) / args_.box_size);
    b.classes = classes;
    b.box_first = static_cast<int>(args_.box_column(1));
    b.one_for_all = args_.class_agnostic;
    b.rotated = rotated_;
    b.sorted = sorted.mutable_data_ptr<float>();
    gather_class_boxes(b, stream());
    check_launch();

    const int limit = args_.most > 0 ? std::min(args_.most, rows) : rows;
    const at::Tensor kept = at::empty({classes, limit}, ints), kept_sizes = at::empty({classes}, ints);
    const at::Tensor lowered = args_.soft ? soften(b, limit, kept, kept_sizes) : at::Tensor();
    if (!args_.soft) suppress(b, limit, kept, kept_sizes);
    KeptKeys k;
    k.keys = b.keys;
    k.scores = scores.const_data_ptr<float>();
    k.kept = kept.const_data_ptr<int>();
    k.kept_sizes = kept_sizes.const_data_ptr<int>();
    k.lowered = args_.soft ? lowered.const_data_ptr<float>() : nullptr;
    k.rows = rows;
    k.columns = static_cast<int>(scores.size(1));
    k.classes = classes;
    k.score_first = static_cast<int>(args_.score_column(1));
    k.limit = limit;
    const at::Tensor places = best_places(k, scores.options());

    // How many there are is only known to the GPU: it is waited for here, unless results have slots.
    std::int64_t total = std::min<std::int64_t>(args_.most, places.numel());
    if (!filled) {
      const at::Tensor counts = kept_sizes.cpu();
      total = 0;
      for (int c = 0; c < classes; c++) total += counts.const_data_ptr<int>()[c];
      if (args_.most > 0) total = std::min<std::int64_t>(total, args_.most);
    }

    Detected found = filled ? none : make_detected(total, classes, floats_there);
    DetectionRows d;
    d.kept = k;
    d.places = places.const_data_ptr<int>();
    d.count = static_cast<int>(total);
    d.rotated = rotated_;
    d.sorted = b.sorted;
    d.class_offset = args_.output_counts_background ? 1 : 0;
    d.scores = found.scores.mutable_data_ptr<float>();
    d.boxes = found.boxes.mutable_data_ptr<float>();
    d.classes = found.classes.mutable_data_ptr<float>();
    d.rows = found.rows.mutable_data_ptr<int>();
    d.keeps_size = found.keeps_size.mutable_data_ptr<int>();
    if (filled) d.found = found.count.mutable_data_ptr<float>();
    write_detections(d, stream());
    check_launch();
    return found;
  }

  Detected make_detected(std::int64_t rows, std::int64_t classes, const at::TensorOptions& there) const {
    const at::TensorOptions ints = there.dtype(at::kInt);
    return {at::zeros({rows}, there), at::zeros({rows, args_.box_size}, there), at::zeros({rows}, there),
            at::zeros({rows}, ints),  at::zeros({classes + 1}, ints),           at::zeros({1}, there)};
  }

  // (C,R) int64, each class best first.
  at::Tensor sorted_keys(const at::Tensor& scores, int classes, const float* filled,
                         at::Tensor& sizes) const {
    const at::Tensor keys = at::empty({classes, scores.size(0)}, scores.options().dtype(at::kLong));
    ClassScores s;
    s.scores = scores.const_data_ptr<float>();
    s.rows = static_cast<int>(scores.size(0));
    s.columns = static_cast<int>(scores.size(1));
    s.classes = classes;
    s.score_first = static_cast<int>(args_.score_column(1));
    s.threshold = args_.score_threshold;
    s.filled = filled;
    s.keys = keys.mutable_data_ptr<std::int64_t>();
    s.sizes = sizes.mutable_data_ptr<int>();
    make_class_keys(s, stream());
    check_launch();
    return std::get<0>(at::sort(keys, 1, /*descending=*/true)).contiguous();
  }

  void suppress(const ClassBoxes& from, int limit, const at::Tensor& kept,
                const at::Tensor& kept_sizes) const {
    BoxLists b;
    b.boxes = from.sorted;
    b.rotated = from.rotated;
    b.sizes = from.sizes;
    b.lists = from.classes;
    b.most = from.rows;
    b.threshold = args_.nms_threshold;
    b.one = args_.one;
    b.limit = limit;
    const at::Tensor mask =
        at::empty({from.classes, from.rows, words_for(from.rows)}, kept.options().dtype(at::kLong));
    b.mask = reinterpret_cast<std::uint64_t*>(mask.mutable_data_ptr<std::int64_t>());
    b.kept = kept.mutable_data_ptr<int>();
    b.kept_sizes = kept_sizes.mutable_data_ptr<int>();
    suppress_boxes(b, stream());
    check_launch();
  }

  // (C,limit): the scores of those kept.
  at::Tensor soften(const ClassBoxes& from, int limit, const at::Tensor& kept,
                    const at::Tensor& kept_sizes) const {
    const at::TensorOptions floats_there = kept.options().dtype(at::kFloat);
    const at::Tensor scores = at::empty({from.classes, from.rows}, floats_there);
    at::Tensor lowered = at::empty({from.classes, limit}, floats_there);
    SoftBoxLists b;
    b.boxes = from.sorted;
    b.rotated = from.rotated;
    b.keys = from.keys;
    b.sizes = from.sizes;
    b.lists = from.classes;
    b.most = from.rows;
    b.how = args_.soft_nms;
    b.one = args_.one;
    b.limit = limit;
    b.scores = scores.mutable_data_ptr<float>();
    b.kept = kept.mutable_data_ptr<int>();
    b.lowered = lowered.mutable_data_ptr<float>();
    b.kept_sizes = kept_sizes.mutable_data_ptr<int>();
    soften_boxes(b, stream());
    check_launch();
    return lowered;
  }

  // Places, class * limit + rank, of the best of all classes, rising.
  at::Tensor best_places(KeptKeys& k, const at::TensorOptions& options) const {
    at::Tensor keys = at::empty({std::int64_t{k.classes} * k.limit}, options.dtype(at::kLong));
    k.to = keys.mutable_data_ptr<std::int64_t>();
    make_kept_keys(k, stream());
    check_launch();
    if (args_.most > 0 && args_.most < keys.numel()) keys = std::get<0>(at::topk(keys, args_.most));
    const at::Tensor places = at::empty({keys.numel()}, options.dtype(at::kInt));
    places_of_keys(keys.const_data_ptr<std::int64_t>(), static_cast<int>(keys.numel()),
                   places.mutable_data_ptr<int>(), stream());
    check_launch();
    return std::get<0>(at::sort(places));
  }

  void write(const std::vector<Detected>& images, Outputs& out) const {
    std::vector<at::Tensor> scores, boxes, classes, rows, sizes, counts;
    std::vector<float> splits;
    for (const Detected& d : images) {
      scores.push_back(d.scores);
      boxes.push_back(d.boxes);
      classes.push_back(d.classes);
      rows.push_back(d.rows);
      sizes.push_back(d.keeps_size);
      splits.push_back(static_cast<float>(d.scores.size(0)));
      counts.push_back(d.count);
    }
    const auto joined = [](const std::vector<at::Tensor>& of_images) {
      return of_images.size() == 1 ? of_images.front() : at::cat(of_images);
    };
    out[Args::kOutScores] = joined(scores);
    out[Args::kOutBoxes] = joined(boxes);
    out[Args::kOutClasses] = joined(classes);
    if (out.size() > Args::kOutBatchSplits)
      out[Args::kOutBatchSplits] = slots_ ? joined(counts) : at::tensor(splits).to(scores.front().device());
    if (out.size() > Args::kOutKeeps) out[Args::kOutKeeps] = joined(rows);
    if (out.size() > Args::kOutKeepsSize) out[Args::kOutKeepsSize] = at::stack(sizes);
  }

  const BoxLimitArgs args_;
  const bool rotated_, slots_;
  const std::unique_ptr<Operator> host_;  // for more boxes than are compared here
};

REGISTER_CUDA_OPERATOR("BoxWithNMSLimit", BoxWithNMSLimit);

}  // namespace
}  // namespace caffe2rt::cuda
