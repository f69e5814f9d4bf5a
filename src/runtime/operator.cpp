#include "runtime/operator.h"

#include "runtime/nominal_type.h"

namespace caffe2rt {
namespace {

std::string names_of(Types types) {
  std::string names;
  const auto add = [&](Types t, const char* name) {
    if ((static_cast<unsigned>(types) & static_cast<unsigned>(t)) != 0)
      names += (names.empty() ? "" : " or ") + std::string(name);
  };
  add(Types::kFloat, "float32");
  add(Types::kDouble, "float64");
  add(Types::kIndex, "int32 or int64");
  add(Types::kBool, "bool");
  add(Types::kUint8, "uint8");
  return names;
}

}  // namespace

std::string Inputs::describe(size_t i) const {
  return fmt::format("input {} '{}'", i, schema_.input(i).name);
}

void Inputs::check_types() const {
  for (size_t i = 0; i < size(); i++) {
    const Types types = schema_.input(i).types;
    require(contains(types, nominal_type((*this)[i])), ErrorCode::kType, "{}: expected {}, got {}",
            describe(i), names_of(types), c10::toString((*this)[i].scalar_type()));
  }
}

void require_rank(const Inputs& in, size_t i, std::int64_t rank) {
  require(in[i].dim() == rank, ErrorCode::kShape, "{}: expected {} dimensions, got {}", in.describe(i), rank,
          to_string(std::span(in[i].sizes().data(), in[i].sizes().size())));
}

void require_shape(const Inputs& in, size_t i, std::span<const std::int64_t> expected) {
  const auto sizes = in[i].sizes();
  bool same = sizes.size() == expected.size();
  for (size_t d = 0; same && d < expected.size(); d++)
    same = expected[d] == kUnknown || expected[d] == sizes[d];
  require(same, ErrorCode::kShape, "{}: expected {}, got {}", in.describe(i), to_string(expected),
          to_string(std::span(sizes.data(), sizes.size())));
}

std::vector<PartialShape> shapes_of(const Inputs& in) {
  std::vector<PartialShape> shapes;
  for (size_t i = 0; i < in.size(); i++) shapes.emplace_back(in[i].sizes().vec());
  return shapes;
}

}  // namespace caffe2rt
