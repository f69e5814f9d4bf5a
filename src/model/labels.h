// Class names from a text file, one a line.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace caffe2rt {

// Line i is the name of class i. Throws Error, each naming the file: kNotFound, kLimit past 1 MiB, kFormat
// for bytes that are no UTF-8 text, kArgument for fewer names than `classes`.
std::vector<std::string> read_labels(const std::filesystem::path& file, std::optional<std::int64_t> classes);

}  // namespace caffe2rt
