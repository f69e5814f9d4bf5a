// Numbers of an argument. Those of an init net are most of a model: copies share them.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <utility>
#include <vector>

namespace caffe2rt {

// Immutable. Thread-safe.
class SharedFloats {
 public:
  SharedFloats() = default;
  SharedFloats(std::vector<float> values)  // NOLINT(google-explicit-constructor): a vector is one
      : values_(std::make_shared<const std::vector<float>>(std::move(values))) {}
  SharedFloats(std::initializer_list<float> values) : SharedFloats(std::vector<float>(values)) {}

  const std::vector<float>& values() const {
    static const std::vector<float> kNone;
    return values_ ? *values_ : kNone;
  }
  bool empty() const { return values().empty(); }
  size_t size() const { return values().size(); }

  // Keeps the numbers alive; null where there are none.
  std::shared_ptr<const std::vector<float>> share() const { return values_; }

 private:
  std::shared_ptr<const std::vector<float>> values_;
};

}  // namespace caffe2rt
