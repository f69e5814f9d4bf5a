// Profile: when each operator of a net ran, for how long, and on what.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace caffe2rt {

struct Profile {
  using Shape = std::vector<std::int64_t>;

  struct Event {
    std::string type, output;  // operator, and its first output blob
    double start_ms = 0;       // since the profile was made
    double milliseconds = 0;
    double flop = 0;   // of convolutions and matrix products as they are defined, however computed; else 0
    double bytes = 0;  // that inputs and outputs hold
    std::vector<Shape> inputs;
    std::vector<Shape> outputs;
  };
  std::vector<Event> events;  // in the order in which they ran
  std::chrono::steady_clock::time_point made = std::chrono::steady_clock::now();

  // Notes that a node ran from `start` until now.
  void add(const Node& node, std::chrono::steady_clock::time_point start,
           const std::vector<at::Tensor>& values);
};

}  // namespace caffe2rt
