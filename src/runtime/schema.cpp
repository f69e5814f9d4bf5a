#include "runtime/schema.h"

#include <algorithm>
#include <map>

namespace caffe2rt {
namespace {

// Operators register themselves in no particular order before main(), so the table makes itself on first use.
std::map<std::string, Schema>& registry() {
  static std::map<std::string, Schema> schemas;
  return schemas;
}

template <class Blobs>
void check_count(const Blobs& blobs, size_t got, const char* what) {
  using Count = Schema::Count;
  const auto least = static_cast<size_t>(
      std::count_if(blobs.begin(), blobs.end(), [](const auto& b) { return b.count != Count::kOptional; }));
  const bool open = !blobs.empty() && blobs.back().count == Count::kVariadic;
  if (got >= least && (open || got <= blobs.size())) return;
  const std::string expected = open                   ? fmt::format("at least {}", least)
                               : least < blobs.size() ? fmt::format("{} to {}", least, blobs.size())
                                                      : std::to_string(least);
  fail(ErrorCode::kGraph, "expected {} {}, got {}", expected, what, got);
}

}  // namespace

bool contains(Types types, c10::ScalarType type) {
  const auto in = [&](Types t) { return (static_cast<unsigned>(types) & static_cast<unsigned>(t)) != 0; };
  if (types == Types::kAny) return true;
  switch (type) {
    case c10::ScalarType::Float:
      return in(Types::kFloat);
    case c10::ScalarType::Int:
    case c10::ScalarType::Long:
      return in(Types::kIndex);
    case c10::ScalarType::Bool:
      return in(Types::kBool);
    case c10::ScalarType::Byte:
      return in(Types::kUint8);
    case c10::ScalarType::Double:
      return in(Types::kDouble);
    case c10::ScalarType::BFloat16:
      return in(Types::kBfloat16);
    default:
      return false;
  }
}

void Schema::check_arity(const OperatorDef& def) const {
  check_count(inputs, def.inputs.size(), "inputs");
  check_count(outputs, def.outputs.size(), "outputs");
}

const Schema* find_schema(const std::string& type) {
  const auto found = registry().find(type);
  return found == registry().end() ? nullptr : &found->second;
}

std::vector<const Schema*> all_schemas() {
  std::vector<const Schema*> all;
  for (const auto& [type, schema] : registry()) all.push_back(&schema);
  return all;
}

SchemaBuilder& SchemaBuilder::says(std::string doc) {
  schema_.doc = std::move(doc);
  return *this;
}
SchemaBuilder& SchemaBuilder::input(std::string name, std::string doc, Types types) {
  schema_.inputs.push_back({std::move(name), std::move(doc), types, Schema::Count::kOne});
  return *this;
}
SchemaBuilder& SchemaBuilder::optional_input(std::string name, std::string doc, Types types) {
  schema_.inputs.push_back({std::move(name), std::move(doc), types, Schema::Count::kOptional});
  return *this;
}
SchemaBuilder& SchemaBuilder::host_input(std::string name, std::string doc, Types types) {
  schema_.inputs.push_back({std::move(name), std::move(doc), types, Schema::Count::kOne, /*on_host=*/true});
  return *this;
}
SchemaBuilder& SchemaBuilder::inputs(std::string name, std::string doc, Types types) {
  schema_.inputs.push_back({std::move(name), std::move(doc), types, Schema::Count::kVariadic});
  return *this;
}
SchemaBuilder& SchemaBuilder::output(std::string name, std::string doc, Infer infer) {
  schema_.outputs.push_back({std::move(name), std::move(doc), std::move(infer), Schema::Count::kOne});
  return *this;
}
SchemaBuilder& SchemaBuilder::optional_output(std::string name, std::string doc, Infer infer) {
  schema_.outputs.push_back({std::move(name), std::move(doc), std::move(infer), Schema::Count::kOptional});
  return *this;
}
SchemaBuilder& SchemaBuilder::outputs(std::string name, std::string doc, Infer infer) {
  schema_.outputs.push_back({std::move(name), std::move(doc), std::move(infer), Schema::Count::kVariadic});
  return *this;
}
SchemaBuilder& SchemaBuilder::arg(std::string name, std::string doc) {
  schema_.args.push_back({std::move(name), std::move(doc)});
  return *this;
}
SchemaBuilder& SchemaBuilder::args(std::span<const Schema::Arg> several) {
  schema_.args.insert(schema_.args.end(), several.begin(), several.end());
  return *this;
}
SchemaBuilder& SchemaBuilder::runs_on_any_device() {
  schema_.any_device = true;
  return *this;
}

Registered::Registered(const SchemaBuilder& builder) {
  registry().insert_or_assign(builder.schema_.type, builder.schema_);
}

namespace infer {

Infer same_as(size_t i) {
  return [i](const Operator&, PartialShapes in) { return in[i]; };
}

Infer fixed(std::vector<std::int64_t> shape) {
  return [shape = std::move(shape)](const Operator&, PartialShapes) { return PartialShape(shape); };
}

}  // namespace infer
}  // namespace caffe2rt
