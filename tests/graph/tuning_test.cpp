#include "graph/tuning.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/error.h"

namespace caffe2rt {
namespace {

class TuningFile : public testing::Test {
 protected:
  TuningFile() {
    std::filesystem::create_directories(folder_);
    write(net(), "a net");
    setenv("XDG_CACHE_HOME", folder_.c_str(), 1);
  }
  ~TuningFile() override {
    unsetenv("XDG_CACHE_HOME");
    std::filesystem::remove_all(folder_);
  }

  std::string net() const { return folder_ / "model.pb"; }
  static void write(const std::string& file, const std::string& text) { std::ofstream(file) << text; }

  const std::filesystem::path folder_ = std::filesystem::path(testing::TempDir()) / "tuning_test";
};

const Tuning kTuning{{{"a", ConvWay::kWinograd}, {"b", ConvWay::kMatMul}, {"c", ConvWay::kPacked}}};

TEST_F(TuningFile, IsReadAsItWasWritten) {
  const std::string file = TuningKey{net()}.file();
  write_tuning(kTuning, file);
  EXPECT_EQ(read_tuning(file).ways, kTuning.ways);
}

TEST_F(TuningFile, LiesInTheCacheUnderANameOfNetPrecisionAndThreads) {
  const std::string file = TuningKey{net()}.file();
  EXPECT_TRUE(file.starts_with((folder_ / "gst-caffe2" / "tuning").string())) << file;
  EXPECT_EQ(file, TuningKey{net()}.file());
  EXPECT_NE(file, (TuningKey{net(), Precision::kBfloat16}.file()));
  EXPECT_NE(file, (TuningKey{net(), Precision::kFloat32, 2}.file()));
  write(net(), "another net");
  EXPECT_NE(file, TuningKey{net()}.file());
}

TEST_F(TuningFile, ThatIsNotThereOrDamagedSaysNothing) {
  const std::string file = folder_ / "damaged.json";
  EXPECT_TRUE(read_tuning(file).ways.empty());
  for (const char* text :
       {"", "{", "[1]", R"({"version": 2, "ways": {}})", R"({"version": 1, "ways": {"a": "magic"}})",
        R"({"version": 1, "ways": {"a": "matmul", "b": 3}})"}) {
    write(file, text);
    EXPECT_TRUE(read_tuning(file).ways.empty()) << text;
  }
}

TEST_F(TuningFile, ThatCannotBeWrittenIsAnError) {
  try {
    write_tuning(kTuning, net() + "/x.json");
    FAIL() << "expected an error";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kIo);
  }
}

TEST(Tuning, AllowsTheWayThatIsNotedAndThoseBehindIt) {
  EXPECT_TRUE(kTuning.allows("a", ConvWay::kWinograd) && kTuning.allows("a", ConvWay::kMatMul));
  EXPECT_FALSE(kTuning.allows("b", ConvWay::kWinograd));
  EXPECT_TRUE(kTuning.allows("b", ConvWay::kMatMul) && kTuning.allows("b", ConvWay::kPacked));
  EXPECT_FALSE(kTuning.allows("c", ConvWay::kMatMul));
  EXPECT_TRUE(kTuning.allows("unknown", ConvWay::kWinograd) && kTuning.allows("unknown", ConvWay::kMatMul));
  EXPECT_TRUE(kTuning.prefers("b", ConvWay::kMatMul));
  EXPECT_FALSE(kTuning.prefers("b", ConvWay::kPacked) || kTuning.prefers("unknown", ConvWay::kWinograd));
}

}  // namespace
}  // namespace caffe2rt
