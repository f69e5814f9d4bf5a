// Every hot part on its own, at the sizes that Mask R-CNN R50-FPN has at 800x1344, and a whole frame of the
// demonstration model; and what a GPU does in their place, where there is one.
//
//     build/release/bin/benchmarks [--benchmark_filter=REGEX] [--threads=N]
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <benchmark/benchmark.h>
#include <c10/core/DeviceGuard.h>
#include <c10/core/InferenceMode.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <cstring>
#include <string>

#include "decode/paste_masks.h"
#include "model/model.h"
#include "ops/semantic_labels.h"
#include "preprocess/preprocess.h"
#include "runtime/compiled_net.h"
#include "runtime/net_memory.h"
#include "runtime/place_operator.h"

namespace caffe2rt {
namespace {

// A net of one operator, compiled with `weights`, run on `feeds`.
class OneOperator {
 public:
  OneOperator(const std::string& text, const Blobs& weights, Blobs feeds, CompileOptions options = {})
      : net_(CompiledNet::compile(parse_net_text(text), weights, options)), feeds_(std::move(feeds)) {}

  void run(benchmark::State& state, double flop = 0) {
    const c10::InferenceMode no_gradients;
    for (auto _ : state) benchmark::DoNotOptimize(net_.run(feeds_, workspace_));
    if (flop > 0)
      state.counters["FLOP/s"] = benchmark::Counter(flop, benchmark::Counter::kIsIterationInvariantRate,
                                                    benchmark::Counter::kIs1000);
  }

 private:
  const CompiledNet net_;
  const Blobs feeds_;
  Workspace workspace_;
};

at::Tensor tensor_of(const std::vector<float>& values) {
  at::Tensor t = at::empty({static_cast<std::int64_t>(values.size())}, at::kFloat);
  std::copy(values.begin(), values.end(), t.mutable_data_ptr<float>());
  return t;
}

at::Tensor channels_last(const at::Tensor& x) { return x.contiguous(at::MemoryFormat::ChannelsLast); }

std::string conv_text(std::int64_t kernel, std::int64_t stride, std::int64_t pad) {
  return fmt::format(R"(external_input: "x" external_output: "y"
    op {{ type: "Conv" input: "x" input: "w" input: "b" output: "t" arg {{ name: "kernel" i: {} }}
         arg {{ name: "stride" i: {} }} arg {{ name: "pad" i: {} }} }}
    op {{ type: "Relu" input: "t" output: "y" }})",
                     kernel, stride, pad);
}

// Arguments: images, channels, height, width, filters, kernel, stride; and the precision.
void convolution(benchmark::State& state, Precision precision) {
  const std::int64_t n = state.range(0), c = state.range(1), h = state.range(2), w = state.range(3),
                     m = state.range(4), k = state.range(5), s = state.range(6);
  OneOperator conv(conv_text(k, s, k / 2), {{"w", at::randn({m, c, k, k})}, {"b", at::randn({m})}},
                   {{"x", channels_last(at::randn({n, c, h, w}))}}, {.precision = precision});
  conv.run(state, 2.0 * static_cast<double>(n * (h / s) * (w / s) * m * c * k * k));
}

void conv_sizes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"n", "c", "h", "w", "m", "k", "s"})->Unit(benchmark::kMillisecond)->UseRealTime();
  b->Args({1, 3, 800, 1344, 64, 7, 2});
  b->Args({1, 64, 200, 336, 64, 3, 1});
  b->Args({1, 256, 200, 336, 256, 3, 1});
  b->Args({1, 256, 50, 84, 256, 3, 1});
  b->Args({100, 256, 14, 14, 256, 3, 1});
  b->Args({1, 64, 200, 336, 256, 1, 1});
  b->Args({1, 1024, 50, 84, 256, 1, 1});
  b->Args({1, 256, 200, 336, 512, 1, 2});
}
BENCHMARK_CAPTURE(convolution, fp32, Precision::kFloat32)->Apply(conv_sizes);
BENCHMARK_CAPTURE(convolution, bf16, Precision::kBfloat16)->Apply(conv_sizes);

