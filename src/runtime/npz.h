// Reads and writes numpy's .npz: a zip file of .npy arrays. Source of the format: numpy.lib.format, version 1
// and 2.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <map>
#include <string>

namespace caffe2rt {

using NamedTensors = std::map<std::string, at::Tensor>;

// All arrays by name. Little-endian bool, int8..64, uint8, float16..64 in C order. Throws Error: kNotFound,
// kIo, kFormat (names the array and what it holds).
NamedTensors read_npz(const std::filesystem::path& file);

// Writes a compressed .npz that numpy.load reads. Throws Error(kIo).
void write_npz(const std::filesystem::path& file, const NamedTensors& tensors);

}  // namespace caffe2rt
