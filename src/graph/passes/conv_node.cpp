#include "graph/passes/conv_node.h"

#include "graph/passes/rewrite.h"
#include "kernels/matmul_conv.h"

namespace caffe2rt {

std::optional<ConvNode> ConvNode::find(const Graph& graph, const Node& node) {
  if (node.def.type != "Conv") return std::nullopt;
  const at::Tensor* filter = constant_input(graph, node, kFilter);
  if (!filter || filter->dim() != 4 || filter->scalar_type() != at::kFloat || filter->numel() == 0)
    return std::nullopt;
  return at_place([&] { return node.place(); },
                  [&]() -> std::optional<ConvNode> {
                    const OperatorArgs args(node.def, filter->device());
                    ConvNode conv{Window::read(args), args.get("group", std::int64_t{1}), *filter};
                    const bool fits = conv.window.order == StorageOrder::kNchw && conv.window.axes() == 2 &&
                                      !conv.window.global && conv.window.legacy_pad == LegacyPad::kNotSet &&
                                      filter->size(2) == conv.window.kernel[0] &&
                                      filter->size(3) == conv.window.kernel[1] && conv.group >= 1 &&
                                      filter->size(0) % conv.group == 0;
                    return fits ? std::optional(std::move(conv)) : std::nullopt;
                  });
}

bool reads_pixels(const Node& node) {
  return node.def.type == "caffe2rt.MatMulConv" &&
         integer_argument(node.def, "caffe2rt.channels", 0) <= matmul_conv::kFewChannels &&
         integer_argument(node.def, "caffe2rt.precision", 0) == 0;
}

}  // namespace caffe2rt
