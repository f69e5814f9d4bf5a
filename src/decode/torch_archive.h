// Reads what torch.save wrote, without running any of it: the zip file of torch 1.6 and later, and the stream
// of pickles and raw storages that older ones wrote. Source of the layouts: torch/serialization.py.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "decode/pickle_reader.h"

namespace caffe2rt {

struct TorchArchive {
  Pickle pickle;                                // the saved object; its tensors name storages
  std::map<std::string, std::string> storages;  // raw little-endian numbers by key
};

// Throws Error: kFormat where the bytes are neither form, kLimit past 16 MiB.
TorchArchive read_torch_archive(std::string_view bytes);

// A tensor of an archive, in row-major order whatever its strides were.
struct SavedTensor {
  std::vector<std::int64_t> shape;
  std::vector<float> values;
};

// Reads the float32 or float64 tensor that a value of the archive's pickle stands for. Throws Error: kFormat
// where it is no tensor or reaches past its storage, kUnsupported for other element types, kLimit past a
// million elements.
SavedTensor read_tensor(const TorchArchive& archive, const PickleValue& value);

}  // namespace caffe2rt
