// NetDef: a Caffe2 network as its file says it, in plain structs, and the readers of both forms of file.
// Device options and engines are left behind: where an operator runs is decided here, not in the file. This
// header includes neither protobuf nor torch, whose headers cannot be in one translation unit.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/shared_floats.h"

namespace caffe2rt {

// One named value of an operator or net; usually exactly one of its members is set.
struct Argument {
  std::string name;
  std::optional<float> f;
  std::optional<std::int64_t> i;
  std::optional<std::string> s;
  SharedFloats floats;
  std::vector<std::int64_t> ints;
  std::vector<std::string> strings;
  bool has_other = false;  // holds a net or a tensor, which nothing here takes
};

struct OperatorDef {
  std::string type;
  std::string name;  // often empty
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  std::vector<Argument> args;

  const Argument* find(std::string_view argument) const;  // null where there is none
};

struct NetDef {
  std::string name;
  std::vector<OperatorDef> ops;  // in the order they run
  std::vector<Argument> args;
  std::vector<std::string> external_inputs;
  std::vector<std::string> external_outputs;
  std::string source;  // the file it came from, for messages

  const Argument* find(std::string_view argument) const;  // null where there is none
};

// Bounds against hostile and broken files.
struct Limits {
  std::uint64_t file_bytes = std::uint64_t{2} << 30;  // what protobuf itself can read
  std::size_t operators = 100'000;
  std::uint64_t tensor_elements = std::uint64_t{1} << 30;  // of one tensor
};

// Reads a network: text where the name ends in .pbtxt or .prototxt, else binary. Throws Error: kNotFound,
// kIo, kLimit, or kFormat, each naming the file.
NetDef read_net(const std::filesystem::path& file, const Limits& limits = {});

// Parses the text form; `source` stands in messages. Throws Error(kFormat) with line and column.
NetDef parse_net_text(const std::string& text, const std::string& source = "text", const Limits& limits = {});

// The binary form of a network, for tests and tools.
std::string serialize_net(const NetDef& net);

}  // namespace caffe2rt
