#include "decode/torch_archive.h"

#include <cstring>
#include <memory>

#include "base/error.h"
#include "runtime/zip_entry.h"

namespace caffe2rt {
namespace {

using Kind = PickleValue::Kind;

constexpr size_t kMaxBytes = size_t{16} << 20;
constexpr std::int64_t kMaxElements = 1'000'000;

// The first pickle of the older form holds this number, 0x1950a86a20f9469cfc6c.
constexpr std::string_view kStreamMagic("\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", 10);

TorchArchive read_zip(std::string_view bytes) {
  zip_source_t* source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, nullptr);
  std::unique_ptr<zip_t, CloseZip> zip(zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, nullptr));
  if (!zip) zip_source_free(source);
  require(zip != nullptr, ErrorCode::kFormat, "expected a zip file, got a broken one");

  TorchArchive archive;
  bool has_pickle = false;
  size_t total = 0;
  for (zip_int64_t i = 0; i < zip_get_num_entries(zip.get(), 0); i++) {
    const char* entry_name = zip_get_name(zip.get(), i, 0);
    const std::string_view path = entry_name ? entry_name : "";
    const std::string_view name = path.substr(path.find('/') + 1);  // below the archive's own name
    const bool is_pickle = name == "data.pkl";
    if (!is_pickle && !name.starts_with("data/")) continue;
    std::string content = read_zip_entry(zip.get(), i, kMaxBytes);
    total += content.size();
    require(total <= kMaxBytes, ErrorCode::kLimit, "zip file: expected at most {} bytes", kMaxBytes);
    if (is_pickle) {
      std::string_view rest = content;
      archive.pickle = Pickle::read(rest);
      has_pickle = true;
    } else {
      archive.storages[std::string(name.substr(5))] = std::move(content);
    }
  }
  require(has_pickle, ErrorCode::kFormat, "zip file without data.pkl");
  return archive;
}

// What a tensor says of its storage: ("storage", type, key, location, number of elements, ...).
struct StorageNote {
  std::string key;
  size_t element_bytes = 0;
  std::int64_t elements = 0;
};

bool is_storage(const Pickle& pickle, const PickleValue& value) {
  if (value.kind != Kind::kPersistent) return false;
  const PickleValue& id = pickle[value.arguments];
  return id.kind == Kind::kTuple && id.items.size() >= 5 && pickle[id.items[0]].text == "storage";
}

StorageNote storage_note(const Pickle& pickle, const PickleValue& value) {
  require(is_storage(pickle, value), ErrorCode::kFormat, "expected a storage");
  const PickleValue& id = pickle[value.arguments];
  const PickleValue &type = pickle[id.items[1]], &key = pickle[id.items[2]], &elements = pickle[id.items[4]];
  require(type.kind == Kind::kName && key.kind == Kind::kString && elements.kind == Kind::kInt,
          ErrorCode::kFormat, "expected a storage's type, key and size");
  StorageNote note{key.text, 0, elements.integer};
  if (type.text == "torch.FloatStorage") note.element_bytes = sizeof(float);
  if (type.text == "torch.DoubleStorage") note.element_bytes = sizeof(double);
  require(note.element_bytes != 0, ErrorCode::kUnsupported, "expected float32 or float64 numbers, got {}",
          type.text);
  return note;
}

// Magic number, protocol, system, object, list of storage keys, then each storage: an int64 count and raw
// numbers.
TorchArchive read_stream(std::string_view bytes) {
  const Pickle magic = Pickle::read(bytes);
  require(magic.root().kind == Kind::kLong && magic.root().text == kStreamMagic, ErrorCode::kFormat,
          "expected the magic number of torch.save");
  const Pickle protocol = Pickle::read(bytes), system = Pickle::read(bytes);
  require(protocol.root().integer == 1001, ErrorCode::kUnsupported,
          "torch.save: expected protocol 1001, got {}", protocol.root().integer);
  const PickleValue* little_endian = system.find(system.root(), "little_endian");
  require(!little_endian || little_endian->integer == 1, ErrorCode::kUnsupported,
          "torch.save: expected little-endian numbers");
  TorchArchive archive{Pickle::read(bytes), {}};

  std::map<std::string, size_t> element_bytes;
  for (const PickleValue& value : archive.pickle.values()) {
    if (!is_storage(archive.pickle, value)) continue;
    const StorageNote note = storage_note(archive.pickle, value);
    element_bytes[note.key] = note.element_bytes;
  }
  const Pickle keys = Pickle::read(bytes);
  for (const PickleId id : keys.root().items) {
    const auto known = element_bytes.find(keys[id].text);
    require(known != element_bytes.end(), ErrorCode::kFormat, "storage '{}' belongs to nothing",
            keys[id].text);
    std::uint64_t count = 0;
    require(bytes.size() >= sizeof count, ErrorCode::kFormat, "storage '{}' is missing", known->first);
    std::memcpy(&count, bytes.data(), sizeof count);
    bytes.remove_prefix(sizeof count);
    require(count <= bytes.size() / known->second, ErrorCode::kFormat,
            "storage '{}': expected {} numbers in {} bytes", known->first, count, bytes.size());
    archive.storages[known->first] = bytes.substr(0, count * known->second);
    bytes.remove_prefix(count * known->second);
  }
  return archive;
}

