// What the decoders make of the blobs that the original computed for the networks in ../shared/golden,
// compared with detectron2's own predictions for the same images. Skipped where that folder is not there.
#include <filesystem>

#include "decode/decoder.h"
#include "decode/paste_masks.h"
#include "runtime/npz.h"
#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

namespace fs = std::filesystem;

const fs::path kGolden = fs::path(CAFFE2RT_SHARED) / "golden";

struct Case {
  NamedTensors arrays;
  Detections decoded;
  std::string reference;  // "caffe2/": detectron2's predictions from the same blobs

  at::Tensor expected(const std::string& name) const { return arrays.at(reference + name); }
  bool has(const std::string& name) const { return arrays.contains(reference + name); }
};

// Size of the image that a case was computed from.
FrameSize frame_size(const NamedTensors& arrays) {
  const at::Tensor& info = arrays.at("im_info");
  const float height = at(info, 0, 0) * at(info, 0, 2);
  return height < 420 ? FrameSize{400, 400} : FrameSize{432, 768};
}

Case decode_case(const std::string& net, int number) {
  Case c;
  c.reference = "caffe2/";
  c.arrays = read_npz(kGolden / net / fmt::format("case{}.npz", number));
  Blobs blobs;
  for (const auto& [name, value] : c.arrays)
    if (name.starts_with("out/")) blobs[name.substr(4)] = value;
  const auto decoder = make_decoder(read_net(kGolden / net / "model.pb"));
  const at::Tensor& info = c.arrays.at("im_info");
  // A single image: every detection is its own.
  for (const auto& blob : decoder->blobs_needed())
    if (!blobs.contains(blob)) blobs[blob] = tensor({1}, {static_cast<float>(blobs.at("score_nms").size(0))});
  const ImageSizes sizes = {{static_cast<int>(at(info, 0, 0)), static_cast<int>(at(info, 0, 1))},
                            frame_size(c.arrays)};
  c.decoded = std::move(decoder->decode(blobs, {&sizes, 1}).at(0));
  return c;
}

// The golden row of an object: same class, nearest box within 0.05 pixels and a thousandth of the box; -1:
// none.
std::int64_t row_of(const Case& c, const Object& object) {
  const at::Tensor boxes = c.expected("boxes"), classes = c.expected("classes");
  std::vector<float> box = {object.box.x1, object.box.y1, object.box.x2, object.box.y2};
  if (object.rotated) {
    const RotatedBox& r = *object.rotated;
    box = {r.cx, r.cy, r.width, r.height, r.angle};
  }
  const float tolerance = 0.05F + 1e-3F * std::max(object.box.width(), object.box.height());
  for (std::int64_t row = 0; row < boxes.size(0); row++) {
    bool near = classes.const_data_ptr<std::int64_t>()[row] == object.class_id;
    for (size_t i = 0; i < box.size(); i++) near = near && std::abs(at(boxes, row, i) - box[i]) <= tolerance;
    if (near && std::abs(at(c.expected("scores"), row) - object.score) <= 1e-3F) return row;
  }
  return -1;
}

double mask_iou(const PastedMask& mask, const std::uint8_t* packed, int frame_width, int frame_height) {
  const std::ptrdiff_t row_bytes = (frame_width + 7) / 8;
  std::int64_t both = 0, either = 0;
  for (int y = 0; y < frame_height; y++) {
    for (int x = 0; x < frame_width; x++) {
      const bool golden = packed[y * row_bytes + x / 8] & (0x80 >> (x % 8));
      const bool inside = x >= mask.x && y >= mask.y && x < mask.x + mask.width && y < mask.y + mask.height;
      const bool ours = inside && mask.pixels[static_cast<size_t>(y - mask.y) * mask.width + (x - mask.x)];
      both += golden && ours;
      either += golden || ours;
    }
  }
  return either == 0 ? 1 : static_cast<double>(both) / static_cast<double>(either);
}

// Share of pixels in which a map differs from the golden one.
double differing(const LabelMap& map, const at::Tensor& golden) {
  const at::Tensor ids = golden.to(at::kInt).contiguous();
  EXPECT_SHAPE(ids, {map.height, map.width});
  std::int64_t different = 0;
  for (size_t i = 0; i < map.ids.size(); i++) different += map.ids[i] != ids.const_data_ptr<int>()[i];
  return static_cast<double>(different) / static_cast<double>(map.ids.size());
}

void compare(const Case& c) {
  const Detections& d = c.decoded;
  ASSERT_EQ(d.objects.size(), c.expected("boxes").size(0));
  std::int64_t keypoints = 0, keypoints_near = 0;
  for (size_t i = 0; i < d.objects.size(); i++) {
    const std::int64_t row = row_of(c, d.objects[i]);
    ASSERT_GE(row, 0) << "object " << i << " has no partner";
    if (c.has("masks")) {
      const at::Tensor packed = c.expected("masks").select(0, row);
      EXPECT_GT(mask_iou(paste_mask(d, static_cast<int>(i)), packed.const_data_ptr<std::uint8_t>(), d.width,
                         d.height),
                0.995)
          << "object " << i;
    }
    for (size_t k = 0; k < d.objects[i].keypoints.size(); k++, keypoints++) {
      const at::Tensor golden = c.expected("keypoints");
      keypoints_near += std::abs(at(golden, row, k, 0) - d.objects[i].keypoints[k].x) <= 1 &&
                        std::abs(at(golden, row, k, 1) - d.objects[i].keypoints[k].y) <= 1 &&
                        std::abs(at(golden, row, k, 2) - d.objects[i].keypoints[k].score) <= 1e-3F;
    }
  }
  EXPECT_EQ(keypoints_near, keypoints);
  EXPECT_EQ(c.has("keypoints"), keypoints > 0);
  if (!c.has("panoptic")) return;
  EXPECT_LE(differing(d.semantic.value(), c.expected("sem_seg_argmax")), 1e-4);
  EXPECT_LE(differing(d.panoptic.value(), c.expected("panoptic")), 1e-3);
}

class DecoderGolden : public testing::TestWithParam<std::string> {};

TEST_P(DecoderGolden, IsWhatDetectron2Predicts) {
  if (!fs::exists(kGolden / GetParam())) GTEST_SKIP() << (kGolden / GetParam()).string() << " is not there";
  for (int number = 0; number < 3; number++) {
    SCOPED_TRACE(fmt::format("case {}", number));
    compare(decode_case(GetParam(), number));
  }
}

INSTANTIATE_TEST_SUITE_P(, DecoderGolden,
                         testing::Values("faster_rcnn_agnostic", "faster_rcnn_fpn", "faster_rcnn_x101",
                                         "keypoint_rcnn_fpn", "keypoint_rcnn_fpn_maxop", "mask_rcnn_c4",
                                         "mask_rcnn_dc5", "mask_rcnn_fpn", "mask_rcnn_gn", "panoptic_fpn",
                                         "retinanet_fpn", "rotated_faster_rcnn_c4"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace caffe2rt
