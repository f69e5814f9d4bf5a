// Who belongs to whom: pairs of rows and columns of the largest gain in all.
#pragma once

#include <span>
#include <utility>
#include <vector>

namespace caffe2rt {

struct Candidate {
  int row = 0, column = 0;
  double gain = 0;
};

// Chooses candidates so that no row and no column is in two of them and the sum of their gains is the largest
// possible, to within a millionth a pair: (row, column) in order of rows. Candidates without gain are never
// chosen. Solved by the Hungarian algorithm (dlib::max_cost_assignment) for each group of rows and columns
// that hang together by itself, since objects far from each other do not compete.
std::vector<std::pair<int, int>> assign(std::span<const Candidate> candidates, int rows, int columns);

}  // namespace caffe2rt
