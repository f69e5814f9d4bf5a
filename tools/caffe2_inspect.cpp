// caffe2_inspect: says what a net file holds and whether it can run here, and what an operator is.
#include <filesystem>
#include <map>
#include <set>

#include "runtime/compiled_net.h"
#include "tool.h"

namespace caffe2rt {
namespace {

struct Flags {
  std::string predict_net, init_net, operator_type;
  bool operators = false;
};

void print_schema(const Schema& schema) {
  fmt::print("{}: {}\n", schema.type, schema.doc);
  const auto suffix = [](Schema::Count count) {
    return count == Schema::Count::kOptional   ? " (optional)"
           : count == Schema::Count::kVariadic ? " (one or more)"
                                               : "";
  };
  for (const auto& in : schema.inputs) fmt::print("  input   {}{}: {}\n", in.name, suffix(in.count), in.doc);
  for (const auto& out : schema.outputs)
    fmt::print("  output  {}{}: {}\n", out.name, suffix(out.count), out.doc);
  for (const auto& arg : schema.args) fmt::print("  arg     {}: {}\n", arg.name, arg.doc);
}

// The init net that belongs to a predict net, by name; empty where there is none.
std::string beside(const std::string& predict_net) {
  const std::filesystem::path path(predict_net);
  for (const auto& [predict, init] : {std::pair{"model", "model_init"}, std::pair{"predict_net", "init_net"}})
    if (path.stem() == predict)
      for (const char* extension : {".pb", ".pbtxt"})
        if (const auto file = path.parent_path() / (std::string(init) + extension);
            std::filesystem::exists(file))
          return file.string();
  return "";
}

void print_counts(const NetDef& net) {
  std::map<std::string, int> counts;
  for (const auto& op : net.ops) counts[op.type]++;
  fmt::print("operators ({}):\n", net.ops.size());
  for (const auto& [type, count] : counts)
    fmt::print("  {:5} {}{}\n", count, type, find_schema(type) ? "" : "   not supported");
}

void print_arguments(const NetDef& net) {
  for (const auto& arg : net.args) {
    if (arg.i) fmt::print("argument {}: {}\n", arg.name, *arg.i);
    if (arg.f) fmt::print("argument {}: {}\n", arg.name, *arg.f);
    if (arg.s && arg.s->size() < 80) fmt::print("argument {}: {}\n", arg.name, *arg.s);
    if (arg.s && arg.s->size() >= 80) fmt::print("argument {}: {} bytes\n", arg.name, arg.s->size());
    if (!arg.floats.empty()) fmt::print("argument {}: {} numbers\n", arg.name, arg.floats.size());
  }
}

void print_weights(const Blobs& weights) {
  std::int64_t parameters = 0, bytes = 0;
  for (const auto& [name, tensor] : weights) {
    parameters += tensor.numel();
    bytes += static_cast<std::int64_t>(tensor.nbytes());
  }
  fmt::print("weights: {} blobs, {} values, {:.1f} MB\n", weights.size(), parameters,
             static_cast<double>(bytes) / 1e6);
}

void inspect(const Flags& flags) {
  const NetDef net = read_net(flags.predict_net);
  fmt::print("net: {}\n", net.name.empty() ? "(unnamed)" : net.name);
  const Argument* meta = net.find("meta_architecture");
  fmt::print("meta architecture: {}\n", meta && meta->s ? *meta->s : "(none named)");
  print_arguments(net);
  print_counts(net);
  const std::string init_net = flags.init_net.empty() ? beside(flags.predict_net) : flags.init_net;
  const Blobs weights = init_net.empty() ? Blobs() : read_weights(init_net);
  if (init_net.empty())
    fmt::print("weights: no init net named, and none beside the net\n");
  else
    print_weights(weights);
  const auto compiled = CompiledNet::compile(net, weights);
  for (const auto& name : compiled.input_names()) fmt::print("input: {}\n", name);
  for (const auto& name : compiled.output_names()) fmt::print("output: {}\n", name);
  fmt::print("missing: nothing\n");
}

void run(const Flags& flags) {
  if (flags.operators)
    for (const Schema* schema : all_schemas()) print_schema(*schema);
  if (!flags.operator_type.empty()) {
    const Schema* schema = find_schema(flags.operator_type);
    require(schema != nullptr, ErrorCode::kUnsupported, "no operator '{}'", flags.operator_type);
    print_schema(*schema);
  }
  if (!flags.predict_net.empty()) inspect(flags);
  require(flags.operators || !flags.operator_type.empty() || !flags.predict_net.empty(), ErrorCode::kArgument,
          "expected a net file, --operator or --operators (see --help)");
}

void add_options(CLI::App& app, Flags& flags) {
  app.add_option("predict_net", flags.predict_net, "Network: model.pb or .pbtxt");
  app.add_option("init_net", flags.init_net, "Its weights; default: model_init.pb or init_net.pb beside it");
  app.add_option("--operator", flags.operator_type, "Print the documentation of one operator");
  app.add_flag("--operators", flags.operators, "Print the documentation of every operator");
}

}  // namespace
}  // namespace caffe2rt

int main(int argc, char** argv) {
  return caffe2rt::run_tool<caffe2rt::Flags>(
      "caffe2_inspect",
      "Says what a Caffe2 net holds, and what is missing to run it. Exit status 1 where something is.", argc,
      argv, caffe2rt::add_options, caffe2rt::run);
}
