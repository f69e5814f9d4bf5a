#include "decode/net_args.h"

#include "base/error.h"

namespace caffe2rt {
namespace {

[[noreturn]] void refuse(const char* name, const char* expected) {
  fail(ErrorCode::kArgument, "net argument '{}': expected {}", name, expected);
}

}  // namespace

float net_float(const NetDef& net, const char* name, float otherwise) {
  const Argument* arg = net.find(name);
  if (!arg) return otherwise;
  if (arg->f) return *arg->f;
  if (arg->i) return static_cast<float>(*arg->i);
  refuse(name, "a number");
}

std::int64_t net_int(const NetDef& net, const char* name, std::int64_t otherwise) {
  const Argument* arg = net.find(name);
  if (!arg) return otherwise;
  if (arg->i) return *arg->i;
  refuse(name, "an integer");
}

std::string net_string(const NetDef& net, const char* name, const std::string& otherwise) {
  const Argument* arg = net.find(name);
  if (!arg) return otherwise;
  if (arg->s) return *arg->s;
  refuse(name, "a string");
}

std::vector<float> net_floats(const NetDef& net, const char* name, const std::vector<float>& otherwise) {
  const Argument* arg = net.find(name);
  if (!arg) return otherwise;
  if (arg->floats.size() != otherwise.size())
    refuse(name, fmt::format("{} numbers", otherwise.size()).c_str());
  return arg->floats.values();
}

}  // namespace caffe2rt
