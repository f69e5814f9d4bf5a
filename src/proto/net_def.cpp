#include "proto/net_def.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/io/zero_copy_stream_impl.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/text_format.h>
#include <google/protobuf/wire_format_lite.h>

#include <algorithm>
#include <climits>
#include <fstream>
#include <iterator>

#include "base/error.h"
#include "caffe2.pb.h"

namespace caffe2rt {
namespace {

namespace pb = google::protobuf;

const Argument* find_argument(const std::vector<Argument>& args, std::string_view name) {
  const auto found =
      std::find_if(args.begin(), args.end(), [&](const Argument& a) { return a.name == name; });
  return found == args.end() ? nullptr : &*found;
}

// Moves what it can: the values of an init net are most of a model.
Argument take(wire::Argument& from) {
  Argument to;
  to.name = std::move(*from.mutable_name());
  if (from.has_f()) to.f = from.f();
  if (from.has_i()) to.i = from.i();
  if (from.has_s()) to.s = std::move(*from.mutable_s());
  if (from.floats_size() > 0) to.floats = std::vector<float>(from.floats().begin(), from.floats().end());
  to.ints.assign(from.ints().begin(), from.ints().end());
  for (auto& s : *from.mutable_strings()) to.strings.push_back(std::move(s));
  to.has_other = from.has_n() || from.nets_size() > 0 || from.has_t() || from.tensors_size() > 0;
  return to;
}

OperatorDef take(wire::OperatorDef& from) {
  OperatorDef to;
  to.type = std::move(*from.mutable_type());
  to.name = std::move(*from.mutable_name());
  to.inputs.assign(from.input().begin(), from.input().end());
  to.outputs.assign(from.output().begin(), from.output().end());
  for (auto& arg : *from.mutable_arg()) to.args.push_back(take(arg));
  return to;
}

void check_count(size_t operators, const Limits& limits) {
  require(operators <= limits.operators, ErrorCode::kLimit, "expected at most {} operators, got {}",
          limits.operators, operators);
}

NetDef take(wire::NetDef& from, std::vector<OperatorDef> ops, const std::string& source,
            const Limits& limits) {
  NetDef to;
  to.source = source;
  to.ops = std::move(ops);
  check_count(to.ops.size() + static_cast<size_t>(from.op_size()), limits);
  to.name = std::move(*from.mutable_name());
  for (auto& op : *from.mutable_op()) to.ops.push_back(take(op));
  for (auto& arg : *from.mutable_arg()) to.args.push_back(take(arg));
  to.external_inputs.assign(from.external_input().begin(), from.external_input().end());
  to.external_outputs.assign(from.external_output().begin(), from.external_output().end());
  require(!to.ops.empty(), ErrorCode::kFormat, "expected a network, got one without operators");
  return to;
}

// Keeps the first complaint of the text parser, which otherwise prints to stderr.
class FirstError final : public pb::io::ErrorCollector {
 public:
  void AddError(int line, pb::io::ColumnNumber column, const std::string& message) override {
    if (text_.empty()) text_ = fmt::format("line {}, column {}: {}", line + 1, column + 1, message);
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// Opens a file of a size within the limits.
std::ifstream open_file(const std::filesystem::path& file, const Limits& limits) {
  std::error_code error;
  const auto status = std::filesystem::status(file, error);
  require(std::filesystem::exists(status), ErrorCode::kNotFound, "no such file");
  require(!std::filesystem::is_directory(status), ErrorCode::kIo, "expected a file, got a directory");
  std::ifstream in(file, std::ios::binary);
  require(in.good(), ErrorCode::kIo, "cannot be opened for reading");
  const auto size = std::filesystem::file_size(file, error);
  require(!error, ErrorCode::kIo, "size cannot be read: {}", error.message());
  require(size <= limits.file_bytes, ErrorCode::kLimit, "expected at most {} bytes, got {}",
          limits.file_bytes, size);
  require(size > 0, ErrorCode::kFormat, "the file is empty");
  return in;
}

std::string read_all(std::ifstream& in) {
  std::string bytes{std::istreambuf_iterator<char>(in), {}};
  require(!in.bad(), ErrorCode::kIo, "could not be read to its end");
  return bytes;
}

// A text NetDef begins with a field name, or a comment; binary has control bytes at once.
bool looks_like_text(std::string_view bytes) {
  return std::all_of(bytes.begin(), bytes.end(),
                     [](unsigned char c) { return c >= 0x20 || c == '\n' || c == '\r' || c == '\t'; });
}

// A field of any kind but a message's: read and written as it is.
bool copy_field(std::uint32_t tag, pb::io::CodedInputStream& from, pb::io::CodedOutputStream& to) {
  enum Kind { kVarint, k64Bits, kBytes, k32Bits = 5 };
  std::uint64_t number = 0;
  std::uint32_t word = 0;
  std::string bytes;
  to.WriteTag(tag);
  switch (tag & 7) {
    case kVarint:
      if (!from.ReadVarint64(&number)) return false;
      to.WriteVarint64(number);
      return true;
    case k64Bits:
      if (!from.ReadLittleEndian64(&number)) return false;
      to.WriteLittleEndian64(number);
      return true;
    case kBytes:
      if (!from.ReadVarint32(&word) || word > INT_MAX || !from.ReadString(&bytes, static_cast<int>(word)))
        return false;
      to.WriteVarint32(word);
      to.WriteString(bytes);
      return true;
    case k32Bits:
      if (!from.ReadLittleEndian32(&word)) return false;
      to.WriteLittleEndian32(word);
      return true;
    default:
      return false;
  }
}

bool read_operator(pb::io::CodedInputStream& coded, std::vector<OperatorDef>& ops) {
  std::uint32_t size = 0;
  if (!coded.ReadVarint32(&size) || size > INT_MAX) return false;
  wire::OperatorDef op;
  const auto limit = coded.PushLimit(static_cast<int>(size));
  if (!op.ParseFromCodedStream(&coded) || coded.BytesUntilLimit() != 0) return false;
  coded.PopLimit(limit);
  ops.push_back(take(op));
  return true;
}

// Operators are read one by one: of a large net's numbers there is never more than one copy, and one
// operator's second.
bool parse_fields(pb::io::CodedInputStream& coded, const Limits& limits, wire::NetDef& rest,
                  std::vector<OperatorDef>& ops) {
  constexpr std::uint32_t kOperator = wire::NetDef::kOpFieldNumber << 3 | 2;
  std::string others;
  {
    pb::io::StringOutputStream stream(&others);
    pb::io::CodedOutputStream copy(&stream);
    while (const std::uint32_t tag = coded.ReadTag()) {
      if (!(tag == kOperator ? read_operator(coded, ops) : copy_field(tag, coded, copy))) return false;
      check_count(ops.size(), limits);
    }
  }
  return coded.ConsumedEntireMessage() && rest.ParseFromString(others);
}

NetDef parse_net_binary(std::ifstream& in, const std::string& source, const Limits& limits) {
  wire::NetDef rest;
  std::vector<OperatorDef> ops;
  pb::io::IstreamInputStream stream(&in);
  bool parsed = false;
  {
    pb::io::CodedInputStream coded(&stream);
    coded.SetTotalBytesLimit(INT_MAX);
    parsed = parse_fields(coded, limits, rest, ops);
  }
  require(!in.bad(), ErrorCode::kIo, "could not be read to its end");
  if (!parsed) {
    in.clear();
    in.seekg(0);
    std::string head(256, '\0');
    in.read(head.data(), static_cast<std::streamsize>(head.size()));
    head.resize(static_cast<size_t>(in.gcount()));
    require(!looks_like_text(head), ErrorCode::kFormat,
            "expected a binary NetDef, got text: a text NetDef's name ends in .pbtxt");
    fail(ErrorCode::kFormat, "expected a binary NetDef, got bytes that are none, or only a part of one");
  }
  return take(rest, std::move(ops), source, limits);
}

}  // namespace

const Argument* OperatorDef::find(std::string_view argument) const { return find_argument(args, argument); }
const Argument* NetDef::find(std::string_view argument) const { return find_argument(args, argument); }

NetDef parse_net_text(const std::string& text, const std::string& source, const Limits& limits) {
  wire::NetDef net;
  FirstError error;
  pb::TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  parser.AllowUnknownField(true);  // fields that other versions of the format add are of no use here
  require(parser.ParseFromString(text, &net), ErrorCode::kFormat, "expected a text NetDef: {}", error.text());
  return take(net, {}, source, limits);
}

NetDef read_net(const std::filesystem::path& file, const Limits& limits) {
  return at_place([&] { return file.string(); },
                  [&] {
                    std::ifstream in = open_file(file, limits);
                    const auto extension = file.extension();
                    if (extension == ".pbtxt" || extension == ".prototxt")
                      return parse_net_text(read_all(in), file.string(), limits);
                    return parse_net_binary(in, file.string(), limits);
                  });
}

std::string serialize_net(const NetDef& net) {
  wire::NetDef to;
  const auto put = [](const Argument& arg, wire::Argument* out) {
    out->set_name(arg.name);
    if (arg.f) out->set_f(*arg.f);
    if (arg.i) out->set_i(*arg.i);
    if (arg.s) out->set_s(*arg.s);
    for (const float v : arg.floats.values()) out->add_floats(v);
    for (const auto v : arg.ints) out->add_ints(v);
    for (const auto& v : arg.strings) out->add_strings(v);
  };
  to.set_name(net.name);
  for (const auto& op : net.ops) {
    auto* out = to.add_op();
    out->set_type(op.type);
    out->set_name(op.name);
    for (const auto& blob : op.inputs) out->add_input(blob);
    for (const auto& blob : op.outputs) out->add_output(blob);
    for (const auto& arg : op.args) put(arg, out->add_arg());
  }
  for (const auto& arg : net.args) put(arg, to.add_arg());
  for (const auto& blob : net.external_inputs) to.add_external_input(blob);
  for (const auto& blob : net.external_outputs) to.add_external_output(blob);
  return to.SerializeAsString();
}

}  // namespace caffe2rt
