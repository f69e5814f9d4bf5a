#include "runtime/schema.h"

#include "runtime/operator.h"
#include "testing/nets.h"
#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

SchemaBuilder schema(const char* type) {
  return {type, [](const OperatorArgs&) { return std::unique_ptr<Operator>(); }};
}

TEST(Schema, IsFoundByItsType) {
  Registered(schema("SchemaTestFound").says("Nothing.").input("X", "any").output("Y", "any").arg("a", "one"));
  const Schema* found = find_schema("SchemaTestFound");
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->doc, "Nothing.");
  EXPECT_EQ(found->inputs[0].name, "X");
  EXPECT_EQ(found->args[0].name, "a");
  EXPECT_EQ(find_schema("SchemaTestMissing"), nullptr);
}

TEST(Schema, EveryOperatorSaysWhatItDoes) {
  for (const Schema* s : all_schemas()) {
    EXPECT_FALSE(s->doc.empty()) << s->type;
    for (const auto& input : s->inputs) EXPECT_FALSE(input.doc.empty()) << s->type << ' ' << input.name;
    for (const auto& output : s->outputs) EXPECT_FALSE(output.doc.empty()) << s->type << ' ' << output.name;
    for (const auto& arg : s->args) EXPECT_FALSE(arg.doc.empty()) << s->type << ' ' << arg.name;
  }
}

TEST(Schema, CountsBlobs) {
  Registered(schema("SchemaTestCounts")
                 .says("Nothing.")
                 .input("X", "any")
                 .optional_input("B", "any")
                 .outputs("Y", "any"));
  const Schema& s = *find_schema("SchemaTestCounts");
  EXPECT_NO_THROW(s.check_arity(op("", {"x"}, {"y"})));
  EXPECT_NO_THROW(s.check_arity(op("", {"x", "b"}, {"y", "z", "u"})));
  EXPECT_ERROR(s.check_arity(op("", {}, {"y"})), ErrorCode::kGraph, "expected 1 to 2 inputs, got 0");
  EXPECT_ERROR(s.check_arity(op("", {"x", "b", "c"}, {"y"})), ErrorCode::kGraph,
               "expected 1 to 2 inputs, got 3");
  EXPECT_ERROR(s.check_arity(op("", {"x"}, {})), ErrorCode::kGraph, "expected at least 1 outputs, got 0");
}

TEST(Schema, TheLastDescriptionStandsForAllThatFollow) {
  Registered(
      schema("SchemaTestLast").says("Nothing.").input("A", "any").inputs("B", "any").output("Y", "any"));
  EXPECT_EQ(find_schema("SchemaTestLast")->input(0).name, "A");
  EXPECT_EQ(find_schema("SchemaTestLast")->input(5).name, "B");
}

TEST(Types, AreSets) {
  EXPECT_TRUE(contains(Types::kFloat, at::kFloat));
  EXPECT_FALSE(contains(Types::kFloat, at::kDouble));
  EXPECT_TRUE(contains(Types::kIndex, at::kInt));
  EXPECT_TRUE(contains(Types::kIndex, at::kLong));
  for (const auto type : {at::kFloat, at::kDouble, at::kInt, at::kLong})
    EXPECT_TRUE(contains(Types::kNumber, type));
  EXPECT_FALSE(contains(Types::kNumber, at::kBool));
  EXPECT_TRUE(contains(Types::kUint8, at::kByte));
  EXPECT_TRUE(contains(Types::kAny, at::kShort));
}

}  // namespace
}  // namespace caffe2rt
