#include "base/error.h"

#include <gtest/gtest.h>

namespace caffe2rt {
namespace {

TEST(Error, SaysItsMessage) {
  const Error e(ErrorCode::kShape, "expected 3, got 4");
  EXPECT_EQ(e.code(), ErrorCode::kShape);
  EXPECT_EQ(e.message(), "expected 3, got 4");
  EXPECT_STREQ(e.what(), "expected 3, got 4");
}

TEST(Error, CollectsPlacesFromTheInsideOut) {
  Error e(ErrorCode::kShape, "expected 3, got 4");
  e.passing("operator 2 'Conv'").passing("model.pb");
  EXPECT_STREQ(e.what(), "model.pb: operator 2 'Conv': expected 3, got 4");
  EXPECT_EQ(e.message(), "expected 3, got 4");
}

TEST(Error, PassesOverAPlaceWithoutAName) {
  EXPECT_STREQ(Error(ErrorCode::kIo, "m").passing("").what(), "m");
}

TEST(Fail, FormatsItsMessage) {
  try {
    fail(ErrorCode::kLimit, "at most {}, got {}", 3, "many");
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kLimit);
    EXPECT_STREQ(e.what(), "at most 3, got many");
  }
}

TEST(Require, ThrowsOnlyWhereTheConditionFails) {
  EXPECT_NO_THROW(require(true, ErrorCode::kGraph, "no"));
  EXPECT_THROW(require(false, ErrorCode::kGraph, "no"), Error);
}

TEST(AtPlace, ReturnsWhatTheFunctionReturns) {
  EXPECT_EQ(at_place([] { return "here"; }, [] { return 42; }), 42);
}

TEST(AtPlace, NotesThePlaceOfAnErrorAlone) {
  try {
    at_place([] { return "outer"; },
             [] { at_place([] { return "inner"; }, [] { fail(ErrorCode::kIo, "m"); }); });
    FAIL();
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(), "outer: inner: m");
  }
  EXPECT_THROW(at_place([] { return "here"; }, [] { throw std::runtime_error("other"); }),
               std::runtime_error);
}

TEST(ErrorCodes, HaveNamesOfTheirOwn) {
  EXPECT_STREQ(to_string(ErrorCode::kNotFound), "not found");
  EXPECT_STREQ(to_string(ErrorCode::kInternal), "internal");
}

}  // namespace
}  // namespace caffe2rt
