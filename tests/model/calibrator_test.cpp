#include "model/calibrator.h"

#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <random>

#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

namespace fs = std::filesystem;

// A copy of the demonstration model without its calibration.
class CalibratorTest : public testing::Test {
 protected:
  void SetUp() override {
    const fs::path demo = fs::path(CAFFE2RT_TEST_DATA) / ".." / ".." / "models" / "demo";
    fs::create_directories(folder_);
    for (const char* file : {"model.pb", "model_init.pb", "labels.txt"})
      fs::copy_file(demo / file, folder_ / file, fs::copy_options::overwrite_existing);
    find_model_files(folder_.string(), options_);
    std::mt19937 generator(1);
    for (auto& byte : pixels_) byte = static_cast<std::uint8_t>(generator());
  }
  void TearDown() override { fs::remove_all(folder_); }

  FrameView frame() const { return {PixelFormat::kBgr, 64, 48, 64 * 3, pixels_.data()}; }

  const fs::path folder_ = fs::temp_directory_path() / ("caffe2rt_calibrator_" + std::to_string(getpid()));
  ModelOptions options_;
  std::vector<std::uint8_t> pixels_ = std::vector<std::uint8_t>(size_t{64} * 48 * 3);
};

TEST_F(CalibratorTest, NotesTheRangesOfWhatLayersRead) {
  const auto calibrator = make_calibrator(options_);
  calibrator->look(frame());
  const Calibration once = calibrator->result();
  ASSERT_TRUE(once.ranges.contains("box_roi_feat"));
  EXPECT_FALSE(once.ranges.contains("mask_fcn_probs"));  // a result
  EXPECT_LT(once.ranges.at("box_roi_feat").low, once.ranges.at("box_roi_feat").high);
  calibrator->look(frame());  // the mean of the same is the same
  EXPECT_FLOAT_EQ(calibrator->result().ranges.at("box_roi_feat").high, once.ranges.at("box_roi_feat").high);
}

TEST_F(CalibratorTest, WhatIsNotFiniteSaysNothing) {
  std::ofstream(folder_ / "model.pbtxt") << R"(external_input: "data" external_input: "im_info"
    external_input: "rois" external_input: "w" external_input: "b" external_output: "y"
    op { type: "RoIAlign" input: "data" input: "rois" output: "p" arg { name: "aligned" i: 1 } }
    op { type: "FC" input: "p" input: "w" input: "b" output: "y" })";
  std::ofstream(folder_ / "model_init.pbtxt") << R"(
    op { type: "GivenTensorFill" output: "rois" arg { name: "shape" ints: 2 ints: 5 } arg { name: "values"
         floats: 0 floats: 1 floats: 1 floats: 1 floats: 9
         floats: 0 floats: 1 floats: 1 floats: 9 floats: 9 } }
    op { type: "ConstantFill" output: "w" arg { name: "shape" ints: 2 ints: 3 } arg { name: "value" f: 1 } }
    op { type: "ConstantFill" output: "b" arg { name: "shape" ints: 2 } })";
  options_.predict_net = folder_ / "model.pbtxt";
  options_.init_net = folder_ / "model_init.pbtxt";
  const auto calibrator = make_calibrator(options_);
  calibrator->look(frame());
  const Calibration found = calibrator->result();
  ASSERT_TRUE(found.ranges.contains("p"));
  EXPECT_TRUE(std::isfinite(found.ranges.at("p").low) && std::isfinite(found.ranges.at("p").high));
}

TEST_F(CalibratorTest, TheModelRunsInInt8WithIt) {
  options_.precision = "int8";
  EXPECT_ERROR(load_model(options_), ErrorCode::kNotFound, "calibration.json");
  const auto calibrator = make_calibrator(options_);
  calibrator->look(frame());
  write_calibration(calibrator->result(), calibration_file_of(options_.predict_net));
  const auto model = load_model(options_);
  const FrameView seen = frame();
  EXPECT_EQ(model->detect({&seen, 1}, model->defaults()).size(), 1U);
}

TEST_F(CalibratorTest, PassesMayBeLeftOut) {
  options_.disable_passes = "use_winograd,fuse_add";
  EXPECT_NO_THROW(load_model(options_));
  options_.disable_passes = "use_magic";
  EXPECT_ERROR(load_model(options_), ErrorCode::kArgument, "got 'use_magic'");
}

}  // namespace
}  // namespace caffe2rt
