#include "ops/cuda/highest.cuh"
#include "ops/cuda/nms.h"

namespace caffe2rt::cuda {
namespace {

__device__ int size_of(const BoxLists& b, int list) {
  return b.sizes ? (b.sizes[list] < b.most ? b.sizes[list] : b.most) : b.most;
}

// A block compares 64 boxes (its threads) with 64 others, which become one word a thread.
template <class B>
__global__ void compare_kernel(BoxLists b, int words) {
  const int list = static_cast<int>(blockIdx.z), from = static_cast<int>(blockIdx.y) * kWordBits,
            with = static_cast<int>(blockIdx.x) * kWordBits, thread = static_cast<int>(threadIdx.x);
  const int size = size_of(b, list);
  // Boxes only suppress those after them, and the walk reads no other word.
  if (with < from || from >= size || with >= size) return;
  __shared__ float others[kWordBits * B::kSize];
  const B* boxes = static_cast<const B*>(b.boxes) + static_cast<std::int64_t>(list) * b.most;
  if (with + thread < size) put_box(boxes[with + thread], others + thread * B::kSize);
  __syncthreads();
  const int i = from + thread;
  if (i >= size) return;
  const B box = boxes[i];
  std::uint64_t word = 0;
  for (int k = 0; k < kWordBits && with + k < size; k++)
    if (with + k > i && suppresses(box, box_at<B>(others + k * B::kSize), b.threshold, b.one))
      word |= std::uint64_t{1} << k;
  b.mask[(static_cast<std::int64_t>(list) * b.most + i) * words + blockIdx.x] = word;
}

// A block walks through a list, 64 boxes at a time: which of them stay follows from their own words alone;
// then all threads note what those that stay suppress among the boxes after.
__global__ void walk_kernel(BoxLists b, int words) {
  constexpr int kAtOnce = 8;  // loads that wait for nothing but memory
  __shared__ std::uint64_t removed[kMostBoxes / kWordBits];
  __shared__ std::uint64_t own[kWordBits];
  __shared__ std::uint64_t staying;
  const int list = static_cast<int>(blockIdx.x), thread = static_cast<int>(threadIdx.x);
  const int size = size_of(b, list), used = (size + kWordBits - 1) / kWordBits;
  const std::uint64_t* mask = b.mask + static_cast<std::int64_t>(list) * b.most * words;
  const std::uint8_t* valid = b.valid ? b.valid + static_cast<std::int64_t>(list) * b.most : nullptr;
  int* kept = b.kept + static_cast<std::int64_t>(list) * b.limit;

  for (int w = thread; w < used; w += blockDim.x) {
    std::uint64_t word = 0;
    for (int k = 0; k < kWordBits; k++) {
      const int i = w * kWordBits + k;
      if (i >= size || (valid && !valid[i])) word |= std::uint64_t{1} << k;
    }
    removed[w] = word;
  }
  __syncthreads();

  int count = 0;
  for (int w = 0; w < used && count < b.limit; w++) {
    if (thread < kWordBits) {
      const int i = w * kWordBits + thread;
      own[thread] = i < size ? mask[static_cast<std::int64_t>(i) * words + w] : 0;
    }
    __syncthreads();
    if (thread == 0) {
      std::uint64_t left = ~removed[w], stay = 0;
      for (int room = b.limit - count; left != 0 && room > 0; room--) {
        const int k = __ffsll(static_cast<long long>(left)) - 1;
        const std::uint64_t own_bit = std::uint64_t{1} << k;
        stay |= own_bit;
        left &= ~(own_bit | own[k]);
      }
      staying = stay;
    }
    __syncthreads();
    const std::uint64_t stay = staying;
    if (thread < kWordBits && (stay >> thread & 1) != 0)
      kept[count + __popcll(stay & ((std::uint64_t{1} << thread) - 1))] = w * kWordBits + thread;
    count += __popcll(stay);
    for (int later = w + 1 + thread; later < used; later += blockDim.x) {
      const std::uint64_t* column = mask + static_cast<std::int64_t>(w) * kWordBits * words + later;
      std::uint64_t word = removed[later];
      for (int k = 0; k < kWordBits; k += kAtOnce) {
        if ((stay >> k & ((std::uint64_t{1} << kAtOnce) - 1)) == 0) continue;
        std::uint64_t rows[kAtOnce];
#pragma unroll
        for (int i = 0; i < kAtOnce; i++)
          rows[i] = (stay >> (k + i) & 1) != 0 ? column[static_cast<std::int64_t>(k + i) * words] : 0;
#pragma unroll
        for (int i = 0; i < kAtOnce; i++) word |= rows[i];
      }
      removed[later] = word;
    }
    __syncthreads();
  }
  if (thread == 0) b.kept_sizes[list] = count;
}

// A block a list: picks the best of what is left, and lowers the others' scores.
template <class B>
__global__ void soften_kernel(SoftBoxLists b) {
  const int list = static_cast<int>(blockIdx.x), thread = static_cast<int>(threadIdx.x);
  const int size = b.sizes[list] < b.most ? b.sizes[list] : b.most;
  const std::int64_t first = static_cast<std::int64_t>(list) * b.most,
                     to = static_cast<std::int64_t>(list) * b.limit;
  const B* boxes = static_cast<const B*>(b.boxes) + first;
  float* scores = b.scores + first;
  for (int i = thread; i < size; i += kThreads) scores[i] = score_of(b.keys[first + i]);
  int count = 0;
  for (; count < b.limit; count++) {
    Highest own{-INFINITY, INT64_MAX};
    for (int i = thread; i < size; i += kThreads)
      if (const Highest here{scores[i], i}; here.value > -INFINITY && is_before(here, own)) own = here;
    const Highest best = highest_of_block(own);
    if (best.position == INT64_MAX) break;
    const B picked = boxes[best.position];
    for (int i = thread; i < size; i += kThreads) {
      if (scores[i] == -INFINITY) continue;
      scores[i] *= b.how.factor(overlap(picked, boxes[i], b.one));
      if (i == best.position || !(scores[i] >= b.how.min_score)) scores[i] = -INFINITY;
    }
    if (thread != 0) continue;
    b.kept[to + count] = static_cast<int>(best.position);
    b.lowered[to + count] = best.value;
  }
  if (thread == 0) b.kept_sizes[list] = count;
}

}  // namespace

void soften_boxes(const SoftBoxLists& b, cudaStream_t stream) {
  if (b.lists == 0) return;
  with_box(b.rotated, [&](auto box) {
    launch(soften_kernel<decltype(box)>, static_cast<unsigned>(b.lists), kThreads, 0, stream, b);
  });
}

void suppress_boxes(const BoxLists& b, cudaStream_t stream) {
  if (b.lists == 0) return;
  const int words = words_for(b.most);
  if (words > 0) {
    const auto across = static_cast<unsigned>(words);
    const dim3 grid(across, across, static_cast<unsigned>(b.lists));
    with_box(b.rotated,
             [&](auto box) { launch(compare_kernel<decltype(box)>, grid, kWordBits, 0, stream, b, words); });
  }
  launch(walk_kernel, static_cast<unsigned>(b.lists), kThreads, 0, stream, b, words);
}

}  // namespace caffe2rt::cuda
