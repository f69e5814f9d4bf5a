#include "tracking/assignment.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <numeric>
#include <random>

namespace caffe2rt {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

TEST(Assignment, TakesTheLargestSumNotTheLargestPair) {
  EXPECT_THAT(assign(std::vector<Candidate>{{0, 0, 0.9}, {0, 1, 0.8}, {1, 0, 0.8}}, 2, 2),
              ElementsAre(Pair(0, 1), Pair(1, 0)));
}

TEST(Assignment, LeavesOutWhatGainsNothing) {
  EXPECT_THAT(assign(std::vector<Candidate>{{0, 0, 0}, {1, 1, -1}, {2, 0, 1e-9}}, 3, 2),
              ElementsAre(Pair(2, 0)));
}

TEST(Assignment, RowsAndColumnsMayDifferInNumberOrBeNone) {
  EXPECT_THAT(assign({}, 0, 0), IsEmpty());
  EXPECT_THAT(assign({}, 3, 0), IsEmpty());
  EXPECT_THAT(assign(std::vector<Candidate>{{0, 0, 0.5}, {1, 0, 0.7}, {2, 0, 0.6}}, 3, 1),
              ElementsAre(Pair(1, 0)));
}

// All orders of up to six columns.
double best_by_trying(const std::vector<std::vector<double>>& gain) {
  std::vector<size_t> order(gain.size());
  std::iota(order.begin(), order.end(), 0);
  double best = 0;
  do {
    double sum = 0;
    for (size_t row = 0; row < order.size(); row++) sum += std::max(0.0, gain[row][order[row]]);
    best = std::max(best, sum);
  } while (std::ranges::next_permutation(order).found);
  return best;
}

TEST(Assignment, GainsAsMuchAsTryingEverything) {
  std::mt19937 random(2);
  std::uniform_real_distribution<double> some(-1, 1);
  for (int trial = 0; trial < 100; trial++) {
    const int side = 1 + trial % 6;
    std::vector<std::vector<double>> gain(side, std::vector<double>(side));
    std::vector<Candidate> candidates;
    for (int r = 0; r < side; r++)
      for (int c = 0; c < side; c++) candidates.push_back({r, c, gain[r][c] = some(random)});
    double sum = 0;
    for (const auto& [r, c] : assign(candidates, side, side)) sum += gain[r][c];
    EXPECT_NEAR(sum, best_by_trying(gain), 1e-5);
  }
}

}  // namespace
}  // namespace caffe2rt
