// Precision: the numbers that a net's convolutions and fully connected layers multiply. What comes in and out
// of them, and all else, is float32; but on a GPU in low precision what comes out of them is rounded too.
#pragma once

#include <map>
#include <optional>
#include <string>

namespace caffe2rt {

enum class Precision {
  kFloat32,
  kBfloat16,  // products of numbers rounded to 8 bits of mantissa, sums in float32
  kInt8,      // products of 8 bit integers where a calibration says in which range a blob lies
  kFloat16,   // products of numbers rounded to 11 bits of mantissa; on a GPU alone
};

// "fp32" or "float32", "bf16" or "bfloat16", "fp16" or "float16", "int8"; "auto" is float32, whose results
// are the original's. Throws Error(kArgument) that lists the names.
Precision parse_precision(const std::string& name);

// In which range the blobs of a net lie, as seen on frames.
struct Calibration {
  struct Range {
    float low = 0, high = 0;
  };
  std::map<std::string, Range> ranges;  // by blob
};

// The file: {"version": 1, "ranges": {"BLOB": [low, high], ...}}. Both throw Error(kIo), reading kFormat too.
Calibration read_calibration(const std::string& file);
void write_calibration(const Calibration& calibration, const std::string& file);

// `calibration.json` beside a predict net: its name.
std::string calibration_file_of(const std::string& predict_net);

// What a net in this precision needs: for kInt8 that file, read. Throws Error(kNotFound) where there is none.
std::optional<Calibration> calibration_for(Precision precision, const std::string& predict_net);

}  // namespace caffe2rt
