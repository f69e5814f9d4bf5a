#include "runtime/workspaces.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace caffe2rt {
namespace {

TEST(Workspaces, OneThatCameBackIsLentAgain) {
  Workspaces workspaces;
  Workspace* first = workspaces.lend().get();
  EXPECT_EQ(workspaces.lend().get(), first);
}

TEST(Workspaces, TwoWhoNeedOneAtATimeHaveTheirOwn) {
  Workspaces workspaces;
  const auto a = workspaces.lend(), b = workspaces.lend();
  EXPECT_NE(a.get(), b.get());
}

TEST(Workspaces, ServesThreads) {
  Workspaces workspaces;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; i++)
    threads.emplace_back([&] {
      for (int k = 0; k < 1000; k++) {
        const auto lent = workspaces.lend();
        EXPECT_EQ(lent->profile, nullptr);  // nobody else's
        Profile profile;
        lent->profile = &profile;
        lent->profile = nullptr;
      }
    });
  for (auto& thread : threads) thread.join();
}

}  // namespace
}  // namespace caffe2rt