void fully_connected(benchmark::State& state, Precision precision) {
  const std::int64_t rows = state.range(0);
  OneOperator fc(R"(external_input: "x" external_output: "y"
                    op { type: "FC" input: "x" input: "w" input: "b" output: "y" })",
                 {{"w", at::randn({1024, 12544})}, {"b", at::randn({1024})}},
                 {{"x", at::randn({rows, 12544})}}, {.precision = precision});
  fc.run(state, 2.0 * static_cast<double>(rows) * 12544 * 1024);
}
BENCHMARK_CAPTURE(fully_connected, fp32, Precision::kFloat32)
    ->Args({1000})
    ->Args({150})
    ->Args({140})
    ->Args({168})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK_CAPTURE(fully_connected, bf16, Precision::kBfloat16)
    ->Args({1000})
    ->Args({150})
    ->Args({140})
    ->Args({168})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

void conv_transpose(benchmark::State& state) {
  OneOperator op(R"(external_input: "x" external_output: "y"
    op { type: "ConvTranspose" input: "x" input: "w" input: "b" output: "y" arg { name: "kernel" i: 2 }
         arg { name: "stride" i: 2 } })",
                 {{"w", at::randn({256, 256, 2, 2})}, {"b", at::randn({256})}},
                 {{"x", channels_last(at::randn({100, 256, 14, 14}))}});
  op.run(state, 2.0 * 100 * 196 * 256 * 1024);
}
BENCHMARK(conv_transpose)->Unit(benchmark::kMillisecond)->UseRealTime();

// Boxes of random places and sizes in an image of 800x1344 pixels, (R,5) with image 0 in front.
at::Tensor random_regions(std::int64_t count) {
  const at::Tensor corner = at::rand({count, 2}), side = at::rand({count, 2}).mul(300).add(16);
  at::Tensor rois = at::zeros({count, 5});
  rois.slice(1, 1, 3).copy_(corner * tensor_of({1044, 500}));
  rois.slice(1, 3, 5).copy_(rois.slice(1, 1, 3) + side);
  return rois;
}

void roi_align(benchmark::State& state) {
  const std::int64_t regions = state.range(0), pooled = state.range(1);
  OneOperator op(fmt::format(R"(external_input: "x" external_input: "rois" external_output: "y"
    op {{ type: "RoIAlign" input: "x" input: "rois" output: "y" arg {{ name: "pooled_h" i: {0} }}
         arg {{ name: "pooled_w" i: {0} }} arg {{ name: "spatial_scale" f: 0.0625 }} arg {{ name: "aligned" i: 1 }} }})",
                             pooled),
                 {}, {{"x", channels_last(at::randn({1, 256, 50, 84}))}, {"rois", random_regions(regions)}});
  op.run(state);
}
BENCHMARK(roi_align)->Args({1000, 7})->Args({100, 14})->Unit(benchmark::kMillisecond)->UseRealTime();

void generate_proposals(benchmark::State& state) {
  OneOperator op(
      R"(external_input: "scores" external_input: "deltas" external_input: "im_info" external_input: "anchors"
    external_output: "rois"
    op { type: "GenerateProposals" input: "scores" input: "deltas" input: "im_info" input: "anchors" output: "rois"
         output: "probs" arg { name: "spatial_scale" f: 0.25 } arg { name: "pre_nms_topN" i: 1000 }
         arg { name: "post_nms_topN" i: 1000 } arg { name: "nms_thresh" f: 0.7 } })",
      {},
      {{"scores", channels_last(at::randn({1, 3, 200, 336}))},
       {"deltas", channels_last(at::randn({1, 12, 200, 336}).mul(0.3))},
       {"im_info", tensor_of({800, 1344, 1}).view({1, 3})},
       {"anchors", tensor_of({-22, -11, 22, 11, -16, -16, 16, 16, -11, -22, 11, 22}).view({3, 4})}});
  op.run(state);
}
BENCHMARK(generate_proposals)->Unit(benchmark::kMillisecond)->UseRealTime();

