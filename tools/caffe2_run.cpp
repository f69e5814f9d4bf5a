// caffe2_run: runs a net on the arrays of an .npz file and writes what comes out to another.
#include <ATen/Parallel.h>

#include "runtime/compiled_net.h"
#include "runtime/npz.h"
#include "tool.h"

namespace caffe2rt {
namespace {

struct Flags {
  std::string predict_net, init_net, inputs, outputs;
  std::vector<std::string> blobs;
  int threads = 0;
};

// Arrays of the .npz that are inputs: all but the results that a recorded case keeps beside them.
Blobs read_feeds(const std::string& file) {
  Blobs feeds;
  for (const auto& [name, value] : read_npz(file)) {
    if (name.starts_with("out/") || name.starts_with("torch/") || name.starts_with("caffe2/")) continue;
    feeds[name] = value.scalar_type() == at::kByte ? value.to(at::kFloat) : value;
  }
  return feeds;
}

void run(const Flags& flags) {
  if (flags.threads > 0) at::set_num_threads(flags.threads);
  const Blobs feeds = read_feeds(flags.inputs);
  const Blobs weights = flags.init_net == "-" ? Blobs() : run_init_net(read_net(flags.init_net));

  CompileOptions options;
  for (const auto& feed : feeds) options.graph.feeds.push_back(feed.first);
  const bool all = flags.blobs == std::vector<std::string>{"all"};
  options.graph.keep_all = all;
  if (!all) options.graph.keep = flags.blobs;
  const auto net = CompiledNet::compile(read_net(flags.predict_net), weights, options);

  Workspace workspace;
  const Blobs results = net.run(feeds, workspace);
  NamedTensors written;
  for (const auto& [name, value] : results)
    if (flags.blobs.empty() || all || std::count(flags.blobs.begin(), flags.blobs.end(), name) > 0)
      written[name] = value;
  write_npz(flags.outputs, written);
  for (const auto& [name, value] : written)
    fmt::print("{} {} {}\n", name, c10::toString(value.scalar_type()),
               to_string(std::span(value.sizes().data(), value.sizes().size())));
}

}  // namespace
}  // namespace caffe2rt

int main(int argc, char** argv) {
  CLI::App app(
      "Runs a Caffe2 net on blobs from an .npz file (uint8 arrays are fed as float32) and writes its "
      "outputs.",
      "caffe2_run");
  caffe2rt::Flags flags;
  caffe2rt::add_net_flags(app, flags.predict_net, flags.init_net);
  app.add_option("--inputs", flags.inputs, "One array a blob to feed: data, im_info, ... (.npz)")->required();
  app.add_option("--outputs", flags.outputs, "Where to write the results (.npz)")->required();
  app.add_option("--blobs", flags.blobs, "Blobs to write, or 'all'; default: the net's external outputs")
      ->delimiter(',');
  app.add_option("--threads", flags.threads, "Threads; 0: all cores")->check(CLI::NonNegativeNumber);
  return caffe2rt::run_tool(app, argc, argv, [&] { caffe2rt::run(flags); });
}
