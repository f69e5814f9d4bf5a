#include "runtime/npz.h"

#include <zip.h>

#include <filesystem>
#include <fstream>

#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

std::string scratch(const char* name) { return testing::TempDir() + name; }

TEST(Npz, GivesBackWhatWasWritten) {
  const std::string file = scratch("round_trip.npz");
  const NamedTensors written = {{"data", tensor({2, 3}, {1, 2, 3, 4, 5, 6})},
                                {"out/rois", int64_tensor({2}, {7, -8})},
                                {"empty", tensor({0, 4}, {})},
                                {"scalar", tensor({}, {3})}};
  write_npz(file, written);
  const NamedTensors read = read_npz(file);
  ASSERT_EQ(read.size(), written.size());
  for (const auto& [name, t] : written) EXPECT_TENSOR_EQ(read.at(name), t);
}

TEST(Npz, SaysWhichFileIsMissing) {
  EXPECT_ERROR(read_npz("/nowhere/at_all.npz"), ErrorCode::kNotFound, "/nowhere/at_all.npz");
}

TEST(Npz, RefusesAFileThatIsNoZip) {
  const std::string file = scratch("no_zip.npz");
  std::ofstream(file) << "hello, I am text and long enough to be looked at";
  EXPECT_ERROR(read_npz(file), ErrorCode::kFormat, "cannot be opened as .npz");
}

TEST(Npz, SurvivesTruncationAtEveryLength) {
  const std::string whole = scratch("whole.npz"), part = scratch("part.npz");
  write_npz(whole, {{"x", random({3, 4})}});
  std::ifstream in(whole, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(in)), {});
  for (size_t length = 1; length < bytes.size(); length++) {
    std::ofstream(part, std::ios::binary) << bytes.substr(0, length);
    EXPECT_THROW(read_npz(part), Error) << length << " bytes";
  }
}

TEST(Npz, RefusesAHeaderOfThousandsOfDimensions) {
  const std::string file = scratch("dimensions.npz");
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (";
  for (int i = 0; i < 20000; i++) header += "1,";
  header += "), }\n";
  std::string array = "\x93NUMPY";
  array += {'\x01', '\x00', static_cast<char>(header.size() & 0xff), static_cast<char>(header.size() >> 8)};
  array += header + std::string(4, '\0');
  int code = 0;
  zip_t* zip = zip_open(file.c_str(), ZIP_CREATE | ZIP_TRUNCATE, &code);
  ASSERT_TRUE(zip);
  zip_file_add(zip, "a.npy", zip_source_buffer(zip, array.data(), array.size(), 0), 0);
  ASSERT_EQ(zip_close(zip), 0);
  EXPECT_ERROR(read_npz(file), ErrorCode::kFormat, "header");
}

TEST(Npz, RefusesToWriteWhereItCannot) {
  EXPECT_ERROR(write_npz("/nowhere/at_all.npz", {{"x", tensor({1}, {1})}}), ErrorCode::kIo,
               "/nowhere/at_all.npz");
}

}  // namespace
}  // namespace caffe2rt
