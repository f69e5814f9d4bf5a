#include "ops/cuda/panoptic_map.h"

namespace caffe2rt::cuda {
namespace {

// Rows of an image's detections: [begin, end).
struct Rows {
  std::int64_t begin = 0, end = 0;
};

__device__ Rows rows_of_image(const MergedFrame& f) {
  if (!f.splits) return {0, f.rows};
  Rows rows;
  if (f.slots)
    rows.begin = f.rows / f.images * f.image;
  else
    for (int n = 0; n < f.image; n++) rows.begin += static_cast<std::int64_t>(f.splits[n]);
  rows.end = rows.begin + static_cast<std::int64_t>(f.splits[f.image]);
  if (rows.end > f.rows) rows.end = f.rows;
  return rows;
}

__device__ Box box_of(const MergedFrame& f, std::int64_t row) {
  const float* b = f.boxes + row * Box::kSize;
  return scaled_to_frame({b[0], b[1], b[2], b[3]}, f.scale);
}

// Whether a detection is among those that are asked for, but for how many these are.
__device__ bool is_asked_for(const MergedFrame& f, std::int64_t row) {
  const int class_id = static_cast<int>(f.class_ids[row]) - f.background;
  if (!(f.scores[row] >= f.limits.threshold_of(class_id))) return false;
  const Box box = box_of(f, row);
  return box.width() > 0 && box.height() > 0;
}

// One block: a thread a detection counts those that are better, of equal ones those before it.
__global__ void pick_kernel(MergedFrame f) {
  const Rows rows = rows_of_image(f);
  if (threadIdx.x == 0) *f.count = 0;
  __syncthreads();
  for (std::int64_t row = rows.begin + threadIdx.x; row < rows.end; row += blockDim.x) {
    const float score = f.scores[row];
    if (!(score >= f.rules.object_threshold) || !is_asked_for(f, row)) continue;
    std::int64_t better = 0;
    for (std::int64_t other = rows.begin; other < rows.end; other++)
      if ((f.scores[other] > score || (f.scores[other] == score && other < row)) && is_asked_for(f, other))
        better++;
    if (!f.limits.allow_more(better)) continue;
    const int class_in_file = static_cast<int>(f.class_ids[row]);
    const int channel = f.mask_channels == 1 || class_in_file < 0 || class_in_file >= f.mask_channels
                            ? 0
                            : class_in_file;  // others fail when the host reads them
    const Box box = box_of(f, row);
    PickedThing& thing = f.picked[better];
    thing.columns = MaskAxis(f.pasting, box.x1, box.x2, f.mask_size, f.scale.frame.width);
    thing.rows = MaskAxis(f.pasting, box.y1, box.y2, f.mask_size, f.scale.frame.height);
    thing.mask = f.masks + (row * f.mask_channels + channel) * f.mask_size * f.mask_size;
    thing.row = row;
    thing.segment = 0;
    atomicAdd(f.count, 1);
  }
}

// The words of a row that a mask may have bits in, and those of all its rows.
struct Words {
  int first, a_row;
  std::int64_t count;

