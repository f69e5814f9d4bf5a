// OperatorArgs: what an operator's constructor reads: its arguments by name with a default, how many blobs it
// has, and what it is compiled for. Every getter throws Error(kArgument) where the argument has another type.
#pragma once

#include <c10/core/Device.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "proto/net_def.h"

namespace caffe2rt {

enum class StorageOrder { kNchw, kNhwc };

class OperatorArgs {
 public:
  OperatorArgs(const OperatorDef& def, c10::Device device) : def_(def), device_(device) {}

  const OperatorDef& def() const { return def_; }
  c10::Device device() const { return device_; }  // where operators that have no input make their output
  size_t num_inputs() const { return def_.inputs.size(); }
  size_t num_outputs() const { return def_.outputs.size(); }

  bool has(std::string_view name) const { return def_.find(name) != nullptr; }
  int get(std::string_view name, int otherwise) const;  // throws past the range of int
  std::int64_t get(std::string_view name, std::int64_t otherwise) const;
  float get(std::string_view name, float otherwise) const;
  bool get(std::string_view name, bool otherwise) const;  // an integer in the file
  std::string get(std::string_view name, const char* otherwise) const;
  StorageOrder get(std::string_view name, StorageOrder otherwise) const;  // "NCHW" or "NHWC"

  // Empty where there is none.
  std::vector<std::int64_t> ints(std::string_view name) const;
  std::vector<float> floats(std::string_view name) const;
  std::vector<std::string> strings(std::string_view name) const;

 private:
  const OperatorDef& def_;
  const c10::Device device_;
};

}  // namespace caffe2rt
