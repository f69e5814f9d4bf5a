// Every vector width that the processor and the build have, for tests that run once with each.
#pragma once

#include <gtest/gtest.h>
#include <hwy/targets.h>

#include <string>

namespace caffe2rt {

// Runs a test with one vector width, where it would be the widest. Instantiate with EVERY_TARGET(suite).
class WithTarget : public testing::TestWithParam<std::int64_t> {
 protected:
  WithTarget() { choose(GetParam()); }
  ~WithTarget() override { choose(0); }  // the processor's own again

 private:
  static void choose(std::int64_t target) {
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  }
};

#define EVERY_TARGET(suite)                                                                 \
  INSTANTIATE_TEST_SUITE_P(, suite, testing::ValuesIn(hwy::SupportedAndGeneratedTargets()), \
                           [](const testing::TestParamInfo<std::int64_t>& target) {         \
                             return std::string(hwy::TargetName(target.param));             \
                           })

}  // namespace caffe2rt
