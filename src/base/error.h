// The one error type of the library: a code to branch on, a message that says what was expected and what
// came, and the places it passed through (operator, blob, file), outermost first.
#pragma once

#include <fmt/format.h>

#include <exception>
#include <string>
#include <utility>
#include <vector>

namespace caffe2rt {

enum class ErrorCode {
  kNotFound,     // a file, blob or device that is not there
  kIo,           // a file that cannot be read or written
  kFormat,       // bytes that are not what they claim to be
  kUnsupported,  // well-formed, but nothing here can do it: an unknown operator, an unknown model
  kArgument,     // an operator argument or an option outside its range
  kShape,        // a tensor of the wrong rank or size
  kType,         // a tensor of the wrong element type
  kGraph,        // operators and blobs that do not fit together
  kLimit,        // a size past the limits set against hostile files
  kMemory,       // memory that does not suffice
  kDevice,       // a device that failed
  kInternal,     // what only a bug can cause
};

// The code's name in words, as messages and tools print it.
const char* to_string(ErrorCode code);

// Thrown by everything in src/. Copyable; what() is "place: place: message".
class Error : public std::exception {
 public:
  Error(ErrorCode code, std::string message);

  ErrorCode code() const { return code_; }
  const std::string& message() const { return message_; }  // without the places

  // Notes the place that the error passes through on its way out, and returns the error itself.
  Error& passing(std::string place);

  const char* what() const noexcept override { return text_.c_str(); }

 private:
  ErrorCode code_;
  std::string message_;
  std::string text_;
};

template <class... Args>
[[noreturn]] void fail(ErrorCode code, fmt::format_string<Args...> format, Args&&... args) {
  throw Error(code, fmt::format(format, std::forward<Args>(args)...));
}

// A check on data, kept in every build.
template <class... Args>
void require(bool holds, ErrorCode code, fmt::format_string<Args...> format, Args&&... args) {
  if (!holds) [[unlikely]]
    fail(code, format, std::forward<Args>(args)...);
}
#ifdef __clang_analyzer__
// Paths through templates are not followed there (.clang-tidy): what a check rules out is said without one.
#define require(holds, ...) ((holds) ? void() : caffe2rt::fail(__VA_ARGS__))
#endif

// Runs f; an Error on its way out of it gets place() as one more place.
template <class Place, class F>
decltype(auto) at_place(Place&& place, F&& f) {
  try {
    return std::forward<F>(f)();
  } catch (Error& e) {
    e.passing(place());
    throw;
  }
}

}  // namespace caffe2rt
