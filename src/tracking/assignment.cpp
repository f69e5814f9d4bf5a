#include "tracking/assignment.h"

#include <dlib/optimization/max_cost_assignment.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

namespace caffe2rt {
namespace {

constexpr double kUnits = 1e6;  // of gain: the algorithm is exact in whole numbers

// Rows and columns that candidates lead to from one another, as sets of numbers: 0..rows-1, then the columns.
class Groups {
 public:
  explicit Groups(int count) : parent_(static_cast<size_t>(count)) {
    std::iota(parent_.begin(), parent_.end(), 0);
  }
  int find(int i) {
    while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
    return i;
  }
  void join(int a, int b) { parent_[find(a)] = find(b); }

 private:
  std::vector<int> parent_;
};

// Numbers 0, 1, ... for whatever comes.
class Numbering {
 public:
  int of(int what) {
    const auto [found, fresh] = number_.emplace(what, static_cast<int>(what_.size()));
    if (fresh) what_.push_back(what);
    return found->second;
  }
  int count() const { return static_cast<int>(what_.size()); }
  int what(int number) const { return what_[number]; }

 private:
  std::map<int, int> number_;
  std::vector<int> what_;
};

void assign_group(std::span<const Candidate> group, std::vector<std::pair<int, int>>& chosen) {
  Numbering rows, columns;
  for (const Candidate& c : group) rows.of(c.row), columns.of(c.column);
  const int side = std::max(rows.count(), columns.count());
  dlib::matrix<long> gains = dlib::zeros_matrix<long>(side, side);
  for (const Candidate& c : group)
    gains(rows.of(c.row), columns.of(c.column)) = std::max(1L, std::lround(c.gain * kUnits));
  const std::vector<long> column_of = dlib::max_cost_assignment(gains);
  for (int row = 0; row < rows.count(); row++)
    if (gains(row, column_of[row]) > 0)
      chosen.emplace_back(rows.what(row), columns.what(static_cast<int>(column_of[row])));
}

}  // namespace

std::vector<std::pair<int, int>> assign(std::span<const Candidate> candidates, int rows, int columns) {
  Groups groups(rows + columns);
  std::vector<Candidate> useful;
  for (const Candidate& c : candidates) {
    if (!(c.gain > 0)) continue;
    useful.push_back(c);
    groups.join(c.row, rows + c.column);
  }
  std::ranges::stable_sort(useful, {}, [&](const Candidate& c) { return groups.find(c.row); });
  std::vector<std::pair<int, int>> chosen;
  for (size_t begin = 0, end = 0; begin < useful.size(); begin = end) {
    const int group = groups.find(useful[begin].row);
    while (end < useful.size() && groups.find(useful[end].row) == group) end++;
    assign_group(std::span(useful).subspan(begin, end - begin), chosen);
  }
  std::ranges::sort(chosen);
  return chosen;
}

}  // namespace caffe2rt
