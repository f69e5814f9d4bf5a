#include "base/error.h"

namespace caffe2rt {

const char* to_string(ErrorCode code) {
  switch (code) {
    case ErrorCode::kNotFound:
      return "not found";
    case ErrorCode::kIo:
      return "input/output";
    case ErrorCode::kFormat:
      return "format";
    case ErrorCode::kUnsupported:
      return "unsupported";
    case ErrorCode::kArgument:
      return "argument";
    case ErrorCode::kShape:
      return "shape";
    case ErrorCode::kType:
      return "type";
    case ErrorCode::kGraph:
      return "graph";
    case ErrorCode::kLimit:
      return "limit";
    case ErrorCode::kMemory:
      return "memory";
    case ErrorCode::kDevice:
      return "device";
    case ErrorCode::kInternal:
      return "internal";
  }
  return "unknown";
}

Error::Error(ErrorCode code, std::string message)
    : code_(code), message_(std::move(message)), text_(message_) {}

Error& Error::passing(std::string place) {
  if (!place.empty()) text_ = std::move(place) + ": " + text_;
  return *this;
}

}  // namespace caffe2rt
