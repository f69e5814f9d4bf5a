#include "proto/net_def.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/text_format.h>

#include <algorithm>
#include <fstream>

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
  to.floats.assign(from.floats().begin(), from.floats().end());
  from.mutable_floats()->Clear();
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
  from.Clear();
  return to;
}

NetDef take(wire::NetDef& from, const std::string& source, const Limits& limits) {
  require(static_cast<size_t>(from.op_size()) <= limits.operators, ErrorCode::kLimit,
          "expected at most {} operators, got {}", limits.operators, from.op_size());
  NetDef to;
  to.source = source;
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

std::string read_file(const std::filesystem::path& file, const Limits& limits) {
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
  std::string bytes(size, '\0');
  in.read(bytes.data(), static_cast<std::streamsize>(size));
  require(in.gcount() == static_cast<std::streamsize>(size), ErrorCode::kIo,
          "only {} of {} bytes could be read", in.gcount(), size);
  return bytes;
}

// A text NetDef begins with a field name, or a comment; binary has control bytes at once.
bool looks_like_text(const std::string& bytes) {
  const auto head = std::string_view(bytes).substr(0, 256);
  return std::all_of(head.begin(), head.end(),
                     [](unsigned char c) { return c >= 0x20 || c == '\n' || c == '\r' || c == '\t'; });
}

NetDef parse_net_binary(const std::string& bytes, const std::string& source, const Limits& limits) {
  wire::NetDef net;
  pb::io::ArrayInputStream stream(bytes.data(), static_cast<int>(std::min<size_t>(bytes.size(), INT32_MAX)));
  pb::io::CodedInputStream coded(&stream);
  coded.SetTotalBytesLimit(INT32_MAX);
  if (!net.ParseFromCodedStream(&coded) || !coded.ConsumedEntireMessage()) {
    require(!looks_like_text(bytes), ErrorCode::kFormat,
            "expected a binary NetDef, got text: a text NetDef's name ends in .pbtxt");
    fail(ErrorCode::kFormat, "expected a binary NetDef, got bytes that are none, or only a part of one");
  }
  return take(net, source, limits);
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
  return take(net, source, limits);
}

NetDef read_net(const std::filesystem::path& file, const Limits& limits) {
  return at_place([&] { return file.string(); },
                  [&] {
                    const std::string bytes = read_file(file, limits);
                    const auto extension = file.extension();
                    if (extension == ".pbtxt" || extension == ".prototxt")
                      return parse_net_text(bytes, file.string(), limits);
                    return parse_net_binary(bytes, file.string(), limits);
                  });
}

std::string serialize_net(const NetDef& net) {
  wire::NetDef to;
  const auto put = [](const Argument& arg, wire::Argument* out) {
    out->set_name(arg.name);
    if (arg.f) out->set_f(*arg.f);
    if (arg.i) out->set_i(*arg.i);
    if (arg.s) out->set_s(*arg.s);
    for (const float v : arg.floats) out->add_floats(v);
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
