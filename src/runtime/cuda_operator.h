// CUDA operators: what computes an operator type on a GPU in place of what its schema makes. The CUDA module
// registers them when it is loaded, under the type's own name; schema, checks and shapes stay the schema's.
#pragma once

#include <string>

#include "runtime/operator.h"

namespace caffe2rt {

// Makes one; null where it leaves these arguments to the CPU's operator.
const Schema::Make* find_cuda_operator(const std::string& type);

struct RegisteredOnCuda {
  RegisteredOnCuda(const std::string& type, Schema::Make make);
};

// REGISTER_CUDA_OPERATOR("Relu", Relu);
#define REGISTER_CUDA_OPERATOR(type, Class)                                                     \
  static const ::caffe2rt::RegisteredOnCuda CAFFE2RT_UNIQUE(registered_on_cuda_, __COUNTER__)(  \
      type, [](const ::caffe2rt::OperatorArgs& args) -> std::unique_ptr<::caffe2rt::Operator> { \
        return std::make_unique<Class>(args);                                                   \
      })

}  // namespace caffe2rt