std::vector<std::int64_t> read_ints(const Pickle& pickle, const PickleValue& tuple) {
  require(tuple.kind == Kind::kTuple && tuple.items.size() <= 8, ErrorCode::kFormat,
          "tensor: expected sizes");
  std::vector<std::int64_t> ints;
  for (const PickleId id : tuple.items) {
    const PickleValue& value = pickle[id];
    require(value.kind == Kind::kInt && value.integer >= 0 && value.integer <= kMaxElements,
            ErrorCode::kFormat, "tensor: expected sizes up to {}", kMaxElements);
    ints.push_back(value.integer);
  }
  return ints;
}

float number_at(const std::string& storage, size_t element_bytes, std::int64_t index) {
  const char* from = storage.data() + index * element_bytes;
  if (element_bytes == sizeof(float)) {
    float value = 0;
    std::memcpy(&value, from, sizeof value);
    return value;
  }
  double value = 0;
  std::memcpy(&value, from, sizeof value);
  return static_cast<float>(value);
}

}  // namespace

TorchArchive read_torch_archive(std::string_view bytes) {
  require(bytes.size() <= kMaxBytes, ErrorCode::kLimit, "torch archive: expected at most {} bytes, got {}",
          kMaxBytes, bytes.size());
  return bytes.starts_with("PK\x03\x04") ? read_zip(bytes) : read_stream(bytes);
}

SavedTensor read_tensor(const TorchArchive& archive, const PickleValue& value) {
  const Pickle& pickle = archive.pickle;
  require(
      value.kind == Kind::kObject && pickle[value.callee].text.starts_with("torch._utils._rebuild_tensor"),
      ErrorCode::kFormat, "expected a tensor");
  const auto& arguments = pickle[value.arguments].items;  // storage, offset, sizes, strides, ...
  require(arguments.size() >= 4, ErrorCode::kFormat, "tensor: expected 4 arguments, got {}",
          arguments.size());
  const StorageNote note = storage_note(pickle, pickle[arguments[0]]);
  const auto found = archive.storages.find(note.key);
  require(found != archive.storages.end(), ErrorCode::kFormat, "tensor: storage '{}' is missing", note.key);
  const std::string& storage = found->second;
  const std::int64_t offset = pickle[arguments[1]].integer;
  SavedTensor tensor;
  tensor.shape = read_ints(pickle, pickle[arguments[2]]);
  const auto strides = read_ints(pickle, pickle[arguments[3]]);
  require(strides.size() == tensor.shape.size(), ErrorCode::kFormat, "tensor: expected {} strides, got {}",
          tensor.shape.size(), strides.size());

  std::int64_t elements = 1, last = offset;
  for (size_t d = 0; d < strides.size(); d++) {
    elements *= tensor.shape[d];
    last += (tensor.shape[d] - 1) * strides[d];
    require(elements <= kMaxElements, ErrorCode::kLimit, "tensor: more than {} elements", kMaxElements);
  }
  if (elements == 0) return tensor;
  require(offset >= 0 && offset <= kMaxElements &&
              last < static_cast<std::int64_t>(storage.size() / note.element_bytes),
          ErrorCode::kFormat, "tensor: reaches past its storage of {} bytes", storage.size());
  tensor.values.resize(elements);
  for (std::int64_t i = 0; i < elements; i++) {
    std::int64_t index = offset, rest = i;
    for (size_t d = strides.size(); d-- > 0; rest /= tensor.shape[d])
      index += rest % tensor.shape[d] * strides[d];
    tensor.values[i] = number_at(storage, note.element_bytes, index);
  }
  return tensor;
}

}  // namespace caffe2rt
