#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "base/error.h"
#include "decode/anchor_generator.h"
#include "decode/blob_access.h"
#include "decode/decoders.h"
#include "decode/net_args.h"
#include "geometry/box_coder.h"
#include "geometry/fit_to_frame.h"
#include "geometry/nms.h"

namespace caffe2rt {
namespace {

struct Candidate {
  float score = 0;
  std::int64_t position = 0;  // ((row * width + column) * anchors + anchor) * classes + class
  Box box;
  int class_id = 0;
};

float sigmoid(float x) { return 1 / (1 + std::exp(-x)); }

bool better(const Candidate& a, const Candidate& b) { return a.score > b.score; }

// Best score first; equal ones in the order of the feature map.
bool before(const Candidate& a, const Candidate& b) {
  return a.score > b.score || (a.score == b.score && a.position < b.position);
}

bool read_grid_strides(const NetDef& net) {
  const std::string strides = net_string(net, "anchor_strides", "of_level");
  require(strides == "of_level" || strides == "of_grid", ErrorCode::kArgument,
          "net argument 'anchor_strides': expected of_level or of_grid, got '{}'", strides);
  return strides == "of_grid";
}

// What RetinaNet.inference does in detectron2/modeling/meta_arch/retinanet.py, for every image of a batch.
// Where the net's arguments ask for it: as torchvision/models/detection/retinanet.py, which takes its
// anchors' strides from the size of the grid and clips boxes before it suppresses any.
class RetinaNetDecoder final : public Decoder {
 public:
  explicit RetinaNetDecoder(const NetDef& net)
      : Decoder("RetinaNet", net),
        anchors_(read_anchor_generator(net_string(net, "serialized_anchor_generator", ""))),
        score_threshold_(net_float(net, "score_threshold", 0.05F)),
        nms_threshold_(net_float(net, "nms_threshold", 0.5F)),
        candidates_(net_int(net, "topk_candidates", 1000)),
        max_detections_(net_int(net, "max_detections_per_image", 100)),
        grid_strides_(read_grid_strides(net)),
        clip_first_(net_int(net, "clip_before_nms", 0) != 0),
        coder_{.one = 0} {
    std::ranges::copy(net_floats(net, "bbox_reg_weights", {1, 1, 1, 1}), coder_.weights.begin());
    require(score_threshold_ >= 0 && score_threshold_ < 1, ErrorCode::kArgument,
            "net argument 'score_threshold': expected 0 to 1, got {}", score_threshold_);
    for (const std::int64_t count : {candidates_, max_detections_})
      require(count >= 0 && count <= 1'000'000, ErrorCode::kArgument,
              "net arguments 'topk_candidates', 'max_detections_per_image': expected 0 to 1000000, got {}",
              count);
    for (size_t level = 0; level < anchors_.levels.size(); level++) {
      const Names names(level);
      need(names.logits);
      need(names.deltas);
      if (candidates_ > 0 && !anchors_.levels[level].cell.empty())
        add_operator_for_gpu(best_anchors(level), {names.logits, names.deltas});
    }
  }

 private:
  // The blobs of a level, and those that a GPU makes of them.
  struct Names {
    explicit Names(size_t level)
        : logits(fmt::format("box_cls_{}", level)),
          deltas(fmt::format("box_delta_{}", level)),
          values(fmt::format("caffe2rt.best_values_{}", level)),
          places(fmt::format("caffe2rt.best_places_{}", level)),
          size(fmt::format("caffe2rt.best_size_{}", level)) {}
    std::string logits, deltas, values, places, size;
  };

  struct Level {
    at::Tensor logits;          // (N,A*C,H,W) in channels_last memory
    at::Tensor deltas;          // (N,A*4,H,W) in the same
    at::Tensor values, places;  // of caffe2rt.BestAnchors, in place of both
    std::int64_t anchors = 0, channels = 0, height = 0, width = 0;
    std::int64_t cells() const { return height * width; }
    std::int64_t classes() const { return channels / anchors; }
  };

  OperatorDef best_anchors(size_t level) const {
    const Names names(level);
    return {.type = "caffe2rt.BestAnchors",
            .inputs = {names.logits, names.deltas},
            .outputs = {names.values, names.places, names.size},
            .args = {{.name = "anchors", .i = std::ssize(anchors_.levels[level].cell)},
                     {.name = "most", .i = candidates_}}};
  }

