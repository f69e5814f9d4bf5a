#include "graph/precision.h"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/error.h"

namespace caffe2rt {

Precision parse_precision(const std::string& name) {
  if (name == "auto" || name == "fp32" || name == "float32") return Precision::kFloat32;
  if (name == "bf16" || name == "bfloat16") return Precision::kBfloat16;
  if (name == "fp16" || name == "float16") return Precision::kFloat16;
  if (name == "int8") return Precision::kInt8;
  fail(ErrorCode::kArgument, "precision: expected auto, fp32, fp16, bf16 or int8, got '{}'", name);
}

Calibration read_calibration(const std::string& file) {
  std::ifstream in(file);
  require(in.good(), ErrorCode::kIo, "{}: cannot be read", file);
  const auto json = nlohmann::json::parse(in, nullptr, /*allow_exceptions=*/false);
  require(json.is_object() && json.value("version", nlohmann::json()) == 1 && json.contains("ranges") &&
              json["ranges"].is_object(),
          ErrorCode::kFormat, "{}: expected a calibration of version 1, as caffe2_calibrate writes it", file);
  Calibration calibration;
  for (const auto& [blob, range] : json["ranges"].items()) {
    require(range.is_array() && range.size() == 2 && range[0].is_number() && range[1].is_number(),
            ErrorCode::kFormat, "{}: blob '{}': expected two numbers", file, blob);
    const Calibration::Range read{range[0].get<float>(), range[1].get<float>()};
    require(std::isfinite(read.low) && std::isfinite(read.high) && read.low <= read.high, ErrorCode::kFormat,
            "{}: blob '{}': expected a range, got {} to {}", file, blob, read.low, read.high);
    calibration.ranges[blob] = read;
  }
  return calibration;
}

void write_calibration(const Calibration& calibration, const std::string& file) {
  auto ranges = nlohmann::json::object();
  for (const auto& [blob, range] : calibration.ranges) ranges[blob] = {range.low, range.high};
  std::ofstream out(file);
  out << nlohmann::json{{"version", 1}, {"ranges", std::move(ranges)}}.dump(1) << "\n";
  out.close();
  require(!out.fail(), ErrorCode::kIo, "{}: cannot be written", file);
}

std::string calibration_file_of(const std::string& predict_net) {
  return (std::filesystem::path(predict_net).parent_path() / "calibration.json").string();
}

std::optional<Calibration> calibration_for(Precision precision, const std::string& predict_net) {
  if (precision != Precision::kInt8) return std::nullopt;
  const std::string file = calibration_file_of(predict_net);
  std::error_code error;
  require(std::filesystem::exists(file, error), ErrorCode::kNotFound,
          "precision int8: expected '{}', which caffe2_calibrate writes", file);
  return read_calibration(file);
}

}  // namespace caffe2rt
