// Schema: what an operator type says of itself. Documentation, arity and type checks, shape inference and the
// constructor are kept in one place, beside the kernel; caffe2_inspect prints it.
#pragma once

#include <c10/core/ScalarType.h>

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "runtime/operator_args.h"
#include "runtime/partial_shape.h"

namespace caffe2rt {

class Operator;

// Element types that an input may have, as a set.
enum class Types : unsigned {
  kFloat = 1,      // float32
  kIndex = 2,      // int32 or int64
  kBool = 4,       // bool
  kUint8 = 8,      // uint8
  kDouble = 16,    // float64
  kBfloat16 = 32,  // bfloat16
  kNumber = kFloat | kDouble | kIndex,
  kActivation = kFloat | kBfloat16 | kUint8,  // what layers of low precision hand each other
  kAny = 0xffff,
};
bool contains(Types types, c10::ScalarType type);

// Shape of one output from the shapes of all inputs. Throws Error(kShape) where the inputs do not fit
// together.
using Infer = std::function<PartialShape(const Operator&, PartialShapes)>;

struct Schema {
  enum class Count { kOne, kOptional, kVariadic };
  struct Input {
    std::string name, doc;
    Types types = Types::kFloat;
    Count count = Count::kOne;
    bool on_host = false;  // is read in the host's memory, whatever device the operator runs on
  };
  struct Output {
    std::string name, doc;
    Infer infer;  // empty: unknown before the run
    Count count = Count::kOne;
  };
  struct Arg {
    std::string name, doc;
  };
  using Make = std::function<std::unique_ptr<Operator>(const OperatorArgs&)>;

  std::string type;
  std::string doc;
  std::vector<Input> inputs;    // optional ones last; a variadic one is the last
  std::vector<Output> outputs;  // likewise
  std::vector<Arg> args;
  Make make;
  bool any_device = false;  // run() works on tensors of any device, by ATen alone

  // The description of input or output i, where the last one stands for all that follow it if it is variadic.
  const Input& input(size_t i) const { return inputs[std::min(i, inputs.size() - 1)]; }
  const Output& output(size_t i) const { return outputs[std::min(i, outputs.size() - 1)]; }

  // Throws Error(kGraph) where the operator has too few or too many inputs or outputs.
  void check_arity(const OperatorDef& def) const;
};

// Every operator type that is linked in, by name; null where there is none.
const Schema* find_schema(const std::string& type);
std::vector<const Schema*> all_schemas();  // by name

// Builds a schema in a chain of calls; see REGISTER_OPERATOR in operator.h.
class SchemaBuilder {
 public:
  SchemaBuilder(std::string type, Schema::Make make)
      : schema_{.type = std::move(type), .make = std::move(make)} {}

  SchemaBuilder& says(std::string doc);
  SchemaBuilder& input(std::string name, std::string doc, Types types = Types::kFloat);
  SchemaBuilder& optional_input(std::string name, std::string doc, Types types = Types::kFloat);
  SchemaBuilder& host_input(std::string name, std::string doc, Types types = Types::kFloat);
  SchemaBuilder& inputs(std::string name, std::string doc, Types types = Types::kFloat);  // one or more, last
  SchemaBuilder& output(std::string name, std::string doc, Infer infer = {});
  SchemaBuilder& optional_output(std::string name, std::string doc, Infer infer = {});
  SchemaBuilder& outputs(std::string name, std::string doc, Infer infer = {});  // one or more, last
  SchemaBuilder& arg(std::string name, std::string doc);
  SchemaBuilder& args(std::span<const Schema::Arg> several);  // what a family of operators shares
  SchemaBuilder& runs_on_any_device();                        // reads and writes its tensors by ATen alone

 private:
  friend struct Registered;
  Schema schema_;
};

// Enters a schema into the registry when it is constructed, before main().
struct Registered {
  Registered(const SchemaBuilder& builder);  // NOLINT(google-explicit-constructor): the end of the chain
};

namespace infer {

// The shape of input i.
Infer same_as(size_t i);

// Always this shape; kUnknown for what only a run tells.
Infer fixed(std::vector<std::int64_t> shape);

}  // namespace infer
}  // namespace caffe2rt
