#include "model/labels.h"

#include <algorithm>
#include <charconv>
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

// Takes the threshold off the line.
float split_threshold(std::string& line, size_t number) {
  const size_t tab = line.find('\t');
  if (tab == std::string::npos) return -1;
  const std::string text = line.substr(tab + 1);
  float threshold = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), threshold);
  require(error == std::errc() && end == text.data() + text.size() && threshold >= 0 && threshold <= 1,
          ErrorCode::kFormat,
          "labels file: expected a threshold of 0 to 1 behind the tab in line {}, got '{}'", number, text);
  line.erase(line.find_last_not_of(" \t", tab) + 1);
  return threshold;
}

Labels read(const std::filesystem::path& path, std::optional<std::int64_t> classes) {
  constexpr std::uintmax_t kMaxBytes = 1 << 20;
  std::error_code error;
  require(std::filesystem::is_regular_file(path, error), ErrorCode::kNotFound, "expected a labels file");
  require(std::filesystem::file_size(path) <= kMaxBytes, ErrorCode::kLimit,
          "labels file: expected at most {} bytes, got {}", kMaxBytes, std::filesystem::file_size(path));
  std::ifstream file(path);
  Labels labels;
  auto& [names, thresholds] = labels;
  for (std::string line; std::getline(file, line);) {
    require(is_text(line), ErrorCode::kFormat,
            "labels file: expected UTF-8 text, one name a line; line {} is not", names.size() + 1);
    line.erase(line.find_last_not_of(" \t\r") + 1);
    thresholds.push_back(split_threshold(line, names.size() + 1));
    names.push_back(line);
  }
  while (!names.empty() && names.back().empty()) names.pop_back();
  thresholds.resize(names.size());
  const auto count = static_cast<std::int64_t>(names.size());
  require(!classes || count >= *classes, ErrorCode::kArgument,
          "labels file: expected {} names, one for each class of the net, got {}", classes.value_or(0),
          count);
  return labels;
}

}  // namespace

Labels read_labels(const std::filesystem::path& file, std::optional<std::int64_t> classes) {
  return at_place([&] { return file.string(); }, [&] { return read(file, classes); });
}

}  // namespace caffe2rt
