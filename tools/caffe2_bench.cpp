// caffe2_bench: times a net on one input: raw outputs, nothing before or after the net.
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/rand.h>
#include <c10/core/InferenceMode.h>
#include <sys/resource.h>

#include <algorithm>
#include <barrier>
#include <chrono>
#include <cmath>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#ifdef CAFFE2RT_OPENCV
#include <opencv2/imgcodecs.hpp>
#endif
#include <thread>

#include "graph/passes/passes.h"
#include "model/image_layout.h"
#include "preprocess/preprocess.h"
#include "runtime/compiled_net.h"
#include "runtime/net_memory.h"
#include "tool.h"

namespace caffe2rt {
namespace {

struct Flags {
  std::string predict_net, init_net, image, trace, device = "cpu", precision = "auto";
  std::vector<std::string> without_passes, on_host;
  int height = 800, width = 1344, batch = 1, threads = 0, streams = 0, repeat = 10;
  bool json = false, measure_algorithms = false, tune = false, untuned = false, no_cuda_graphs = false;
};

class Stopwatch {
 public:
  double milliseconds() const {
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// What the net takes as `input`: the image stretched to the size, or noise.
at::Tensor make_data(const Flags& flags, const ImageLayout& layout) {
  if (flags.image.empty()) {
    const at::Tensor noise = at::rand({flags.batch, layout.channels, flags.height, flags.width}).mul(255);
    return layout.channels_last ? noise.movedim(1, 3).contiguous() : noise;
  }
#ifdef CAFFE2RT_OPENCV
  cv::Mat image = cv::imread(flags.image, cv::IMREAD_COLOR);
  require(!image.empty(), ErrorCode::kIo, "{}: cannot be read as an image", flags.image);
  const FrameView frame{PixelFormat::kBgr, image.cols, image.rows, static_cast<std::ptrdiff_t>(image.step[0]),
                        image.data};
  const std::vector<FrameView> frames(flags.batch, frame);
  return preprocess(frames, {.fixed_size = FrameSize{flags.height, flags.width},
                             .channels = layout.channels,
                             .channels_last = layout.channels_last})
      .data;
#else
  fail(ErrorCode::kUnsupported, "--image: this build has no OpenCV to read pictures with");
#endif
}

at::Tensor make_im_info(const Flags& flags) {
  at::Tensor info = at::empty({flags.batch, 3});
  for (int n = 0; n < flags.batch; n++) {
    info[n][0] = flags.height;
    info[n][1] = flags.width;
    info[n][2] = 1;
  }
  return info;
}

// The blob of the last operator of one of these types, its output `index`; empty where there is none.
std::string find_blob(const NetDef& net, const std::vector<std::string>& types, size_t index) {
  for (auto op = net.ops.rbegin(); op != net.ops.rend(); ++op)
    if (std::find(types.begin(), types.end(), op->type) != types.end() && op->outputs.size() > index)
      return op->outputs[index];
  return "";
}

nlohmann::json count_rows(const Blobs& results, const std::string& blob) {
  return blob.empty() ? nlohmann::json() : nlohmann::json(results.at(blob).size(0));
}

nlohmann::json top_operators(const Profile& profile, int runs) {
  std::map<std::string, double> by_type;
  for (const auto& event : profile.events) by_type[event.type] += event.milliseconds / runs;
  std::vector<std::pair<std::string, double>> sorted(by_type.begin(), by_type.end());
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  sorted.resize(std::min<size_t>(sorted.size(), 10));
  auto list = nlohmann::json::array();
  for (const auto& [type, ms] : sorted) list.push_back({{"type", type}, {"ms", ms}});
  return list;
}

// The format that chrome://tracing and https://ui.perfetto.dev read ("Trace Event Format"): microseconds.
void write_trace(const Profile& profile, const std::string& file) {
  auto events = nlohmann::json::array();
  for (const auto& event : profile.events)
    events.push_back({{"name", event.type},
                      {"cat", "operator"},
                      {"ph", "X"},
                      {"pid", 1},
                      {"tid", 1},
                      {"ts", event.start_ms * 1e3},
                      {"dur", event.milliseconds * 1e3},
                      {"args",
                       {{"output", event.output},
                        {"inputs", event.inputs},
                        {"outputs", event.outputs},
                        {"gflop", event.flop / 1e9},
                        {"mbytes", event.bytes / 1e6}}}});
  std::ofstream out(file);
  out << nlohmann::json{{"traceEvents", std::move(events)}, {"displayTimeUnit", "ms"}}.dump(1) << "\n";
  out.close();
  require(!out.fail(), ErrorCode::kIo, "{}: cannot be written", file);
}

// How many nodes of each type run on the host while the net runs on a GPU.
nlohmann::json count_on_host(const CompiledNet& net) {
  std::map<std::string, int> by_type;
  for (const Node* node : net.on_host()) by_type[node->def.type]++;
  return by_type.empty() ? nlohmann::json::object() : nlohmann::json(by_type);
}

// A net, what it is fed, and where its proposals and detections are.
struct Subject {
  NetDef predict_net;
  std::string proposals, scores;
  CompiledNet net;
  Blobs feeds;
  std::vector<std::int64_t> size;  // of `data`
};

CompileOptions compile_options(const Flags& flags) {
  CompileOptions options{.device = parse_device(flags.device), .precision = parse_precision(flags.precision)};
  options.on_host = {flags.on_host.begin(), flags.on_host.end()};
  options.calibration = calibration_for(options.precision, flags.predict_net);
  options.without_passes = parse_passes(flags.without_passes);
  options.record_runs = !flags.no_cuda_graphs;
  return options;
}

Subject load(const Flags& flags, const Tuning& tuning) {
  at::globalContext().setBenchmarkCuDNN(flags.measure_algorithms);
  Subject subject{.predict_net = read_net(flags.predict_net)};
  const NetDef& predict_net = subject.predict_net;
  subject.proposals =
      find_blob(predict_net, {"CollectRpnProposals", "CollectAndDistributeFpnRpnProposals"}, 0);
  if (subject.proposals.empty())
    subject.proposals = find_blob(predict_net, {"GenerateProposals", "GenerateProposalsCPP"}, 0);
  subject.scores = find_blob(predict_net, {"BoxWithNMSLimit"}, 0);
  CompileOptions options = compile_options(flags);
  options.tuning = tuning;
  for (const auto& blob : {subject.proposals, subject.scores})
    if (!blob.empty()) options.graph.keep.push_back(blob);
  Blobs weights = read_weights(flags.init_net);
  const Blobs shapes = shapes_of(weights);
  subject.net = CompiledNet::compile(predict_net, std::move(weights), options);
  for (const auto& input : subject.net.input_names()) {
    if (input == "im_info") {
      subject.feeds[input] = make_im_info(flags);
      continue;
    }
    subject.feeds[input] = make_data(flags, find_image_layout(subject.net, input, shapes));
    subject.size = subject.feeds[input].sizes().vec();
  }
  return subject;
}

// The time of each convolution, by output blob, where all go this way as far as they can.
std::map<std::string, double> time_convolutions(const Flags& flags, const std::vector<std::string>& blobs,
                                                ConvWay way) {
  Tuning all;
  for (const auto& blob : blobs) all.ways[blob] = way;
  const Subject subject = load(flags, all);
  const c10::InferenceMode no_gradients;
  Workspace workspace;
  subject.net.run(subject.feeds, workspace);
  Profile profile;
  workspace.profile = &profile;
  for (int i = 0; i < flags.repeat; i++) subject.net.run(subject.feeds, workspace);
  std::map<std::string, std::vector<double>> spent;
  for (const auto& event : profile.events) spent[event.output].push_back(event.milliseconds);
  std::map<std::string, double> medians;
  for (const auto& blob : blobs)
    if (auto found = spent.find(blob); found != spent.end()) {
      auto middle = found->second.begin() + static_cast<std::ptrdiff_t>(found->second.size() / 2);
      std::nth_element(found->second.begin(), middle, found->second.end());
      medians[blob] = *middle;
    }
  return medians;
}

// Measures every way for every convolution.
Tuning tune(Flags flags) {
  // Passes that choose a way know a convolution by the blob that it writes before this one.
  flags.without_passes.insert(flags.without_passes.end(), {"fuse_hard_swish", "join_separable"});
  std::vector<std::string> blobs;
  const Subject subject = load(flags, {});
  for (const Node& node : subject.net.graph().nodes)
    if (node.file_type == "Conv") blobs.push_back(node.def.outputs.front());
  std::map<std::string, double> least;
  Tuning tuning;
  double after = 0;
  for (const auto& [way, name] : {std::pair{ConvWay::kWinograd6, "Winograd6"},
                                  {ConvWay::kWinograd, "Winograd"},
                                  {ConvWay::kMatMul, "products"},
                                  {ConvWay::kPacked, "oneDNN"}}) {
    double sum = 0;
    for (const auto& [blob, milliseconds] : time_convolutions(flags, blobs, way)) {
      sum += milliseconds;
      const auto [known, is_new] = least.try_emplace(blob, milliseconds);
      // A later way, which goes without what is joined to an earlier one, has to be clearly faster.
      constexpr double kClearly = 0.97;
      if (!is_new && milliseconds >= kClearly * known->second) continue;
      known->second = milliseconds;
      tuning.ways[blob] = way;
    }
    fmt::print(stderr, "tune: {:9} {:9.2f} ms of convolutions\n", name, sum);
  }
  for (const auto& [blob, milliseconds] : least) after += milliseconds;
  fmt::print(stderr, "tune: {:9} {:9.2f} ms: the best for each of {}\n", "chosen", after, least.size());
  return tuning;
}

// What was measured before, or is measured now.
Tuning choose_tuning(const Flags& flags, const c10::Device& device) {
  require(!flags.tune || device.is_cpu(), ErrorCode::kUnsupported,
          "--tune: only on the CPU; on a GPU see --measure-algorithms");
  if (flags.untuned || !device.is_cpu()) return {};
  const std::string file =
      TuningKey{flags.predict_net, parse_precision(flags.precision), at::get_num_threads()}.file();
  if (flags.tune) {
    write_tuning(tune(flags), file);
    fmt::print(stderr, "tune: written to {}\n", file);
  }
  return read_tuning(file);
}

// Runs the net in several threads at once, each with a share of the cores; gives images a second in all.
double run_streams(const Subject& subject, const Flags& flags) {
  const int threads = std::max(1, at::get_num_threads() / flags.streams);
  std::vector<std::thread> streams;
  streams.reserve(static_cast<size_t>(flags.streams));
  std::barrier start(flags.streams + 1);
  for (int i = 0; i < flags.streams; i++)
    streams.emplace_back([&] {
      at::set_num_threads(threads);  // of this thread
      const c10::InferenceMode no_gradients;
      Workspace workspace;
      subject.net.run(subject.feeds, workspace);
      start.arrive_and_wait();
      for (int run = 0; run < flags.repeat; run++) subject.net.run(subject.feeds, workspace);
    });
  start.arrive_and_wait();
  const Stopwatch all;
  for (auto& stream : streams) stream.join();
  return 1e3 * flags.streams * flags.repeat * flags.batch / all.milliseconds();
}

nlohmann::json bench(const Flags& flags) {
  const c10::Device device = parse_device(flags.device);  // before anything asks for CUDA
  if (flags.threads > 0) at::set_num_threads(flags.threads);
  const Tuning tuning = choose_tuning(flags, device);
  const Stopwatch loading;
  const Subject subject = load(flags, tuning);
  const double load_ms = loading.milliseconds();

  const c10::InferenceMode no_gradients;
  Workspace workspace;
  const Stopwatch first;
  Blobs results = subject.net.run(subject.feeds, workspace);
  const double first_ms = first.milliseconds();
  if (subject.net.records_runs()) subject.net.run(subject.feeds, workspace);  // the second one is recorded

  Profile profile;
  std::vector<double> spent;
  // On a GPU operators run beside each other unless each is waited for: timed in runs of their own.
  for (const bool profiled : device.is_cpu() ? std::vector{true} : std::vector{false, true}) {
    workspace.profile = profiled ? &profile : nullptr;
    for (int i = 0; i < flags.repeat; i++) {
      const Stopwatch run;
      results = subject.net.run(subject.feeds, workspace);
      if (device.is_cpu() || !profiled) spent.push_back(run.milliseconds());
    }
  }
  if (!flags.trace.empty()) write_trace(profile, flags.trace);
  std::sort(spent.begin(), spent.end());
  const auto quantile = [&](double q) {
    return spent[std::lround(q * static_cast<double>(spent.size() - 1))];
  };
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  nlohmann::json report = {{"net", subject.predict_net.name},
                           {"size", subject.size},
                           {"device", flags.device},
                           {"precision", flags.precision},
                           {"threads", at::get_num_threads()},
                           {"tuned", !tuning.ways.empty()},
                           {"load_ms", load_ms},
                           {"first_ms", first_ms},
                           {"min_ms", spent.front()},
                           {"median_ms", quantile(0.5)},
                           {"p95_ms", quantile(0.95)},
                           {"peak_rss_mb", static_cast<double>(usage.ru_maxrss) / 1024},
                           {"heap_mb", static_cast<double>(NetMemory::extent()) / (1 << 20)},
                           {"proposals", count_rows(results, subject.proposals)},
                           {"detections", count_rows(results, subject.scores)},
                           {"on_host", count_on_host(subject.net)},
                           {"records_runs", subject.net.records_runs()},
                           {"operators", top_operators(profile, flags.repeat)}};
  if (flags.streams > 0) report["images_a_second"] = run_streams(subject, flags);
  return report;
}

void print(const nlohmann::json& report) {
  for (const auto& [key, value] : report.items())
    if (key != "operators") fmt::print("{:12} {}\n", key, value.dump());
  for (const auto& op : report["operators"])
    fmt::print("  {:32} {:9.3f} ms\n", op["type"].get<std::string>(), op["ms"].get<double>());
}

void bench_and_print(const Flags& flags) {
  const auto report = bench(flags);
  if (flags.json)
    fmt::print("{}\n", report.dump());
  else
    print(report);
}

void add_options(CLI::App& app, Flags& flags) {
  add_net_flags(app, flags.predict_net, flags.init_net);
  app.add_option("--height", flags.height, "Height of `data`, pixels")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--width", flags.width, "Width of `data`, pixels")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--batch", flags.batch, "Images in a batch")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--threads", flags.threads, "Threads; 0: all cores")->check(CLI::NonNegativeNumber);
  app.add_option("--streams", flags.streams,
                 "Also run this many streams at once, each with its share of the threads: images a second")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--repeat", flags.repeat, "Timed runs, after a first one")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--image", flags.image, "Image to stretch to the size; default: noise");
  app.add_option("--device", flags.device, "cpu, cuda, cuda:N or auto")->capture_default_str();
  app.add_option("--precision", flags.precision,
                 "auto, fp32, fp16 (GPU), bf16 or int8 (CPU; see caffe2_calibrate)")
      ->capture_default_str();
  app.add_option("--profile", flags.trace,
                 "File to write: when each operator ran, as chrome://tracing shows it");
  add_passes_flag(app, flags.without_passes);
  add_on_host_flag(app, flags.on_host);
  app.add_flag(
      "--measure-algorithms", flags.measure_algorithms,
      "On a GPU: let cuDNN time its algorithms for a convolution in the first run, and take the fastest");
  app.add_flag("--no-cuda-graphs", flags.no_cuda_graphs,
               "On a GPU: launch every kernel in every run, where a recording would launch all by one call");
  app.add_flag(
      "--tune", flags.tune,
      "First measure which way to compute each convolution is the fastest here, and keep it for this "
      "and all later runs of the net: in the user's cache");
  app.add_flag("--untuned", flags.untuned, "Do without what --tune measured");
  app.add_flag("--json", flags.json, "One line of JSON");
}

}  // namespace
}  // namespace caffe2rt

int main(int argc, char** argv) {
  return caffe2rt::run_tool<caffe2rt::Flags>("caffe2_bench",
                                             "Times a Caffe2 net on one input, from `data` to raw outputs.",
                                             argc, argv, caffe2rt::add_options, caffe2rt::bench_and_print);
}
