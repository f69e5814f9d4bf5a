#include "model/labels.h"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/error.h"

namespace caffe2rt {
namespace {

// GStreamer's structures and Pango take UTF-8 only.
bool is_text(const std::string& line) {
  if (line.find('\0') != std::string::npos) return false;
  try {
    nlohmann::json(line).dump();  // strict about UTF-8
    return true;
  } catch (const nlohmann::json::exception&) {
    return false;
  }
}

std::vector<std::string> read(const std::filesystem::path& path, std::optional<std::int64_t> classes) {
  constexpr std::uintmax_t kMaxBytes = 1 << 20;
  std::error_code error;
  require(std::filesystem::is_regular_file(path, error), ErrorCode::kNotFound, "expected a labels file");
  require(std::filesystem::file_size(path) <= kMaxBytes, ErrorCode::kLimit,
          "labels file: expected at most {} bytes, got {}", kMaxBytes, std::filesystem::file_size(path));
  std::ifstream file(path);
  std::vector<std::string> names;
  for (std::string line; std::getline(file, line);) {
    require(is_text(line), ErrorCode::kFormat,
            "labels file: expected UTF-8 text, one name a line; line {} is not", names.size() + 1);
    line.erase(line.find_last_not_of(" \t\r") + 1);
    names.push_back(line);
  }
  while (!names.empty() && names.back().empty()) names.pop_back();
  const auto count = static_cast<std::int64_t>(names.size());
  require(!classes || count >= *classes, ErrorCode::kArgument,
          "labels file: expected {} names, one for each class of the net, got {}", classes.value_or(0),
          count);
  return names;
}

}  // namespace

std::vector<std::string> read_labels(const std::filesystem::path& file, std::optional<std::int64_t> classes) {
  return at_place([&] { return file.string(); }, [&] { return read(file, classes); });
}

}  // namespace caffe2rt
