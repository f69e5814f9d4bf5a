// BoxWithNMSLimit: for each image and class c, nms({boxes[r,c] : scores[r,c] > score_thresh}), then the best
// detections_per_im of all classes together.
//
// The end of Fast R-CNN's box head (Girshick, https://arxiv.org/abs/1504.08083); Soft-NMS: geometry/nms.h.
#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <numeric>

#include "geometry/nms.h"
#include "ops/box_limit_args.h"

namespace caffe2rt {
namespace {

class BoxWithNMSLimit final : public Operator {
 public:
  using Args = BoxLimitArgs;

  explicit BoxWithNMSLimit(const OperatorArgs& args) : args_(args) {}

  PartialShape infer_boxes(PartialShapes) const { return std::vector<int64_t>{kUnknown, args_.box_size}; }

  void run(const Inputs& in, Outputs& out) const override {
    const auto [scores, boxes] = args_.read(in);
    const std::vector<int64_t> splits = Args::read_splits(in, scores.size(0));
    if (args_.box_size == Box::kSize)
      detect<Box>(scores, boxes, splits, out);
    else
      detect<RotatedBox>(scores, boxes, splits, out);
  }

 private:
  struct Detection {
    int64_t row;
    float score;
  };
  using ByClass = std::vector<std::vector<Detection>>;  // class 0, the background, stays empty

  template <class B>
  void detect(const at::Tensor& scores, const at::Tensor& boxes, const std::vector<int64_t>& splits,
              Outputs& out) const {
    std::vector<ByClass> images;
    int64_t first = 0;
    for (const int64_t rows : splits) {
      images.push_back(detect_in_image<B>(scores.narrow(0, first, rows), boxes.narrow(0, first, rows)));
      first += rows;
    }
    write<B>(images, splits, boxes, out);
  }

  template <class B>
  ByClass detect_in_image(const at::Tensor& scores, const at::Tensor& boxes) const {
    const int64_t classes = scores.size(1);
    ByClass found(static_cast<size_t>(classes));
    at::parallel_for(1, classes, 1, [&](int64_t from, int64_t to) {
      for (int64_t c = from; c < to; c++) found[c] = detect_class<B>(scores, boxes, c);
    });
    if (args_.most > 0) keep_best(found);
    return found;
  }

  template <class B>
  std::vector<Detection> detect_class(const at::Tensor& scores, const at::Tensor& boxes, int64_t c) const {
    const float* score = scores.data_ptr<float>() + args_.score_column(c);
    std::vector<Detection> candidates;
    for (int64_t r = 0; r < scores.size(0); r++)
      if (const float s = score[r * scores.size(1)]; s > args_.score_threshold) candidates.push_back({r, s});
    if (!args_.soft) std::sort(candidates.begin(), candidates.end(), better);

    std::vector<B> from;
    from.reserve(candidates.size());
    for (const Detection& d : candidates)
      from.push_back(
          read_box<B>(boxes.data_ptr<float>() + d.row * boxes.size(1) + args_.box_column(c) * B::kSize));
    std::vector<Detection> kept;
    if (args_.soft) {
      std::vector<float> lowered;
      lowered.reserve(candidates.size());
      for (const Detection& d : candidates) lowered.push_back(d.score);
      for (const int i : soft_nms(std::span<const B>(from), lowered, args_.soft_nms, args_.one))
        kept.push_back({candidates[i].row, lowered[i]});
    } else {
      for (const int i :
           nms(std::span<const B>(from), args_.nms_threshold, args_.most > 0 ? args_.most : -1, args_.one))
        kept.push_back(candidates[i]);
    }
    return kept;
  }

  // Equal scores: which one comes first is up to std::sort, as in the original.
  static bool better(const Detection& a, const Detection& b) { return a.score > b.score; }

  // Leaves the detections_per_im best of all classes.
  void keep_best(ByClass& found) const {
    struct Ranked {
      size_t c;
      Detection detection;
    };
    std::vector<Ranked> all;
    for (size_t c = 1; c < found.size(); c++)
      for (const Detection& d : found[c]) all.push_back({c, d});
    if (all.size() <= static_cast<size_t>(args_.most)) return;
    std::sort(all.begin(), all.end(),
              [](const Ranked& a, const Ranked& b) { return better(a.detection, b.detection); });
    for (auto& detections : found) detections.clear();
    for (size_t i = 0; i < static_cast<size_t>(args_.most); i++) found[all[i].c].push_back(all[i].detection);
  }

