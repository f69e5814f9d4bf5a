// The door between the tensor library's exceptions and ours.
#pragma once

#include <c10/util/Exception.h>

#include <new>
#include <string>
#include <utility>

#include "base/error.h"

namespace caffe2rt {

// Runs f and returns what it returns; what the tensor library throws becomes an Error.
template <class F>
decltype(auto) translating_exceptions(F&& f) {
  try {
    return std::forward<F>(f)();
  } catch (const Error&) {
    throw;
  } catch (const std::bad_alloc&) {
    fail(ErrorCode::kMemory, "out of memory");
  } catch (const c10::Error& e) {
    const std::string text = e.what_without_backtrace();
    const auto says = [&](const char* words) { return text.find(words) != std::string::npos; };
    const bool memory = says("allocate memory") || says("out of memory") || says("ALLOC_FAILED");
    const ErrorCode code = memory               ? ErrorCode::kMemory
                           : says("CUDA error") ? ErrorCode::kDevice
                                                : ErrorCode::kInternal;
    fail(code, "{}", text.substr(0, text.find('\n')));
  } catch (const std::exception& e) {
    fail(ErrorCode::kInternal, "{}", e.what());
  }
}

}  // namespace caffe2rt
