#include "decode/anchor_generator.h"

#include "base/error.h"
#include "decode/torch_archive.h"

namespace caffe2rt {
namespace {

using Kind = PickleValue::Kind;

const PickleValue& expect(const PickleValue* value, const char* name) {
  require(value != nullptr, ErrorCode::kUnsupported,
          "expected detectron2's DefaultAnchorGenerator, got none with '{}'", name);
  return *value;
}

float number(const PickleValue& value, const char* name) {
  if (value.kind == Kind::kInt) return static_cast<float>(value.integer);
  require(value.kind == Kind::kFloat, ErrorCode::kFormat, "'{}': expected a number", name);
  return static_cast<float>(value.real);
}

std::vector<Box> read_cell(const TorchArchive& archive, const PickleValue& value) {
  const SavedTensor tensor = read_tensor(archive, value);
  require(tensor.shape.size() == 2 && tensor.shape[1] == 4, ErrorCode::kUnsupported,
          "cell anchors: expected upright boxes, (A,4)");
  std::vector<Box> cell;
  for (size_t i = 0; i < tensor.values.size(); i += 4)
    cell.push_back({tensor.values[i], tensor.values[i + 1], tensor.values[i + 2], tensor.values[i + 3]});
  return cell;
}

AnchorGenerator read(std::string_view bytes) {
  const TorchArchive archive = read_torch_archive(bytes);
  const Pickle& pickle = archive.pickle;
  const PickleValue& generator = pickle.root();
  const PickleValue& strides = expect(pickle.attribute(generator, "strides"), "strides");
  const PickleValue& modules = expect(pickle.attribute(generator, "_modules"), "_modules");
  const PickleValue& cells = expect(pickle.find(modules, "cell_anchors"), "cell_anchors");
  const PickleValue& buffers = expect(pickle.attribute(cells, "_buffers"), "_buffers");
  AnchorGenerator anchors;
  for (size_t level = 0; level < strides.items.size(); level++) {
    const PickleValue& tensor = expect(pickle.find(buffers, std::to_string(level)), "cell_anchors");
    const float stride = number(pickle[strides.items[level]], "strides");
    anchors.levels.push_back({read_cell(archive, tensor), stride, stride});
  }
  require(!anchors.levels.empty(), ErrorCode::kFormat, "no strides");
  if (const PickleValue* offset = pickle.attribute(generator, "offset"))
    anchors.offset = number(*offset, "offset");
  return anchors;
}

}  // namespace

Box AnchorGenerator::anchor(size_t level, std::int64_t row, std::int64_t column, std::int64_t index) const {
  const float x_stride = levels[level].x_stride, y_stride = levels[level].y_stride;
  const float x = offset * x_stride + static_cast<float>(column) * x_stride;
  const float y = offset * y_stride + static_cast<float>(row) * y_stride;
  const Box& box = levels[level].cell[index];
  return {x + box.x1, y + box.y1, x + box.x2, y + box.y2};
}

AnchorGenerator read_anchor_generator(std::string_view bytes) {
  return at_place([] { return "serialized_anchor_generator"; }, [&] { return read(bytes); });
}

}  // namespace caffe2rt
