#include "runtime/cuda_operator.h"

#include <map>

namespace caffe2rt {
namespace {

std::map<std::string, Schema::Make>& registry() {
  static std::map<std::string, Schema::Make> makers;
  return makers;
}

}  // namespace

const Schema::Make* find_cuda_operator(const std::string& type) {
  const auto found = registry().find(type);
  return found == registry().end() ? nullptr : &found->second;
}

RegisteredOnCuda::RegisteredOnCuda(const std::string& type, Schema::Make make) {
  registry().insert_or_assign(type, std::move(make));
}

}  // namespace caffe2rt
