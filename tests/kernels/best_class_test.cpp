#include "kernels/best_class.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/arrays.h"
#include "kernels/targets.h"

namespace caffe2rt {
namespace {

// Two rows of a map, and where pixels lie between its columns: as far apart as `scale` says.
struct Map {
  int classes, width;
  Aligned<float> upper, lower;
  std::vector<best_class::Tap> pixels;
  std::vector<int> labels;

  Map(int classes_, int width_, size_t count, float scale)
      : classes(classes_),
        width(width_),
        upper(noise(static_cast<size_t>(classes_) * width_, 1)),
        lower(noise(static_cast<size_t>(classes_) * width_, 2)),
        labels(count + 1, -1) {
    for (size_t i = 0; i < count; i++) {
      const float at = std::min(static_cast<float>(i) * scale, static_cast<float>(width - 1));
      const int column = static_cast<int>(at);
      pixels.push_back({column, 1 - (at - static_cast<float>(column)), at - static_cast<float>(column)});
    }
  }

  void set(int c, float value) {
    for (int x = 0; x < width; x++) upper[x * classes + c] = lower[x * classes + c] = value;
  }

  float value(int c, size_t i) const {
    const int low = pixels[i].low, high = std::min(low + 1, width - 1);
    const auto between = [&](int x) {
      return 0.25F * upper[x * classes + c] + 0.75F * lower[x * classes + c];
    };
    return pixels[i].low_weight * between(low) + pixels[i].high_weight * between(high);
  }

  void run() {
    const best_class::Problem problem{.pixels = pixels,
                                      .classes = classes,
                                      .width = width,
                                      .upper = upper.data(),
                                      .lower = lower.data(),
                                      .upper_weight = 0.25F,
                                      .lower_weight = 0.75F};
    Aligned<float> scratch(best_class::scratch_size(problem), std::numeric_limits<float>::quiet_NaN());
    best_class::run(problem, labels.data(), scratch.data());
    EXPECT_EQ(labels.back(), -1) << "written behind the row";
  }

  void expect_right() const {
    for (size_t i = 0; i + 1 < labels.size(); i++) {
      float most = -std::numeric_limits<float>::infinity();
      for (int c = 0; c < classes; c++) most = std::max(most, value(c, i));
      ASSERT_GE(labels[i], 0);
      ASSERT_LT(labels[i], classes);
      ASSERT_NEAR(value(labels[i], i), most, 1e-5) << "pixel " << i;
    }
  }
};

using BestClass = WithTarget;

TEST_P(BestClass, IsTheLargestBetweenColumns) {
  for (const float scale : {0.1F, 0.7F, 1.0F, 1.04F, 3.5F})
    for (const size_t pixels : {1, 7, 64, 65, 200})
      for (const int classes : {1, 2, 16, 54}) {
        Map map(classes, std::max(1, static_cast<int>(static_cast<float>(pixels) * scale)), pixels, scale);
        map.run();
        map.expect_right();
      }
}

// Beside each other in a vector, and a vector further.
TEST_P(BestClass, OfEqualOnesTheFirst) {
  for (const int twin : {4, 21}) {
    Map map(30, 40, 90, 0.4F);
    map.set(3, 9);
    map.set(twin, 9);
    map.run();
    EXPECT_EQ(std::ranges::count(map.labels, 3), 90);
  }
}

TEST_P(BestClass, WhatIsNotANumberIsNotTheBest) {
  for (const int strange : {0, 2, 20}) {
    Map map(21, 40, 90, 0.4F);
    map.set(strange, NAN);
    map.run();
    EXPECT_EQ(std::ranges::count(map.labels, strange), 0);
    EXPECT_EQ(std::ranges::count(map.labels, -1), 1);
  }
}

EVERY_TARGET(BestClass);

}  // namespace
}  // namespace caffe2rt
