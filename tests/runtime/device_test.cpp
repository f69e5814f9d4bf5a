#include "runtime/device.h"

#include <filesystem>
#include <fstream>

#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

bool has_gpu() {
  try {
    return parse_device("cuda").is_cuda();
  } catch (const Error&) {
    return false;
  }
}

TEST(ParseDevice, KnowsItsNames) {
  EXPECT_TRUE(parse_device("cpu").is_cpu());
  for (const char* name : {"tpu", "cuda:", "cuda:x", "cuda:-1", "cuda:1000", "cuda0", ""})
    EXPECT_ERROR(parse_device(name), ErrorCode::kArgument,
                 "device: expected cpu, cuda, cuda:N or auto, got '" + std::string(name) + "'");
}

TEST(ParseDevice, SaysWhatIsMissing) {
  if (has_gpu()) GTEST_SKIP() << "this machine has a GPU";
  for (const char* name : {"cuda", "cuda:0", "cuda:3", "gpu"})
    EXPECT_ERROR(parse_device(name), ErrorCode::kDevice, "device '" + std::string(name) + "': ");
}

TEST(ParseDevice, RefusesADevicePastTheLast) {
  if (!has_gpu()) GTEST_SKIP() << "this machine has no GPU that can be used";
  EXPECT_ERROR(parse_device("cuda:99"), ErrorCode::kDevice, "device 'cuda:99': there ");
}

TEST(ParseDevice, AutomaticTakesWhatIsThere) {
  EXPECT_EQ(parse_device("auto").is_cuda(), has_gpu());
  EXPECT_EQ(parse_device("auto"), parse_device("auto"));
}

TEST(OpenModule, NamesTheDriver) {
  EXPECT_EQ(open_module("libno_such_driver.so.1", module_file()),
            "no NVIDIA driver: 'libno_such_driver.so.1' cannot be opened");
}

TEST(OpenModule, NamesTheModule) {
  EXPECT_EQ(
      open_module("libc.so.6", "/nowhere/libcaffe2rt_cuda.so"),
      "no module for CUDA: expected '/nowhere/libcaffe2rt_cuda.so', which a build with CAFFE2RT_CUDA makes");
}

TEST(OpenModule, RefusesAFileThatIsNoLibrary) {
  const std::string file = testing::TempDir() + "no_module.so";
  std::ofstream(file) << "text";
  EXPECT_NE(open_module("libc.so.6", file).find(file), std::string::npos);
}

// The driver's absence is no reason not to load: what the module finds is another matter.
TEST(OpenModule, TakesTheModuleWhereItWasBuilt) {
  if (!std::filesystem::exists(module_file())) GTEST_SKIP() << "built without CAFFE2RT_CUDA";
  EXPECT_EQ(open_module("libc.so.6", module_file()), "");
  ASSERT_NE(cuda_module(), nullptr);
  std::string why;
  const bool none = cuda_module()->count(why) == 0;
  EXPECT_EQ(none, !why.empty());
}

}  // namespace
}  // namespace caffe2rt