  __device__ explicit Words(const PickedThing& t)
      : first(t.columns.first / kWordPixels),
        a_row(t.columns.count > 0 ? (t.columns.first + t.columns.count - 1) / kWordPixels - first + 1 : 0),
        count(static_cast<std::int64_t>(a_row) * t.rows.count) {}
};

// Where word i of a mask lies in (height,words()).
__device__ std::int64_t place_of(const MergedFrame& f, const PickedThing& t, const Words& words,
                                 std::int64_t i) {
  const std::int64_t row = i / words.a_row;
  return (t.rows.first + row) * f.words() + words.first + (i - row * words.a_row);
}

// Cells of a mask with nothing around it.
__device__ float cell(const PickedThing& t, int y, int x) {
  const int size = t.columns.size;
  return y < 0 || y >= size || x < 0 || x >= size ? 0 : t.mask[y * size + x];
}

// As detectron2: products and sums in the order of grid_sample's.
__device__ bool covers(const PickedThing& t, const MaskPlace& y, int pixel) {
  const MaskPlace x = t.columns.place(pixel);
  float sum = cell(t, y.low, x.low) * (x.low_weight * y.low_weight) +
              cell(t, y.low, x.low + 1) * (x.high_weight * y.low_weight);
  sum = sum + cell(t, y.low + 1, x.low) * (x.low_weight * y.high_weight);
  sum = sum + cell(t, y.low + 1, x.low + 1) * (x.high_weight * y.high_weight);
  return sum >= 0.5F;
}

// Rows of blocks a thing; a thread a word.
__global__ void paste_kernel(MergedFrame f) {
  const int k = static_cast<int>(blockIdx.y);
  if (k >= *f.count) return;
  const PickedThing& t = f.picked[k];
  const Words words(t);
  unsigned* bits = f.bits + static_cast<std::int64_t>(k) * f.scale.frame.height * f.words();
  const std::int64_t threads = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
  for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < words.count;
       i += threads) {
    const MaskPlace y = t.rows.place(t.rows.first + static_cast<int>(i / words.a_row));
    const int first = (words.first + static_cast<int>(i % words.a_row)) * kWordPixels;
    unsigned word = 0;
    for (int b = 0; b < kWordPixels; b++) {
      const int x = first + b - t.columns.first;
      if (x >= 0 && x < t.columns.count && covers(t, y, first + b)) word |= 1U << b;
    }
    bits[place_of(f, t, words, i)] = word;
  }
}

// The sum of all threads of a block, which each thread is given.
__device__ std::int64_t sum_of_block(std::int64_t own) {
  __shared__ std::int64_t sums[kThreads];
  const int thread = static_cast<int>(threadIdx.x);
  sums[thread] = own;
  __syncthreads();
  for (int half = kThreads / 2; half > 0; half /= 2) {
    if (thread < half) sums[thread] += sums[thread + half];
    __syncthreads();
  }
  const std::int64_t sum = sums[0];
  __syncthreads();
  return sum;
}

// One block of kThreads: things one after the other, the best first.
__global__ void merge_kernel(MergedFrame f) {
  int segments = 0;
  for (int k = 0; k < *f.count; k++) {
    PickedThing& t = f.picked[k];
    const Words words(t);
    const unsigned* bits = f.bits + static_cast<std::int64_t>(k) * f.scale.frame.height * f.words();
    std::int64_t own_area = 0, own_taken = 0;
    for (std::int64_t i = threadIdx.x; i < words.count; i += kThreads) {
      const std::int64_t at = place_of(f, t, words, i);
      own_area += __popc(bits[at]);
      own_taken += __popc(bits[at] & f.taken[at]);
    }
    const std::int64_t area = sum_of_block(own_area), taken = sum_of_block(own_taken);
    if (area == 0 || static_cast<double>(taken) / static_cast<double>(area) >
                         static_cast<double>(f.rules.overlap_threshold))
      continue;
    segments++;
    for (std::int64_t i = threadIdx.x; i < words.count; i += kThreads) {
      const std::int64_t at = place_of(f, t, words, i);
      f.taken[at] |= bits[at];
    }
    if (threadIdx.x == 0) {
      t.segment = segments;
      f.things[t.row] = segments;
    }
    __syncthreads();
  }
  if (threadIdx.x == 0) *f.segments = segments;
}

// The best thing at a pixel; 0 where there is none.
__device__ int thing_at(const MergedFrame& f, int y, int x) {
  const std::int64_t at = static_cast<std::int64_t>(y) * f.words() + x / kWordPixels;
  const unsigned bit = 1U << (x % kWordPixels);
  if ((f.taken[at] & bit) == 0) return 0;
  const std::int64_t plane = static_cast<std::int64_t>(f.scale.frame.height) * f.words();
  for (int k = 0; k < *f.count; k++) {
    const PickedThing& t = f.picked[k];
    const bool near = t.segment > 0 && x >= t.columns.first && x < t.columns.first + t.columns.count &&
                      y >= t.rows.first && y < t.rows.first + t.rows.count;
    if (near && (f.bits[k * plane + at] & bit) != 0) return t.segment;
  }
  return 0;
}

// Threads take pixels in turn; a block counts its stuff before it adds it to that of others.
__global__ void thing_kernel(MergedFrame f) {
  CAFFE2RT_SHARED_MEMORY(shared);
  int* areas = reinterpret_cast<int*>(shared);
  for (int c = static_cast<int>(threadIdx.x); c < f.classes; c += kThreads) areas[c] = 0;
  __syncthreads();
  const std::int64_t threads = static_cast<std::int64_t>(gridDim.x) * kThreads;
  for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x; i < f.pixels();
       i += threads) {
    const int y = static_cast<int>(i / f.scale.frame.width), x = static_cast<int>(i % f.scale.frame.width);
    const int segment = thing_at(f, y, x);
    f.map[i] = segment;
    if (segment == 0) atomicAdd(areas + f.labels[i], 1);
  }
  __syncthreads();
  for (int c = static_cast<int>(threadIdx.x); c < f.classes; c += kThreads)
    if (areas[c] > 0) atomicAdd(f.stuff_areas + c, areas[c]);
}

// Threads take pixels in turn, after each block has numbered the stuff.
__global__ void stuff_kernel(MergedFrame f) {
  CAFFE2RT_SHARED_MEMORY(shared);
  int* segments = reinterpret_cast<int*>(shared);
  const auto stays = [&](int c) {
    return c > 0 && f.stuff_areas[c] > 0 && f.stuff_areas[c] >= f.rules.stuff_area;
  };
  for (int c = static_cast<int>(threadIdx.x); c < f.classes; c += kThreads) {
    int segment = 0;
    if (stays(c)) {
      segment = *f.segments + 1;
      for (int before = 1; before < c; before++)
        if (stays(before)) segment++;
    }
    segments[c] = segment;
  }
  __syncthreads();
  const std::int64_t threads = static_cast<std::int64_t>(gridDim.x) * kThreads;
  for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x; i < f.pixels();
       i += threads)
    if (f.map[i] == 0) f.map[i] = segments[f.labels[i]];
}

}  // namespace

void merge_frame(const MergedFrame& f, cudaStream_t stream) {
  constexpr unsigned kBlocksOfThing = 32, kPixelsOfThread = 8;
  if (const auto things = static_cast<unsigned>(f.most_things()); things > 0) {
    launch(pick_kernel, 1, kThreads, 0, stream, f);
    launch(paste_kernel, dim3(kBlocksOfThing, things), kThreads, 0, stream, f);
    launch(merge_kernel, 1, kThreads, 0, stream, f);
  }
  const unsigned blocks = (blocks_for(f.pixels()) + kPixelsOfThread - 1) / kPixelsOfThread;
  const std::size_t shared = sizeof(int) * static_cast<std::size_t>(f.classes);
  if (blocks == 0) return;
  launch(thing_kernel, blocks, kThreads, shared, stream, f);
  launch(stuff_kernel, blocks, kThreads, shared, stream, f);
}

}  // namespace caffe2rt::cuda
