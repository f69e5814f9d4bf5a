// Tuning: which way to compute each convolution of a net was measured to be the fastest, and the file that
// keeps it for the next start. Without one a cost model chooses.
#pragma once

#include <map>
#include <string>

#include "graph/precision.h"

namespace caffe2rt {

// Ways to compute a convolution: a pass each.
enum class ConvWay {
  kWinograd6,  // use_winograd with tiles of 6x6 pixels, where it can
  kWinograd,   // use_winograd with tiles of 4x4, where it can
  kMatMul,     // use_matmul, where it can
  kPacked,     // pack_weights: oneDNN, in float32
};

struct Tuning {
  std::map<std::string, ConvWay> ways;  // by output blob

  // Whether a convolution that writes this blob may go this way: the one that is noted, or a later one where
  // that cannot be gone; any where none is noted.
  bool allows(const std::string& blob, ConvWay way) const;
  // Whether this way is the one noted.
  bool prefers(const std::string& blob, ConvWay way) const;
};

// What a measurement holds for: this processor, and the net, precision and number of threads.
struct TuningKey {
  std::string predict_net;  // file
  Precision precision = Precision::kFloat32;
  int threads = 1;

  // gst-caffe2/tuning/DIGITS.json in $XDG_CACHE_HOME, or in ~/.cache. Throws Error(kIo) where the net cannot
  // be read.
  std::string file() const;
};

// The file: {"version": 1, "ways": {"BLOB": "winograd6" | "winograd" | "matmul" | "packed", ...}}. Reading
// gives no ways where there is no file, and where it cannot be understood, with a warning. Writing throws
// Error(kIo).
Tuning read_tuning(const std::string& file);
void write_tuning(const Tuning& tuning, const std::string& file);

}  // namespace caffe2rt
