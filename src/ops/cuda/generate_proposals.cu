#include "geometry/suppress.h"
#include "ops/cuda/generate_proposals.h"

namespace caffe2rt::cuda {
namespace {

__device__ std::int64_t thread_index() {
  return static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
}

__global__ void key_kernel(ScoreKeys k) {
  const std::int64_t of_image = static_cast<std::int64_t>(k.anchors) * k.height * k.width;
  // Neighbouring threads read neighbouring channels, which is how convolutions write them.
  const std::int64_t i = thread_index();
  if (i >= of_image * k.images) return;
  const std::int64_t n = i / of_image;
  std::int64_t rest = i % of_image;
  const std::int64_t a = rest % k.anchors;
  rest /= k.anchors;
  const std::int64_t w = rest % k.width, h = rest / k.width;
  const float score = k.scores[n * k.strides.n + a * k.strides.c + h * k.strides.h + w * k.strides.w];
  const std::int64_t position = (a * k.height + h) * k.width + w;
  k.keys[n * of_image + position] = order_key(score, static_cast<std::uint32_t>(position));
}

template <class B>
__global__ void candidate_kernel(Candidates c) {
  const std::int64_t i = thread_index();
  if (i >= static_cast<std::int64_t>(c.images) * c.count) return;
  const std::int64_t n = i / c.count;
  const std::int64_t position = position_of(c.keys[i]);
  const std::int64_t w = position % c.width, h = position / c.width % c.height,
                     a = position / (static_cast<std::int64_t>(c.width) * c.height);
  const Strides& s = c.score_strides;
  const float score = c.scores[n * s.n + a * s.c + h * s.h + w * s.w];
  float d[B::kSize];
  for (int k = 0; k < B::kSize; k++) {
    const Strides& t = c.delta_strides;
    d[k] = c.deltas[n * t.n + (a * B::kSize + k) * t.c + h * t.h + w * t.w];
  }
  const float x = static_cast<float>(w) * c.stride_x, y = static_cast<float>(h) * c.stride_y;
  const B anchor = shifted(box_at<B>(c.anchors + a * B::kSize), x, y);
  const float* info = c.im_info + n * 3;
  const B box = c.coder.clip(c.coder.decode(anchor, d), info[1], info[0]);
  static_cast<B*>(c.boxes)[i] = box;
  c.box_scores[i] = score;
  c.valid[i] =
      !(score < c.score_threshold) && c.coder.is_proposal(box, info[1], info[0], c.min_size * info[2]);
}

template <class B>
__device__ void write_row(const Rows& r, std::int64_t row, float image, const B& box, float score) {
  float* roi = r.rois + row * (1 + B::kSize);
  roi[0] = image;
  put_box(box, roi + 1);
  r.scores[row] = score;
}

template <class B>
__global__ void row_kernel(Rows r, bool slots) {
  const std::int64_t i = thread_index();
  if (i >= static_cast<std::int64_t>(r.images) * r.limit) return;
  const int n = static_cast<int>(i / r.limit), rank = static_cast<int>(i % r.limit);
  if (rank >= r.kept_sizes[n]) {
    if (slots) write_row(r, i, -1, B{}, 0);
    return;
  }
  std::int64_t row = i;
  if (!slots) {
    row = rank;
    for (int before = 0; before < n; before++) row += r.kept_sizes[before];
  }
  const std::int64_t from = static_cast<std::int64_t>(n) * r.count + r.kept[i];
  write_row(r, row, static_cast<float>(n), static_cast<const B*>(r.boxes)[from], r.box_scores[from]);
}

}  // namespace

void make_keys(const ScoreKeys& k, cudaStream_t stream) {
  const std::int64_t count = static_cast<std::int64_t>(k.images) * k.anchors * k.height * k.width;
  launch_for(count, key_kernel, stream, k);
}

void make_candidates(const Candidates& c, cudaStream_t stream) {
  const std::int64_t count = static_cast<std::int64_t>(c.images) * c.count;
  with_box(c.rotated, [&](auto box) { launch_for(count, candidate_kernel<decltype(box)>, stream, c); });
}

static void write(const Rows& r, bool slots, cudaStream_t stream) {
  const std::int64_t count = static_cast<std::int64_t>(r.images) * r.limit;
  with_box(r.rotated, [&](auto box) { launch_for(count, row_kernel<decltype(box)>, stream, r, slots); });
}

void write_rows(const Rows& r, cudaStream_t stream) { write(r, false, stream); }
void write_slots(const Rows& r, cudaStream_t stream) { write(r, true, stream); }

}  // namespace caffe2rt::cuda
