#include "runtime/zip_entry.h"

#include <memory>

#include "base/error.h"

namespace caffe2rt {

std::string read_zip_entry(zip_t* zip, zip_uint64_t index, zip_uint64_t most) {
  zip_stat_t stat;
  require(zip_stat_index(zip, index, 0, &stat) == 0 && (stat.valid & ZIP_STAT_SIZE), ErrorCode::kFormat,
          "zip entry {} has no size", index);
  require(stat.size <= most, ErrorCode::kLimit, "zip entry '{}': expected at most {} bytes, got {}",
          stat.name, most, stat.size);
  const std::unique_ptr<zip_file_t, CloseZip> file(zip_fopen_index(zip, index, 0));
  require(file != nullptr, ErrorCode::kFormat, "zip entry '{}' cannot be unpacked: {}", stat.name,
          zip_strerror(zip));
  std::string bytes(stat.size, '\0');
  require(zip_fread(file.get(), bytes.data(), bytes.size()) == static_cast<zip_int64_t>(bytes.size()),
          ErrorCode::kFormat, "zip entry '{}' cannot be unpacked: {}", stat.name,
          zip_file_strerror(file.get()));
  return bytes;
}

}  // namespace caffe2rt
