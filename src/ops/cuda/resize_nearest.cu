#include "ops/cuda/resize_nearest.h"

namespace caffe2rt::cuda {
namespace {

// Divides in float32, as the CPU does: see ops/resize_nearest.cpp.
__device__ std::int64_t source(int i, float scale, int size) {
  const auto at = static_cast<std::int64_t>(static_cast<float>(i) / scale);
  return at < size - 1 ? at : size - 1;
}

template <class Piece>
__global__ void resize_kernel(NearestPixels p, std::int64_t pieces) {
  const std::int64_t total = p.planes * p.to_height * p.to_width * pieces;
  const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
  for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < total;
       i += step) {
    const std::int64_t piece = i % pieces, cell = i / pieces;
    const int column = static_cast<int>(cell % p.to_width);
    const std::int64_t line = cell / p.to_width;
    const int row = static_cast<int>(line % p.to_height);
    const std::int64_t plane = line / p.to_height;
    const std::int64_t from = (plane * p.height + source(row, p.height_scale, p.height)) * p.width +
                              source(column, p.width_scale, p.width);
    static_cast<Piece*>(p.to)[i] = static_cast<const Piece*>(p.from)[from * pieces + piece];
  }
}

template <class Piece>
void resize(const NearestPixels& p, cudaStream_t stream) {
  const std::int64_t pieces = p.cell_bytes / static_cast<std::int64_t>(sizeof(Piece));
  const std::int64_t total = p.planes * p.to_height * p.to_width * pieces;
  if (total == 0) return;
  constexpr std::int64_t kMost = std::int64_t{1} << 31;
  launch(resize_kernel<Piece>, blocks_for(total < kMost ? total : kMost), kThreads, 0, stream, p, pieces);
}

}  // namespace

void resize_nearest(const NearestPixels& p, cudaStream_t stream) {
  const auto aligned = [&](std::uintptr_t bytes) {
    return (reinterpret_cast<std::uintptr_t>(p.from) | reinterpret_cast<std::uintptr_t>(p.to) |
            static_cast<std::uintptr_t>(p.cell_bytes)) %
               bytes ==
           0;
  };
  if (aligned(16))
    resize<uint4>(p, stream);
  else if (aligned(4))
    resize<std::uint32_t>(p, stream);
  else
    resize<std::uint16_t>(p, stream);
}

}  // namespace caffe2rt::cuda
