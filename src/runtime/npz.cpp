#include "runtime/npz.h"

#include <ATen/ops/empty.h>

#include <array>
#include <cstring>
#include <memory>
#include <regex>
#include <utility>

#include "base/error.h"
#include "runtime/zip_entry.h"

namespace caffe2rt {
namespace {

constexpr char kMagic[] = "\x93NUMPY";
constexpr size_t kMagicSize = 6;

struct Dtype {
  const char* descr;
  at::ScalarType type;
};
constexpr std::array kDtypes = {Dtype{"<f4", at::kFloat}, Dtype{"<f8", at::kDouble}, Dtype{"<f2", at::kHalf},
                                Dtype{"<i4", at::kInt},   Dtype{"<i8", at::kLong},   Dtype{"<i2", at::kShort},
                                Dtype{"|i1", at::kChar},  Dtype{"|u1", at::kByte},   Dtype{"|b1", at::kBool}};

std::string zip_error(int code) {
  zip_error_t error;
  zip_error_init_with_code(&error, code);
  std::string text = zip_error_strerror(&error);
  zip_error_fini(&error);
  return text;
}

std::unique_ptr<zip_t, CloseZip> open_zip(const std::filesystem::path& file, int flags) {
  int code = 0;
  std::unique_ptr<zip_t, CloseZip> zip(zip_open(file.c_str(), flags, &code));
  if (!zip) {
    const bool missing = code == ZIP_ER_NOENT;
    fail(missing                ? ErrorCode::kNotFound
         : code == ZIP_ER_NOZIP ? ErrorCode::kFormat
                                : ErrorCode::kIo,
         "cannot be opened as .npz: {}", zip_error(code));
  }
  return zip;
}

// The value of `key` in the header, a Python dict literal as numpy writes it.
std::string header_value(const std::string& header, const char* key, const char* pattern) {
  std::smatch match;
  const std::regex expression(std::string("'") + key + "': *" + pattern);
  require(std::regex_search(header, match, expression), ErrorCode::kFormat, "array header without '{}'", key);
  return match[1];
}

at::Tensor parse_npy(const std::string& bytes) {
  require(bytes.size() > 10 && std::memcmp(bytes.data(), kMagic, kMagicSize) == 0, ErrorCode::kFormat,
          "expected a .npy array, got other bytes");
  const auto byte = [&](size_t i) { return static_cast<size_t>(static_cast<unsigned char>(bytes[i])); };
  const bool long_header = byte(6) >= 2;
  const size_t start = long_header ? 12 : 10;
  require(bytes.size() >= start, ErrorCode::kFormat, "truncated array header");
  const size_t length =
      long_header ? byte(8) | byte(9) << 8 | byte(10) << 16 | byte(11) << 24 : byte(8) | byte(9) << 8;
  require(length <= bytes.size() - start, ErrorCode::kFormat, "truncated array header");
  constexpr size_t kMost = 4096;  // regular expressions recurse
  require(length <= kMost, ErrorCode::kFormat, "expected an array header of at most {} bytes, got {}", kMost,
          length);
  const std::string header = bytes.substr(start, length);

  const std::string descr = header_value(header, "descr", "'([^']*)'");
  const auto* dtype =
      std::find_if(kDtypes.begin(), kDtypes.end(), [&](const Dtype& d) { return descr == d.descr; });
  require(dtype != kDtypes.end(), ErrorCode::kFormat, "element type '{}' is not supported", descr);
  require(header_value(header, "fortran_order", "(True|False)") == "False", ErrorCode::kFormat,
          "expected C order, got Fortran order");
  std::vector<std::int64_t> shape;
  const std::string dims = header_value(header, "shape", "\\(([0-9, ]*)\\)");
  const std::regex number("[0-9]{1,12}");
  for (std::sregex_iterator d(dims.begin(), dims.end(), number), end; d != end; ++d)
    shape.push_back(std::stoll(d->str()));

  const size_t payload = bytes.size() - start - length;
  size_t expected = c10::elementSize(dtype->type);
  for (const auto d : shape)
    require(!__builtin_mul_overflow(expected, static_cast<size_t>(d), &expected), ErrorCode::kLimit,
            "array of an absurd size");
  require(payload == expected, ErrorCode::kFormat, "expected {} bytes of values, got {}", expected, payload);
  at::Tensor tensor = at::empty(shape, dtype->type);
  if (payload > 0) std::memcpy(tensor.mutable_data_ptr(), bytes.data() + start + length, payload);
  return tensor;
}

std::string format_npy(const at::Tensor& tensor) {
  const auto* dtype = std::find_if(kDtypes.begin(), kDtypes.end(),
                                   [&](const Dtype& d) { return tensor.scalar_type() == d.type; });
  require(dtype != kDtypes.end(), ErrorCode::kType, "element type {} cannot be written",
          c10::toString(tensor.scalar_type()));
  std::string shape;
  for (const auto d : tensor.sizes()) shape += std::to_string(d) + ",";
  std::string header =
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", dtype->descr, shape);
  header.append(64 - (10 + header.size() + 1) % 64, ' ');  // numpy aligns the values to 64 bytes
  header += '\n';
  std::string bytes(kMagic, kMagicSize);
  bytes += {'\x01', '\x00', static_cast<char>(header.size() & 0xff), static_cast<char>(header.size() >> 8)};
  const at::Tensor contiguous = tensor.contiguous();
  return bytes + header +
         std::string(static_cast<const char*>(contiguous.const_data_ptr()), contiguous.nbytes());
}

}  // namespace

NamedTensors read_npz(const std::filesystem::path& file) {
  constexpr zip_uint64_t kMaxBytes = zip_uint64_t{8} << 30;
  return at_place([&] { return file.string(); },
                  [&] {
                    NamedTensors tensors;
                    const auto zip = open_zip(file, ZIP_RDONLY);
                    for (zip_int64_t i = 0; i < zip_get_num_entries(zip.get(), 0); i++) {
                      const char* entry = zip_get_name(zip.get(), i, 0);
                      require(entry != nullptr, ErrorCode::kFormat, "broken directory");
                      std::string name = entry;
                      if (name.ends_with(".npy")) name.resize(name.size() - 4);
                      at_place([&] { return fmt::format("array '{}'", name); },
                               [&] { tensors[name] = parse_npy(read_zip_entry(zip.get(), i, kMaxBytes)); });
                    }
                    return tensors;
                  });
}

void write_npz(const std::filesystem::path& file, const NamedTensors& tensors) {
  at_place(
      [&] { return file.string(); },
      [&] {
        auto zip = open_zip(file, ZIP_CREATE | ZIP_TRUNCATE);
        std::vector<std::string> arrays;  // libzip reads them when it closes the file
        arrays.reserve(tensors.size());
        for (const auto& [name, tensor] : tensors) {
          arrays.push_back(format_npy(tensor));
          zip_source_t* source = zip_source_buffer(zip.get(), arrays.back().data(), arrays.back().size(), 0);
          require(source != nullptr, ErrorCode::kIo, "{}", zip_strerror(zip.get()));
          if (zip_file_add(zip.get(), (name + ".npy").c_str(), source, ZIP_FL_ENC_UTF_8) < 0) {
            zip_source_free(source);
            fail(ErrorCode::kIo, "array '{}': {}", name, zip_strerror(zip.get()));
          }
        }
        require(zip_close(zip.get()) == 0, ErrorCode::kIo, "cannot be written: {}", zip_strerror(zip.get()));
        static_cast<void>(zip.release());  // zip_close has freed it
      });
}

}  // namespace caffe2rt
