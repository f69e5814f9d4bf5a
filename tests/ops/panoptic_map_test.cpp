#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

// Detections in a frame of 8x4 pixels, as large as the net's input: the left half is class 1, the right half
// class 2. Masks fill their boxes.
struct Scene {
  std::vector<float> boxes, scores, classes;
  std::vector<float> limits = {0, -1};
  at::Tensor splits;  // undefined: not given
  int images = 1;

  void add(const std::vector<float>& box, float score, float class_id) {
    boxes.insert(boxes.end(), box.begin(), box.end());
    scores.push_back(score);
    classes.push_back(class_id);
  }

  std::vector<at::Tensor> run(const Args& args) const {
    const auto rows = static_cast<std::int64_t>(scores.size());
    std::vector<std::int32_t> labels;
    for (int i = 0; i < images * 32; i++) labels.push_back(i % 8 < 4 ? 1 : 2);
    std::vector<float> sizes;
    for (int n = 0; n < images; n++) sizes.insert(sizes.end(), {4, 8, 4, 8});
    std::vector<at::Tensor> in = {int32_tensor({images * 32}, labels),
                                  random({images, 3, 4, 8}),
                                  tensor({rows, 4}, boxes),
                                  tensor({rows}, scores),
                                  tensor({rows}, classes),
                                  at::ones({rows, 1, 8, 8}),
                                  tensor({images, 4}, sizes),
                                  tensor({static_cast<std::int64_t>(limits.size())}, limits)};
    if (splits.defined()) in.push_back(splits);
    return run_operator_outputs("caffe2rt.PanopticMap", in, args, 3);
  }
};

// The first row of the map of image n.
std::vector<int> first_row(const at::Tensor& map, int n = 0) {
  const auto* ids = map.const_data_ptr<std::int32_t>() + n * 32;
  return {ids, ids + 8};
}

std::vector<int> ints(const at::Tensor& t) {
  const auto* values = t.const_data_ptr<std::int32_t>();
  return {values, values + t.numel()};
}

using Ints = std::vector<int>;

TEST(PanopticMap, PutsThingsOverStuff) {
  Scene scene;
  scene.add({0, 0, 2, 4}, 0.9F, 5);
  const auto out = scene.run({{"stuff_area", 1}});
  EXPECT_EQ(first_row(out[0]), (Ints{1, 1, 2, 2, 3, 3, 3, 3}));
  EXPECT_EQ(ints(out[1]), (Ints{1}));
  EXPECT_EQ(ints(out[2]), (Ints{0, 8, 16}));
}

TEST(PanopticMap, TheBetterThingKeepsSharedPixelsWhateverTheOrder) {
  Scene scene;
  scene.add({2, 0, 6, 4}, 0.8F, 0);
  scene.add({0, 0, 4, 4}, 0.9F, 0);
  const auto out = scene.run({});
  EXPECT_EQ(first_row(out[0]), (Ints{1, 1, 1, 1, 2, 2, 0, 0}));
  EXPECT_EQ(ints(out[1]), (Ints{2, 1}));
}

TEST(PanopticMap, LeavesOutThingsThatOthersCoverAndThoseThatFillNoPixel) {
  Scene scene;
  scene.add({0, 0, 4, 4}, 0.9F, 0);
  scene.add({1, 0, 5, 4}, 0.8F, 0);  // three quarters are taken
  scene.add({6, 0, 6, 4}, 0.7F, 0);
  scene.add({5, 0, 8, 4}, 0.6F, 0);
  EXPECT_EQ(ints(scene.run({})[1]), (Ints{1, 0, 0, 2}));
  EXPECT_EQ(ints(scene.run({{"overlap_threshold", 0.8F}})[1]), (Ints{1, 2, 0, 3}));
}

TEST(PanopticMap, HoldsToWhatIsAskedOfDetections) {
  Scene scene;
  scene.add({0, 0, 1, 4}, 0.6F, 0);
  scene.add({1, 0, 2, 4}, 0.7F, 1);
  scene.add({2, 0, 3, 4}, 0.8F, 0);
  scene.add({3, 0, 4, 4}, 0.4F, 2);
  EXPECT_EQ(ints(scene.run({})[1]), (Ints{3, 2, 1, 0})) << "from a score of 0.5 on";
  EXPECT_EQ(ints(scene.run({{"object_threshold", 0.65F}})[1]), (Ints{0, 2, 1, 0}));
  scene.limits = {0.75F, -1};
  EXPECT_EQ(ints(scene.run({})[1]), (Ints{0, 0, 1, 0}));
  scene.limits = {0, 2};
  EXPECT_EQ(ints(scene.run({})[1]), (Ints{0, 2, 1, 0}));
  scene.limits = {0.65F, -1, 0.9F, 0.5F};  // class 0, class 1
  EXPECT_EQ(ints(scene.run({})[1]), (Ints{0, 1, 0, 0}));
  EXPECT_EQ(ints(scene.run({{"background", 1}})[1]), (Ints{0, 0, 1, 0})) << "class 1 is class 0 then";
  scene.limits = {0, 0};
  EXPECT_EQ(ints(scene.run({})[1]), (Ints{0, 0, 0, 0}));
}

TEST(PanopticMap, ImagesHaveTheirOwnDetectionsAndNumbers) {
  Scene scene;
  scene.images = 3;
  scene.splits = tensor({3}, {2, 0, 1});
  scene.add({0, 0, 2, 4}, 0.9F, 0);
  scene.add({2, 0, 4, 4}, 0.8F, 0);
  scene.add({4, 0, 8, 4}, 0.9F, 0);
  const auto out = scene.run({{"stuff_area", 1}});
  EXPECT_EQ(first_row(out[0], 0), (Ints{1, 1, 2, 2, 3, 3, 3, 3}));
  EXPECT_EQ(first_row(out[0], 1), (Ints{1, 1, 1, 1, 2, 2, 2, 2}));
  EXPECT_EQ(first_row(out[0], 2), (Ints{2, 2, 2, 2, 1, 1, 1, 1}));
  EXPECT_EQ(ints(out[1]), (Ints{1, 2, 1}));
  EXPECT_EQ(ints(out[2]), (Ints{0, 0, 16, 0, 16, 16, 0, 16, 0}));
}

TEST(PanopticMap, RefusesSplitsOfMoreRowsThanThereAre) {
  Scene scene;
  scene.add({0, 0, 2, 4}, 0.9F, 0);
  scene.images = 2;
  scene.splits = tensor({2}, {1, 1});
  EXPECT_ERROR(scene.run({}), ErrorCode::kShape, "more rows than the 1 of input 2 'boxes'");
}

TEST(PanopticMap, RefusesWhatDoesNotFit) {
  Scene scene;
  scene.add({0, 0, 2, 4}, 0.9F, 0);
  scene.images = 2;
  EXPECT_ERROR(scene.run({}), ErrorCode::kShape, "detections of 2 images without input 8 'batch_splits'");
  scene.splits = tensor({1}, {1});
  EXPECT_ERROR(scene.run({}), ErrorCode::kShape, "input 8 'batch_splits'");
  scene.images = 1;
  scene.limits = {0};
  EXPECT_ERROR(scene.run({}), ErrorCode::kShape, "input 7 'limits': expected at least 2 numbers, got 1");
}

}  // namespace
}  // namespace caffe2rt
