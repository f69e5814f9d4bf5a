// Placing operators on a GPU: a CUDA operator where the type has one, else the CPU's own where ATen alone
// does its work, else the CPU's with its inputs brought to the host and its outputs back.
#pragma once

#include <memory>
#include <set>
#include <string>

#include "runtime/operator.h"

namespace caffe2rt {

// What runs in the place of an operator. Blobs between nodes lie on the device, whatever runs them.
struct PlacedOperator {
  std::unique_ptr<Operator> op;  // null: the operator itself runs, as on the CPU
  bool on_host = false;
};

// `op` is what the schema made for the CPU; it has to outlive the result. `on_host` lists types to leave to
// the CPU, or "all". Throws Error.
PlacedOperator place_operator(const Schema& schema, const Operator& op, const OperatorArgs& args,
                              const std::set<std::string>& on_host);

// The CPU's operator of these arguments, for a CUDA operator that leaves some inputs to it.
std::unique_ptr<Operator> make_host_operator(const OperatorArgs& args);

// A tensor that the host can read: float32 where a GPU held fewer bits.
at::Tensor to_host(const at::Tensor& tensor);

}  // namespace caffe2rt
