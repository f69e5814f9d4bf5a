#include "runtime/check_operators.h"

#include "testing/nets.h"
#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

TEST(CheckOperators, PassesWhatIsKnown) {
  EXPECT_NO_THROW(check_operators(net({op("Relu", {"x"}, {"y"}), op("Sum", {"x", "y", "x"}, {"z"})})));
}

TEST(CheckOperators, CountsEveryUnknownOperator) {
  EXPECT_ERROR(check_operators(net({op("Zeta", {"x"}, {"y"}), op("Relu", {"x"}, {"y"}),
                                    op("Alpha", {"x"}, {"y"}), op("Zeta", {"x"}, {"y"})})),
               ErrorCode::kUnsupported,
               "net.pb: operators that are not supported: 'Alpha' (1x), 'Zeta' (2x)");
}

TEST(CheckOperators, RefusesInt8OperatorsByNameWithAdvice) {
  EXPECT_ERROR(
      check_operators(net({op("Int8Conv", {"x", "w", "b"}, {"y"}), op("Int8Relu", {"y"}, {"z"})})),
      ErrorCode::kUnsupported,
      "'Int8Conv' (1x), 'Int8Relu' (1x); Int8 operators are for quantised nets: export the model in float32");
}

TEST(CheckOperators, RefusesTooFewOrTooManyBlobs) {
  EXPECT_ERROR(check_operators(net({op("Relu", {"x"}, {"y"}), op("AffineChannel", {"x", "s"}, {"y"})})),
               ErrorCode::kGraph, "net.pb: operator 1 'AffineChannel': expected 3 inputs, got 2");
  EXPECT_ERROR(check_operators(net({op("Relu", {"x"}, {"y", "z"})})), ErrorCode::kGraph,
               "expected 1 outputs, got 2");
  EXPECT_ERROR(check_operators(net({op("Sum", {}, {"y"})})), ErrorCode::kGraph,
               "expected at least 1 inputs, got 0");
  EXPECT_ERROR(check_operators(net({op("Slice", {"x", "a", "b", "c"}, {"y"})})), ErrorCode::kGraph,
               "expected 1 to 3 inputs, got 4");
}

}  // namespace
}  // namespace caffe2rt
