// How much kernels take at once: what is more is left to the host.
#pragma once

namespace caffe2rt::cuda {

constexpr int kMostBoxes = 12288;  // in a list to suppress in: the walk keeps a bit for each in shared memory
constexpr int kMostLevels = 8;     // of a pyramid to pool from
constexpr int kMostPooled = 64;    // bins in a row

}  // namespace caffe2rt::cuda
