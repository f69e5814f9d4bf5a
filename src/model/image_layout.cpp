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

}  // namespace

ImageLayout find_image_layout(const CompiledNet& net, const std::string& input, const Blobs& weights) {
  if (const auto place = weights.find(input); place != weights.end()) return layout_of(input, place->second);
  std::optional<Error> first_refusal;
  for (const ImageLayout& layout : {ImageLayout{3, false}, {1, false}, {3, true}, {1, true}}) {
    const std::int64_t c = layout.channels;
    const PartialShape shape = layout.channels_last ? PartialShape{{kUnknown, kUnknown, kUnknown, c}}
                                                    : PartialShape{{kUnknown, c, kUnknown, kUnknown}};
    try {
      net.check_shapes({{input, shape}});
      return layout;
    } catch (const Error& e) {
      if (e.code() != ErrorCode::kShape) throw;
      if (!first_refusal) first_refusal = e;
    }
  }
  throw Error(*first_refusal);
}

}  // namespace caffe2rt
