#include "runtime/check_operators.h"

#include <map>

#include "base/error.h"
#include "runtime/schema.h"

namespace caffe2rt {
namespace {

// Int8 operators are a world of their own (quantised blobs); the message says so instead of "unknown".
void check_operator_types(const NetDef& net) {
  std::map<std::string, int> unknown;
  for (const auto& op : net.ops)
    if (!find_schema(op.type)) unknown[op.type]++;
  if (unknown.empty()) return;
  std::string list;
  bool int8 = false;
  for (const auto& [type, count] : unknown) {
    list += fmt::format("{}'{}' ({}x)", list.empty() ? "" : ", ", type, count);
    int8 = int8 || type.starts_with("Int8");
  }
  fail(ErrorCode::kUnsupported, "operators that are not supported: {}{}", list,
       int8 ? "; Int8 operators are for quantised nets: export the model in float32" : "");
}

void check_arity(const NetDef& net) {
  for (size_t i = 0; i < net.ops.size(); i++)
    at_place([&] { return fmt::format("operator {} '{}'", i, net.ops[i].type); },
             [&] { find_schema(net.ops[i].type)->check_arity(net.ops[i]); });
}

}  // namespace

void check_operators(const NetDef& net) {
  at_place([&] { return net.source; },
           [&] {
             check_operator_types(net);
             check_arity(net);
           });
}

}  // namespace caffe2rt
