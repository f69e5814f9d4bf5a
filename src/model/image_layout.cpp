#include "model/image_layout.h"

#include "base/error.h"

namespace caffe2rt {
namespace {

bool is_image_channels(std::int64_t n) { return n == 1 || n == 3; }

ImageLayout layout_of(const std::string& input, const at::Tensor& place) {
  const auto size = place.sizes();
  const bool first = size.size() == 4 && is_image_channels(size[1]);
  const bool last = size.size() == 4 && !first && is_image_channels(size[3]);
  require(first || last, ErrorCode::kShape, "input '{}': expected images of 1 or 3 channels, got {}", input,
          to_string(std::span(size.data(), size.size())));
  ImageLayout layout{static_cast<int>(first ? size[1] : size[3]), last, std::nullopt};
  const FrameSize image{static_cast<int>(size[first ? 2 : 1]), static_cast<int>(size[first ? 3 : 2])};
  if (image.height > 0 && image.width > 0) layout.size = image;
  return layout;
}

PartialShape shape_of(const ImageLayout& layout, std::int64_t batch, std::int64_t side) {
  const std::int64_t c = layout.channels;
  return layout.channels_last ? PartialShape{{batch, side, side, c}} : PartialShape{{batch, c, side, side}};
}

// What the operators have against such a shape.
std::optional<Error> refusal(const CompiledNet& net, const std::string& input, const PartialShape& shape) {
  try {
    net.check_shapes({{input, shape}});
    return std::nullopt;
  } catch (const Error& e) {
    if (e.code() != ErrorCode::kShape) throw;
    return e;
  }
}

std::optional<FrameSize> only_size(const CompiledNet& net, const std::string& input,
                                   const ImageLayout& layout) {
  constexpr int kLargest = 1024;
  const auto fits = [&](int side) { return !refusal(net, input, shape_of(layout, 1, side)); };
  if (fits(kLargest) || fits(kLargest - 200)) return std::nullopt;
  int smallest = 1;
  while (smallest < kLargest && !fits(smallest)) smallest++;
  if (smallest == kLargest) return std::nullopt;
  // Pooling rounds: several sides may come to the same.
  for (int side = smallest; fits(side); side++)
    if (side % 32 == 0) return FrameSize{side, side};
  return FrameSize{smallest, smallest};
}

}  // namespace

ImageLayout find_image_layout(const CompiledNet& net, const std::string& input, const Blobs& weights) {
  if (const auto place = weights.find(input); place != weights.end()) return layout_of(input, place->second);
  std::optional<Error> first_refusal;
  for (ImageLayout layout : {ImageLayout{3, false}, {1, false}, {3, true}, {1, true}}) {
    const auto refused = refusal(net, input, shape_of(layout, kUnknown, kUnknown));
    if (!refused) {
      layout.size = only_size(net, input, layout);
      return layout;
    }
    if (!first_refusal) first_refusal = refused;
  }
  throw Error(*first_refusal);
}

}  // namespace caffe2rt
