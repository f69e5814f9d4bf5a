#include "serving/instances.h"

#include <gtest/gtest.h>

#include "stub_model.h"

namespace caffe2rt {
namespace {

std::shared_ptr<Server> make() { return make_server(std::make_shared<StubModel>()); }

TEST(Instances, StreamsThatAskForTheSameNameShareAServer) {
  const auto one = share_server("a", {{"model", "x"}}, make);
  EXPECT_EQ(share_server("a", {{"model", "x"}}, make), one);
  EXPECT_NE(share_server("b", {{"model", "x"}}, make), one);
}

TEST(Instances, AskingForNothingIsNoContradiction) {
  const auto one = share_server("c", {{"model", "x"}}, make);
  EXPECT_EQ(share_server("c", {{"model", "", false}}, make), one);
}

TEST(Instances, OtherWishesAreRefusedWithBothNamed) {
  const auto one = share_server("d", {{"model", "x"}, {"device", "cpu"}}, make);
  try {
    share_server("d", {{"model", "x"}, {"device", "cuda"}}, make);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kArgument);
    EXPECT_NE(e.message().find("device = 'cpu' and cannot have 'cuda'"), std::string::npos) << e.message();
  }
}

TEST(Instances, TheLastOneOutLeavesTheNameFree) {
  share_server("e", {{"model", "x"}}, make);
  EXPECT_TRUE(share_server("e", {{"model", "y"}}, make));
}

TEST(Instances, WhatFailedIsTriedAgain) {
  EXPECT_THROW(
      share_server("f", {}, []() -> std::shared_ptr<Server> { fail(ErrorCode::kNotFound, "no file"); }),
      Error);
  EXPECT_TRUE(share_server("f", {}, make));
}

TEST(Instances, WishesFollowAServerThatChanged) {
  const auto one = share_server("g", {{"model", "x"}}, make);
  change_wishes("g", {{"model", "y"}});
  EXPECT_EQ(share_server("g", {{"model", "y"}}, make), one);
  EXPECT_THROW(share_server("g", {{"model", "x"}}, make), Error);
}

}  // namespace
}  // namespace caffe2rt