  template <class B>
  void write(const std::vector<ByClass>& images, const std::vector<int64_t>& splits, const at::Tensor& boxes,
             Outputs& out) const {
    const auto classes = static_cast<int64_t>(images.empty() ? 0 : images.front().size());
    const auto count = static_cast<int64_t>(images.size());
    const auto ints = boxes.options().dtype(at::kInt);
    at::Tensor out_splits = at::zeros({count}, boxes.options()),
               keeps_size = at::zeros({count, classes}, ints);
    int64_t total = 0;
    for (int64_t n = 0; n < count; n++)
      for (int64_t c = 0; c < classes; c++) {
        const auto found = static_cast<int64_t>(images[n][c].size());
        keeps_size.data_ptr<int32_t>()[n * classes + c] = static_cast<int32_t>(found);
        out_splits.data_ptr<float>()[n] += static_cast<float>(found);
        total += found;
      }

    out[Args::kOutScores] = at::empty({total}, boxes.options());
    out[Args::kOutBoxes] = at::empty({total, B::kSize}, boxes.options());
    out[Args::kOutClasses] = at::empty({total}, boxes.options());
    at::Tensor keeps = at::empty({total}, ints);
    int64_t i = 0, first = 0;
    for (int64_t n = 0; n < count; first += splits[n++])
      for (int64_t c = 1; c < classes; c++)
        for (const auto& [row, score] : images[n][c]) {
          out[Args::kOutScores].data_ptr<float>()[i] = score;
          std::copy_n(
              boxes.data_ptr<float>() + (first + row) * boxes.size(1) + args_.box_column(c) * B::kSize,
              B::kSize, out[Args::kOutBoxes].data_ptr<float>() + i * B::kSize);
          out[Args::kOutClasses].data_ptr<float>()[i] =
              static_cast<float>(args_.output_counts_background ? c : c - 1);
          keeps.data_ptr<int32_t>()[i++] = static_cast<int32_t>(row);
        }
    if (out.size() > Args::kOutBatchSplits) out[Args::kOutBatchSplits] = out_splits;
    if (out.size() > Args::kOutKeeps) out[Args::kOutKeeps] = keeps;
    if (out.size() > Args::kOutKeepsSize) out[Args::kOutKeepsSize] = keeps_size;
  }

  const BoxLimitArgs args_;
};

REGISTER_OPERATOR(BoxWithNMSLimit)
    .says("Non-maximum suppression within each class, and a limit on the detections of an image.")
    .input("scores", "(R,K) float32, class 0 is the background; or (R,K,1,1)")
    .input(
        "boxes",
        "(R,4*K) float32: x1, y1, x2, y2 a class; (R,4) for cls_agnostic_bbox_reg. Rotated: 5 values a box")
    .optional_input("batch_splits", "(N) float32: how many rows each image has; default: one image")
    .output("scores", "(D) float32, image by image, class by class, best first", infer::fixed({kUnknown}))
    .output("boxes", "(D,4) float32, or (D,5)", infer::by(&BoxWithNMSLimit::infer_boxes))
    .output("classes", "(D) float32", infer::fixed({kUnknown}))
    .optional_output("batch_splits", "(N) float32: how many detections each image has",
                     infer::fixed({kUnknown}))
    .optional_output("keeps", "(D) int32: the row of its image that each detection was",
                     infer::fixed({kUnknown}))
    .optional_output("keeps_size", "(N,K) int32: how many detections each class of an image has",
                     infer::fixed({kUnknown, kUnknown}))
    .arg("score_thresh", "scores have to be above, default 0.05")
    .arg("nms", "largest IoU of two detections of a class, default 0.3")
    .arg("detections_per_im", "how many an image may have, default 100; 0: any number")
    .arg("soft_nms_enabled", "1: overlap lowers scores instead of removing boxes")
    .arg("soft_nms_method", "linear (default) or gaussian")
    .arg("soft_nms_sigma", "width for gaussian, default 0.5")
    .arg("soft_nms_min_score_thres", "lowered scores below are dropped, default 0.001")
    .arg("rotated", "1: boxes are x, y, w, h, degrees")
    .arg("cls_agnostic_bbox_reg", "1: all classes share one box")
    .arg("input_boxes_include_bg_cls",
         "1 (default): column 0 is the background; 0: it is the last column of scores, and boxes "
         "have none for it")
    .arg("output_classes_include_bg_cls", "1 (default): the first object class is 1; 0: it is 0")
    .arg("legacy_plus_one", kLegacyPlusOneDoc)
    .arg("caffe2rt.slots", kSlotsDoc);

}  // namespace
}  // namespace caffe2rt
