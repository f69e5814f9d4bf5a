// Class names, and thresholds of single classes, from a text file, one a line.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace caffe2rt {

struct Labels {
  std::vector<std::string> names;  // by class id
  std::vector<float> thresholds;   // by class id, 0..1; negative where the file says none
};

// Line i is the name of class i; behind a tab the class's threshold may follow. Throws Error, each naming the
// file: kNotFound, kLimit past 1 MiB, kFormat for bytes that are no UTF-8 text and for thresholds that are no
// numbers of 0..1, kArgument for fewer names than `classes`.
Labels read_labels(const std::filesystem::path& file, std::optional<std::int64_t> classes);

}  // namespace caffe2rt
