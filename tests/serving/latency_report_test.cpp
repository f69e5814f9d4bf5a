#include "serving/latency_report.h"

#include <gtest/gtest.h>

namespace caffe2rt {
namespace {

using namespace std::chrono_literals;

TEST(LatencyReport, TheFirstLatencyIsReported) {
  LatencyReport report;
  EXPECT_FALSE(report.update(0ns, Clock::time_point()));
  EXPECT_TRUE(report.update(100ms, Clock::time_point()));
  EXPECT_EQ(report.reported(), 100ms);
}

TEST(LatencyReport, ThenOnlyChangesPastAFifth) {
  LatencyReport report;
  report.update(100ms, Clock::time_point());
  const auto later = Clock::time_point() + 10s;
  EXPECT_FALSE(report.update(119ms, later));
  EXPECT_FALSE(report.update(81ms, later));
  EXPECT_EQ(report.reported(), 100ms);
  EXPECT_TRUE(report.update(121ms, later));
  EXPECT_TRUE(report.update(90ms, later + 10s));
}

TEST(LatencyReport, AndAtMostOneASecond) {
  LatencyReport report;
  report.update(100ms, Clock::time_point());
  EXPECT_FALSE(report.update(200ms, Clock::time_point() + 900ms));
  EXPECT_TRUE(report.update(200ms, Clock::time_point() + 1s));
}

}  // namespace
}  // namespace caffe2rt
