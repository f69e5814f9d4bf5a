#include "graph/tuning.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/fnv1a.h"
#include "base/logging.h"

namespace caffe2rt {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::pair<ConvWay, std::string_view>, 4> kNames = {{{ConvWay::kWinograd6, "winograd6"},
                                                                         {ConvWay::kWinograd, "winograd"},
                                                                         {ConvWay::kMatMul, "matmul"},
                                                                         {ConvWay::kPacked, "packed"}}};

std::string read_file(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(in), {}};
  require(!in.bad() && in.is_open(), ErrorCode::kIo, "{}: cannot be read", file);
  return bytes;
}

// What Linux says of the first processor, but for what changes from one moment or core to the next.
std::string processor() {
  std::ifstream in("/proc/cpuinfo");
  std::string all;
  for (std::string line; std::getline(in, line) && !line.empty();)
    for (const char* what :
         {"vendor_id", "cpu family", "model", "stepping", "cache size", "flags", "CPU", "Features"})
      if (line.starts_with(what)) {
        all += line + '\n';
        break;
      }
  return all;
}

fs::path cache_folder() {
  const char* const cache = std::getenv("XDG_CACHE_HOME");
  if (cache && *cache) return cache;
  const char* const home = std::getenv("HOME");
  return fs::path(home ? home : ".") / ".cache";
}

}  // namespace

bool Tuning::allows(const std::string& blob, ConvWay way) const {
  const auto noted = ways.find(blob);
  return noted == ways.end() || noted->second <= way;
}

bool Tuning::prefers(const std::string& blob, ConvWay way) const {
  const auto noted = ways.find(blob);
  return noted != ways.end() && noted->second == way;
}

std::string TuningKey::file() const {
  const std::string key = fmt::format("{}\n{}\n{}\n{}", processor(), static_cast<int>(precision), threads,
                                      read_file(predict_net));
  return (cache_folder() / "gst-caffe2" / "tuning" / fmt::format("{:016x}.json", fnv1a(key))).string();
}

Tuning read_tuning(const std::string& file) {
  std::ifstream in(file);
  if (!in.good()) return {};
  const auto json = nlohmann::json::parse(in, nullptr, /*allow_exceptions=*/false);
  Tuning tuning;
  bool understood = json.is_object() && json.value("version", nlohmann::json()) == 1 &&
                    json.contains("ways") && json["ways"].is_object();
  if (understood)
    for (const auto& [blob, noted] : json["ways"].items()) {
      const auto* known =
          std::ranges::find_if(kNames, [&way = noted](const auto& name) { return way == name.second; });
      understood = understood && known != kNames.end();
      if (understood) tuning.ways[blob] = known->first;
    }
  if (understood) return tuning;
  LOG(WARNING) << file << ": expected a tuning of version 1, as caffe2_bench --tune writes it; it is ignored";
  return {};
}

void write_tuning(const Tuning& tuning, const std::string& file) {
  auto ways = nlohmann::json::object();
  for (const auto& [blob, way] : tuning.ways)
    for (const auto& [known, name] : kNames)
      if (way == known) ways[blob] = name;
  std::error_code error;
  fs::create_directories(fs::path(file).parent_path(), error);
  // Whole or not at all: others may be reading it.
  const std::string unfinished = file + ".part";
  std::ofstream out(unfinished);
  out << nlohmann::json{{"version", 1}, {"ways", std::move(ways)}}.dump(1) << "\n";
  out.close();
  require(!out.fail(), ErrorCode::kIo, "{}: cannot be written", file);
  fs::rename(unfinished, file, error);
  require(!error, ErrorCode::kIo, "{}: cannot be written: {}", file, error.message());
}

}  // namespace caffe2rt
