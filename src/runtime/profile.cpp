#include "runtime/profile.h"

#include <functional>
#include <numeric>

namespace caffe2rt {
namespace {

double product(const Profile::Shape& shape) {
  return std::accumulate(shape.begin(), shape.end(), 1.0, std::multiplies<>());
}

// Two for every element of the filter at every place that it is laid on.
double count_flop(const OperatorDef& def, const Profile::Event& event) {
  if (event.inputs.size() < 2 || event.outputs.empty() || event.outputs[0].empty()) return 0;
  const Profile::Shape &x = event.inputs[0], &w = event.inputs[1], &y = event.outputs[0];
  const auto argument = [&](const char* name) {
    const Argument* found = def.find(name);
    return found && found->i ? static_cast<double>(*found->i) : 0.0;
  };
  if (def.type == "caffe2rt.WinogradConv")
    return 2 * product(y) * argument("caffe2rt.channels") / argument("caffe2rt.file_groups") * 9;
  if (def.type == "caffe2rt.WinogradHead") {
    const double filters = argument("caffe2rt.filters"), columns = argument("caffe2rt.columns");
    return 2 * product(y) / columns * filters * (argument("caffe2rt.channels") * 9 + columns);
  }
  if (def.type == "caffe2rt.MatMulFC") return 2 * product(y) * argument("caffe2rt.depth");
  if (def.type == "caffe2rt.MatMulConvTranspose") return 2 * product(y) * argument("caffe2rt.channels");
  if (def.type == "caffe2rt.MatMulConv") {
    const Argument* kernels = def.find("kernels");
    double window = argument("kernel") * argument("kernel") + argument("kernel_h") * argument("kernel_w");
    if (kernels) window = product(kernels->ints);
    const double of_window = argument("caffe2rt.pooled") != 0 ? 4 : 1;  // results for each number of y
    return 2 * product(y) * of_window * argument("caffe2rt.channels") * window;
  }
  if (w.empty() || w[0] == 0) return 0;
  if (def.type == "caffe2rt.DepthwiseConv") return 2 * product(y) * static_cast<double>(w[0] - 1);
  if (def.type == "caffe2rt.SeparableConv") {
    const double pixels = product(y) / argument("caffe2rt.filters"), channels = argument("caffe2rt.channels");
    return 2 * pixels * channels * static_cast<double>(w[0] - 1) + 2 * product(y) * channels;
  }
  if (def.type == "Conv" || def.type == "caffe2rt.PackedConv")
    return 2 * product(y) * product(w) / static_cast<double>(w[0]);
  if (def.type == "ConvTranspose") return 2 * product(x) * product(w) / static_cast<double>(w[0]);
  if (def.type == "FC") return 2 * product(y) * product(w) / static_cast<double>(w[0]);
  return 0;
}

}  // namespace

void Profile::add(const Node& node, std::chrono::steady_clock::time_point start,
                  const std::vector<at::Tensor>& values) {
  using Milliseconds = std::chrono::duration<double, std::milli>;
  Event event;
  event.milliseconds = Milliseconds(std::chrono::steady_clock::now() - start).count();
  event.start_ms = Milliseconds(start - made).count();
  event.type = node.def.type;
  if (!node.def.outputs.empty()) event.output = node.def.outputs.front();
  const auto note = [&](const std::vector<ValueId>& ids, std::vector<Shape>& shapes) {
    for (const ValueId id : ids) {
      shapes.push_back(values[id].sizes().vec());
      event.bytes +=
          static_cast<double>(values[id].numel() * static_cast<std::int64_t>(values[id].itemsize()));
    }
  };
  note(node.inputs, event.inputs);
  note(node.outputs, event.outputs);
  event.flop = count_flop(node.def, event);
  events.push_back(std::move(event));
}

}  // namespace caffe2rt
