#include "graph/precision.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

namespace fs = std::filesystem;

class CalibrationTest : public testing::Test {
 protected:
  void SetUp() override { fs::create_directories(folder); }
  void TearDown() override { fs::remove_all(folder); }
  void write(const std::string& text) const { std::ofstream(file) << text; }
  const fs::path folder = fs::temp_directory_path() / ("caffe2rt_calibration_" + std::to_string(getpid()));
  const std::string file = (folder / "calibration.json").string();
};

TEST(Precision, HasNames) {
  EXPECT_EQ(parse_precision("auto"), Precision::kFloat32);
  EXPECT_EQ(parse_precision("bf16"), Precision::kBfloat16);
  EXPECT_EQ(parse_precision("int8"), Precision::kInt8);
  EXPECT_ERROR(parse_precision("fp8"), ErrorCode::kArgument,
               "expected auto, fp32, fp16, bf16 or int8, got 'fp8'");
}

TEST_F(CalibrationTest, IsReadAsItWasWritten) {
  write_calibration({{{"a", {-1, 2.5F}}, {"b", {0, 3}}}}, file);
  const Calibration read = read_calibration(file);
  ASSERT_EQ(read.ranges.size(), 2U);
  EXPECT_EQ(read.ranges.at("a").low, -1);
  EXPECT_EQ(read.ranges.at("a").high, 2.5F);
}

TEST_F(CalibrationTest, LiesBesideTheNet) {
  const std::string net = (folder / "model.pb").string();
  EXPECT_FALSE(calibration_for(Precision::kBfloat16, net));
  EXPECT_ERROR(calibration_for(Precision::kInt8, net), ErrorCode::kNotFound, "caffe2_calibrate writes");
  write_calibration({{{"a", {0, 1}}}}, file);
  EXPECT_TRUE(calibration_for(Precision::kInt8, net));
}

TEST_F(CalibrationTest, RefusesOtherFiles) {
  EXPECT_ERROR(read_calibration(file), ErrorCode::kIo, "cannot be read");
  for (const char* text :
       {"", "[]", "{}", R"({"version": 2, "ranges": {}})", R"({"version": 1, "ranges": [1]})"}) {
    write(text);
    EXPECT_ERROR(read_calibration(file), ErrorCode::kFormat, "expected a calibration of version 1");
  }
  write(R"({"version": 1, "ranges": {"a": [1]}})");
  EXPECT_ERROR(read_calibration(file), ErrorCode::kFormat, "blob 'a': expected two numbers");
  write(R"({"version": 1, "ranges": {"a": [2, 1]}})");
  EXPECT_ERROR(read_calibration(file), ErrorCode::kFormat, "blob 'a': expected a range, got 2 to 1");
  EXPECT_ERROR(write_calibration({}, (folder / "none" / "c.json").string()), ErrorCode::kIo,
               "cannot be written");
}

}  // namespace
}  // namespace caffe2rt
