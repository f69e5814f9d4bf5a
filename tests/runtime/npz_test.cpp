#include "runtime/npz.h"

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

TEST(Npz, RefusesToWriteWhereItCannot) {
  EXPECT_ERROR(write_npz("/nowhere/at_all.npz", {{"x", tensor({1}, {1})}}), ErrorCode::kIo,
               "/nowhere/at_all.npz");
}

}  // namespace
}  // namespace caffe2rt
