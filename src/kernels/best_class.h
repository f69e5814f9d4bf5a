// The best class at each pixel of a row, where maps of classes are stretched by linear interpolation along
// both axes. Plain pointers, no tensors; every vector width that the processor has, chosen when it runs.
#pragma once

#include <cstddef>
#include <vector>

namespace caffe2rt::best_class {

// Where a pixel of the row lies between the columns of the map: column `low` counts with low_weight, and the
// next one, or `low` again where it is the last, with high_weight.
struct Tap {
  int low = 0;
  float low_weight = 1, high_weight = 0;
};

struct Problem {
  const std::vector<Tap>& pixels;  // in ascending order of their columns
  int classes = 0, width = 0;      // of the map
  // Two rows of the map, (width,classes), which count so much.
  const float *upper = nullptr, *lower = nullptr;
  float upper_weight = 1, lower_weight = 0;
};

// Elements of scratch memory, on a boundary of 64 bytes.
size_t scratch_size(const Problem& problem);

// labels[i]: the class that is the largest at pixel i, of equal ones the first. What is not a number is never
// the largest.
void run(const Problem& problem, int* labels, float* scratch);

}  // namespace caffe2rt::best_class