  void fill(const Blobs& blobs, std::span<const ImageSizes> images, const DetectOptions& options,
            std::vector<Detections>& results) const override {
    std::vector<Level> levels;
    for (size_t i = 0; i < anchors_.levels.size(); i++)
      levels.push_back(read_level(blobs, i, static_cast<std::int64_t>(images.size())));
    const AnchorGenerator anchors = grid_strides_ ? with_grid_strides(levels) : anchors_;
    for (size_t image = 0; image < images.size(); image++) {
      std::vector<Candidate> found;
      for (size_t level = 0; level < levels.size(); level++)
        add_candidates(levels[level], anchors, level, static_cast<std::int64_t>(image), found);
      if (clip_first_) clip(found, images[image].input);
      const FrameScale scale(images[image]);
      for (const Candidate& candidate : suppress(std::move(found))) {
        if (!(candidate.score >= options.threshold_of(candidate.class_id))) continue;
        const auto box = fit_to_frame(candidate.box, scale);
        if (!box) continue;
        auto& objects = results[image].objects;
        if (options.max_detections >= 0 && objects.size() >= static_cast<size_t>(options.max_detections))
          break;
        objects.push_back({.box = *box, .score = candidate.score, .class_id = candidate.class_id});
      }
    }
  }

  Level read_level(const Blobs& blobs, size_t index, std::int64_t images) const {
    const Names names(index);
    Level level;
    level.anchors = std::ssize(anchors_.levels[index].cell);
    const bool from_gpu = blobs.contains(names.values);
    if (from_gpu) {
      level.values = host_blob(blobs, names.values, {images, -1, 5});
      level.places = host_blob(blobs, names.places, {images, level.values.size(1), 3});
      const at::Tensor size = host_blob(blobs, names.size, {3});
      level.channels = static_cast<std::int64_t>(size.const_data_ptr<float>()[0]);
      level.height = static_cast<std::int64_t>(size.const_data_ptr<float>()[1]);
      level.width = static_cast<std::int64_t>(size.const_data_ptr<float>()[2]);
    } else {
      level.logits = host_blob(blobs, names.logits, {images, -1, -1, -1}, at::MemoryFormat::ChannelsLast);
      level.channels = level.logits.size(1);
      level.height = level.logits.size(2);
      level.width = level.logits.size(3);
    }
    require(level.anchors > 0 && level.channels % level.anchors == 0, ErrorCode::kShape,
            "blob '{}': expected a multiple of {} anchors, got {} channels", names.logits, level.anchors,
            level.channels);
    if (!from_gpu)
      level.deltas = host_blob(blobs, names.deltas, {images, level.anchors * 4, level.height, level.width},
                               at::MemoryFormat::ChannelsLast);
    return level;
  }

  // Anchors whose strides are the size of the net's input over that of each grid, rounded down. The finest
  // level's stride divides the input, which is where its size is known from.
  AnchorGenerator with_grid_strides(const std::vector<Level>& levels) const {
    AnchorGenerator anchors = anchors_;
    const auto& finest = anchors_.levels.front();
    const auto over = [](float stride, std::int64_t cells, std::int64_t by) {
      return std::floor(stride * static_cast<float>(cells) /
                        static_cast<float>(std::max<std::int64_t>(1, by)));
    };
    for (size_t i = 0; i < levels.size(); i++) {
      if (levels[i].cells() == 0) continue;
      anchors.levels[i].x_stride = over(finest.x_stride, levels.front().width, levels[i].width);
      anchors.levels[i].y_stride = over(finest.y_stride, levels.front().height, levels[i].height);
    }
    return anchors;
  }

  void clip(std::vector<Candidate>& candidates, FrameSize image) const {
    for (Candidate& c : candidates)
      c.box = coder_.clip(c.box, static_cast<float>(image.width), static_cast<float>(image.height));
  }

  // Appends the best candidates of one level of one image, with their boxes.
  void add_candidates(const Level& level, const AnchorGenerator& anchors, size_t index, std::int64_t image,
                      std::vector<Candidate>& to) const {
    std::vector<Candidate> found = level.values.defined() ? candidates_of_gpu(level, anchors, index, image)
                                                          : find_candidates(level, image);
    const auto count = std::min(candidates_, static_cast<std::int64_t>(found.size()));
    std::partial_sort(found.begin(), found.begin() + count, found.end(), before);
    found.resize(count);
    if (!level.values.defined())
      for (Candidate& candidate : found)
        candidate.box = read_box(level, anchors, index, image, candidate.position);
    to.insert(to.end(), found.begin(), found.end());
  }