// 100 masks of 28x28 over boxes of 283x283 pixels, each cropped to its box: 8 megapixels.
void mask_pasting(benchmark::State& state) {
  constexpr int kObjects = 100, kSize = 28;
  constexpr float kSide = 283;
  Detections seen;
  seen.width = 1920;
  seen.height = 1080;
  const at::Tensor probs = at::rand({kObjects, kSize, kSize}), corners = at::rand({kObjects, 2});
  seen.masks.size = kSize;
  seen.masks.probs.assign(probs.const_data_ptr<float>(), probs.const_data_ptr<float>() + probs.numel());
  for (int i = 0; i < kObjects; i++) {
    const float x = corners[i][0].item<float>() * 1600, y = corners[i][1].item<float>() * 780;
    seen.objects.emplace_back().box = {x, y, x + kSide, y + kSide};
  }
  for (auto _ : state)
    for (int i = 0; i < kObjects; i++) benchmark::DoNotOptimize(paste_mask(seen, i));
}
BENCHMARK(mask_pasting)->Unit(benchmark::kMillisecond)->UseRealTime();

// A frame of 1920x1080 from the logits of Panoptic FPN's 54 classes.
void semantic_classes(benchmark::State& state) {
  const at::Tensor logits = channels_last(at::randn({1, 54, 800, 1344}))[0];
  for (auto _ : state) benchmark::DoNotOptimize(semantic_labels(logits, {{750, 1333}, {1080, 1920}}));
}
BENCHMARK(semantic_classes)->Unit(benchmark::kMillisecond)->UseRealTime();

// A frame of 1080p to `data`.
void preprocessing(benchmark::State& state, PixelFormat format) {
  const c10::InferenceMode no_gradients;
  const NetMemory memory;
  const std::int64_t bytes = bytes_per_pixel(format);
  const at::Tensor pixels = at::randint(0, 256, {1080, 1920, bytes}, at::kByte);
  const FrameView frame{format, 1920, 1080, 1920 * bytes, pixels.const_data_ptr<std::uint8_t>()};
  for (auto _ : state) benchmark::DoNotOptimize(preprocess({&frame, 1}, {.size_divisibility = 32}));
}
BENCHMARK_CAPTURE(preprocessing, BGR, PixelFormat::kBgr)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(preprocessing, BGRx, PixelFormat::kBgrx)->Unit(benchmark::kMillisecond)->UseRealTime();

// A frame of the demonstration model, from pixels to detections.
void whole_frame(benchmark::State& state, const char* precision) {
  ModelOptions options;
  find_model_files(CAFFE2RT_DEMO_MODEL, options);
  options.precision = precision;
  options.threads = at::get_num_threads();
  const auto model = load_model(options);
  const at::Tensor pixels = at::randint(0, 256, {360, 640, 3}, at::kByte);
  const FrameView frame{PixelFormat::kBgr, 640, 360, 640 * 3, pixels.const_data_ptr<std::uint8_t>()};
  for (auto _ : state) benchmark::DoNotOptimize(model->detect({&frame, 1}, model->defaults()));
}
BENCHMARK_CAPTURE(whole_frame, fp32, "fp32")->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(whole_frame, bf16, "bf16")->Unit(benchmark::kMillisecond)->UseRealTime();

// Waits until a GPU has done what was asked of it.
void await(c10::Device device) { c10::impl::VirtualGuardImpl(device.type()).getStream(device).synchronize(); }

