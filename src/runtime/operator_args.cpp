#include "runtime/operator_args.h"

#include <climits>
#include <cmath>

namespace caffe2rt {
namespace {

[[noreturn]] void wrong_type(const Argument& arg, const char* expected) {
  fail(ErrorCode::kArgument, "argument '{}': expected {}", arg.name, expected);
}

}  // namespace

// Exporters write a number as float or integer by its looks: either is taken where the value is the same.
std::int64_t OperatorArgs::get(std::string_view name, std::int64_t otherwise) const {
  const Argument* arg = def_.find(name);
  if (!arg) return otherwise;
  if (arg->i) return *arg->i;
  if (arg->f && std::trunc(*arg->f) == *arg->f && std::abs(*arg->f) < 1e15F)
    return static_cast<std::int64_t>(*arg->f);
  wrong_type(*arg, "an integer");
}

int OperatorArgs::get(std::string_view name, int otherwise) const {
  const std::int64_t value = get(name, static_cast<std::int64_t>(otherwise));
  require(value >= INT_MIN && value <= INT_MAX, ErrorCode::kArgument,
          "argument '{}': expected an int, got {}", name, value);
  return static_cast<int>(value);
}

float OperatorArgs::get(std::string_view name, float otherwise) const {
  const Argument* arg = def_.find(name);
  if (!arg) return otherwise;
  if (arg->f) return *arg->f;
  if (arg->i) return static_cast<float>(*arg->i);
  wrong_type(*arg, "a number");
}

bool OperatorArgs::get(std::string_view name, bool otherwise) const {
  return get(name, static_cast<std::int64_t>(otherwise)) != 0;
}

std::string OperatorArgs::get(std::string_view name, const char* otherwise) const {
  const Argument* arg = def_.find(name);
  if (!arg) return otherwise;
  if (arg->s) return *arg->s;
  wrong_type(*arg, "a string");
}

StorageOrder OperatorArgs::get(std::string_view name, StorageOrder otherwise) const {
  const std::string order = get(name, otherwise == StorageOrder::kNchw ? "NCHW" : "NHWC");
  require(order == "NCHW" || order == "NHWC", ErrorCode::kArgument,
          "argument '{}': expected NCHW or NHWC, got '{}'", name, order);
  return order == "NCHW" ? StorageOrder::kNchw : StorageOrder::kNhwc;
}

std::vector<std::int64_t> OperatorArgs::ints(std::string_view name) const {
  const Argument* arg = def_.find(name);
  if (!arg) return {};
  if (!arg->floats.empty() || arg->s || arg->f) wrong_type(*arg, "integers");
  if (arg->ints.empty() && arg->i) return {*arg->i};
  return arg->ints;
}

std::vector<float> OperatorArgs::floats(std::string_view name) const {
  const Argument* arg = def_.find(name);
  if (!arg) return {};
  if (arg->s) wrong_type(*arg, "numbers");
  if (!arg->floats.empty()) return arg->floats.values();
  if (arg->f) return {*arg->f};
  return {arg->ints.begin(), arg->ints.end()};
}

std::vector<std::string> OperatorArgs::strings(std::string_view name) const {
  const Argument* arg = def_.find(name);
  if (!arg) return {};
  if (!arg->ints.empty() || !arg->floats.empty()) wrong_type(*arg, "strings");
  if (arg->strings.empty() && arg->s) return {*arg->s};
  return arg->strings;
}

}  // namespace caffe2rt
