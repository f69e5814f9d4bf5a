// Detections as bytes, for other processes of the same version of this library, and back.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "decode/detections.h"

namespace caffe2rt {

// CBOR (RFC 8949): a map of the fields of Detections by their names; runs of numbers are byte strings, little
// endian.
std::vector<std::uint8_t> encode(const Detections& detections);

// Throws Error(kFormat) for bytes that are none of encode()'s, or that contradict themselves: maps that are
// not of the frame's size, masks that are not of the objects' number, objects of regions that are not there.
Detections decode_bytes(std::span<const std::uint8_t> bytes);

}  // namespace caffe2rt