// What is asked of a GPU in `state`'s loop, many times before it is waited for, as a stream of frames does.
template <class F>
void time_on_gpu(benchmark::State& state, F&& ask) {
  constexpr int kAtOnce = 100;
  const c10::InferenceMode no_gradients;
  const c10::Device gpu = parse_device("cuda");
  const c10::DeviceGuard guard(gpu);
  for (int i = 0; i < kAtOnce; i++) ask(gpu);
  await(gpu);
  for (auto _ : state) {
    for (int i = 0; i < kAtOnce; i++) ask(gpu);
    await(gpu);
  }
  state.SetItemsProcessed(state.iterations() * kAtOnce);
  state.counters["each"] = benchmark::Counter(static_cast<double>(state.iterations()) * kAtOnce,
                                              benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

// A frame of 1080p in a GPU's memory to `data`.
void preprocessing_on_gpu(benchmark::State& state, PixelFormat format) {
  const int rows = format == PixelFormat::kYuv420 ? 1620 : 1080, bytes = bytes_per_pixel(format);
  const at::Tensor pixels = at::randint(0, 256, {rows, 1920, bytes}, at::kByte).to(parse_device("cuda"));
  FrameView frame{format, 1920, 1080, std::ptrdiff_t{1920} * bytes, pixels.const_data_ptr<std::uint8_t>()};
  frame.memory = FrameMemory::kGpu;
  if (format == PixelFormat::kYuv420)
    frame.yuv = {.u = frame.row(1080),
                 .v = frame.row(1080) + 1,
                 .stride = 1920,
                 .step = 2,
                 .matrix = yuv_matrix(0.2126, 0.0722, false)};
  time_on_gpu(state, [&](c10::Device gpu) {
    benchmark::DoNotOptimize(preprocess({&frame, 1}, {.size_divisibility = 32}, gpu));
  });
}

// 1000 regions of 256 channels from four levels, 7x7 each, in float16.
void roi_align_on_gpu(benchmark::State& state) {
  OperatorDef def{
      .type = "caffe2rt.LeveledRoIAlign", .inputs = {"p2", "p3", "p4", "p5", "rois"}, .outputs = {"y"}};
  const auto whole = [&](const char* name, std::int64_t value) {
    def.args.push_back({.name = name, .i = value});
  };
  whole("pooled_h", 7);
  whole("pooled_w", 7);
  whole("aligned", 1);
  def.args.push_back({.name = "caffe2rt.spatial_scales", .floats = {0.25F, 0.125F, 0.0625F, 0.03125F}});
  const c10::Device gpu = parse_device("cuda");
  const Schema& schema = *find_schema(def.type);
  const OperatorArgs args(def, gpu);
  const auto op = schema.make(args);
  const PlacedOperator placed = place_operator(schema, *op, args, {});
  std::vector<at::Tensor> in;
  for (int level = 2; level <= 5; level++)
    in.push_back(channels_last(at::randn({1, 256, 800 >> level, 1344 >> level})).to(gpu, at::kHalf));
  const at::Tensor corner = at::rand({1000, 2}).mul(600), size = at::rand({1000, 2}).pow(3).mul(700);
  in.push_back(at::cat({at::zeros({1000, 1}), corner, corner + size}, 1).to(gpu));
  std::vector<const at::Tensor*> pointers;
  for (const at::Tensor& tensor : in) pointers.push_back(&tensor);
  Outputs out(1);
  time_on_gpu(state, [&](c10::Device) { placed.op->run(Inputs(schema, pointers), out); });
}

void register_those_of_a_gpu() {
  try {
    parse_device("cuda");
  } catch (const Error& e) {
    fmt::print(stderr, "without a GPU: {}\n", e.what());
    return;
  }
  for (const auto& [name, format] : {std::pair{"NV12", PixelFormat::kYuv420}, {"BGR", PixelFormat::kBgr}})
    benchmark::RegisterBenchmark(fmt::format("preprocessing_on_gpu/{}", name).c_str(), preprocessing_on_gpu,
                                 format)
        ->Unit(benchmark::kMillisecond)
        ->UseRealTime();
  benchmark::RegisterBenchmark("roi_align_on_gpu", roi_align_on_gpu)
      ->Unit(benchmark::kMillisecond)
      ->UseRealTime();
}

}  // namespace
}  // namespace caffe2rt

int main(int argc, char** argv) {
  for (int i = 1; i < argc; i++)
    if (std::strncmp(argv[i], "--threads=", 10) == 0) {
      at::set_num_threads(std::stoi(argv[i] + 10));
      std::rotate(argv + i, argv + i + 1, argv + argc--);
    }
  caffe2rt::register_those_of_a_gpu();  // first of all: ATen looks for its CUDA half once
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
}
