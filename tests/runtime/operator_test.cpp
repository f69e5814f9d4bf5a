#include "runtime/operator.h"

#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

// Inputs of the operator AffineChannel: X, scale, bias.
struct Given {
  explicit Given(std::vector<at::Tensor> t) : tensors(std::move(t)) {
    for (const auto& tensor : tensors) pointers.push_back(&tensor);
  }
  Inputs inputs() const { return {*find_schema("AffineChannel"), pointers}; }

  std::vector<at::Tensor> tensors;
  std::vector<const at::Tensor*> pointers;
};

TEST(Inputs, AreFoundByIndex) {
  const Given given({tensor({1}, {1}), tensor({2}, {1, 2})});
  EXPECT_EQ(given.inputs().size(), 2);
  EXPECT_TRUE(given.inputs().has(1));
  EXPECT_FALSE(given.inputs().has(2));
  EXPECT_SHAPE(given.inputs()[1], {2});
  EXPECT_EQ(given.inputs().describe(1), "input 1 'scale'");
}

TEST(Inputs, RefuseATypeThatTheSchemaDoesNotList) {
  EXPECT_NO_THROW(Given({tensor({1}, {1})}).inputs().check_types());
  EXPECT_ERROR(Given({tensor({1}, {1}), int32_tensor({1}, {1})}).inputs().check_types(), ErrorCode::kType,
               "input 1 'scale': expected float32, got Int");
}

TEST(Guards, SayExpectedAndGot) {
  const Given given({tensor({1, 2}, {1, 2})});
  const Inputs in = given.inputs();
  EXPECT_NO_THROW(require_rank(in, 0, 2));
  EXPECT_ERROR(require_rank(in, 0, 4), ErrorCode::kShape, "input 0 'X': expected 4 dimensions, got (1,2)");
  EXPECT_NO_THROW(require_shape(in, 0, {1, 2}));
  EXPECT_NO_THROW(require_shape(in, 0, {kUnknown, 2}));
  EXPECT_ERROR(require_shape(in, 0, {1, 3}), ErrorCode::kShape, "input 0 'X': expected (1,3), got (1,2)");
  EXPECT_ERROR(require_shape(in, 0, {kUnknown}), ErrorCode::kShape, "input 0 'X': expected (?), got (1,2)");
}

}  // namespace
}  // namespace caffe2rt