  // Those that score enough, without boxes.
  std::vector<Candidate> find_candidates(const Level& level, std::int64_t image) const {
    std::vector<Candidate> found;
    // Most values are far below the threshold: what may pass is found without an exponential each.
    const float least = std::log(score_threshold_ / (1 - score_threshold_)) - 0.01F;
    const float* logits = level.logits.const_data_ptr<float>() + image * level.logits.stride(0);
    const std::int64_t count = level.channels * level.cells();
    constexpr std::int64_t kBlock = 64;  // are looked at together
    for (std::int64_t first = 0; first < count; first += kBlock) {
      const std::int64_t last = std::min(first + kBlock, count);
      int passing = 0;
      for (std::int64_t i = first; i < last; i++) passing += logits[i] > least ? 1 : 0;
      if (passing == 0) continue;
      for (std::int64_t position = first; position < last; position++) {
        if (!(logits[position] > least)) continue;
        const float score = sigmoid(logits[position]);
        if (score > score_threshold_)
          found.push_back(
              {score, position, {}, static_cast<int>(position % level.channels % level.classes())});
      }
    }
    return found;
  }

  // Those of the best ones that score enough, with boxes.
  std::vector<Candidate> candidates_of_gpu(const Level& level, const AnchorGenerator& anchors, size_t index,
                                           std::int64_t image) const {
    std::vector<Candidate> found;
    for (std::int64_t i = 0; i < level.values.size(1); i++) {
      const float* values = level.values.const_data_ptr<float>() + image * level.values.stride(0) + i * 5;
      const float* place = level.places.const_data_ptr<float>() + image * level.places.stride(0) + i * 3;
      const float score = sigmoid(values[0]);
      if (!(score > score_threshold_)) continue;
      const auto row = static_cast<std::int64_t>(place[0]), column = static_cast<std::int64_t>(place[1]),
                 channel = static_cast<std::int64_t>(place[2]);
      const Box anchor = anchors.anchor(index, row, column, channel / level.classes());
      found.push_back({score, (row * level.width + column) * level.channels + channel,
                       coder_.decode(anchor, values + 1), static_cast<int>(channel % level.classes())});
    }
    return found;
  }

  // Box of the anchor at a candidate's position, moved by its deltas.
  Box read_box(const Level& level, const AnchorGenerator& anchors, size_t index, std::int64_t image,
               std::int64_t position) const {
    const std::int64_t cell = position / level.channels, anchor = position % level.channels / level.classes();
    const float* deltas = level.deltas.const_data_ptr<float>() + image * level.deltas.stride(0);
    std::array<float, 4> of_anchor{};
    for (std::int64_t i = 0; i < 4; i++) of_anchor[i] = deltas[(cell * level.anchors + anchor) * 4 + i];
    return coder_.decode(anchors.anchor(index, cell / level.width, cell % level.width, anchor),
                         of_anchor.data());
  }

  // Non-maximum suppression within each class; the best `max_detections_` of what is left, best first.
  std::vector<Candidate> suppress(std::vector<Candidate> found) const {
    std::stable_sort(found.begin(), found.end(), better);
    std::map<int, std::vector<Candidate>> by_class;
    for (const Candidate& candidate : found) by_class[candidate.class_id].push_back(candidate);
    std::vector<Candidate> kept;
    for (const auto& [class_id, candidates] : by_class) {
      std::vector<Box> boxes;
      for (const Candidate& candidate : candidates) boxes.push_back(candidate.box);
      for (const int i :
           nms(std::span<const Box>(boxes), nms_threshold_, static_cast<int>(max_detections_), coder_.one))
        kept.push_back(candidates[i]);
    }
    std::stable_sort(kept.begin(), kept.end(), better);
    if (kept.size() > static_cast<size_t>(max_detections_)) kept.resize(max_detections_);
    return kept;
  }

  const AnchorGenerator anchors_;
  const float score_threshold_, nms_threshold_;
  const std::int64_t candidates_;      // a level
  const std::int64_t max_detections_;  // an image
  const bool grid_strides_, clip_first_;
  BoxCoder coder_;
};

}  // namespace

std::unique_ptr<Decoder> make_retinanet_decoder(const NetDef& net) {
  return std::make_unique<RetinaNetDecoder>(net);
}

}  // namespace caffe2rt
