#include "runtime/operator_args.h"

#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

const OperatorDef def = operator_def("Any", 2, 1,
                                     {{"int", 3},
                                      {"float", 0.5F},
                                      {"whole", 2.F},
                                      {"string", "NHWC"},
                                      {"ints", {1, -2}},
                                      {"floats", {0.5F, 2.F}},
                                      {"big", std::int64_t{1} << 40}});
const OperatorArgs args(def, c10::DeviceType::CPU);

TEST(OperatorArgs, ReadsArgumentsByName) {
  EXPECT_EQ(args.get("int", 0), 3);
  EXPECT_EQ(args.get("float", 0.F), 0.5F);
  EXPECT_EQ(args.get("string", ""), "NHWC");
  EXPECT_EQ(args.get("string", StorageOrder::kNchw), StorageOrder::kNhwc);
  EXPECT_TRUE(args.get("int", false));
  EXPECT_EQ(args.ints("ints"), (std::vector<std::int64_t>{1, -2}));
  EXPECT_EQ(args.floats("floats"), (std::vector<float>{0.5F, 2}));
  EXPECT_EQ(args.get("big", std::int64_t{0}), std::int64_t{1} << 40);
}

TEST(OperatorArgs, SaysHowManyBlobsThereAre) {
  EXPECT_EQ(args.num_inputs(), 2);
  EXPECT_EQ(args.num_outputs(), 1);
}

TEST(OperatorArgs, GivesTheDefaultWhereThereIsNone) {
  EXPECT_FALSE(args.has("none"));
  EXPECT_EQ(args.get("none", 7), 7);
  EXPECT_EQ(args.get("none", 1.5F), 1.5F);
  EXPECT_EQ(args.get("none", "x"), "x");
  EXPECT_EQ(args.get("none", StorageOrder::kNchw), StorageOrder::kNchw);
  EXPECT_TRUE(args.ints("none").empty());
  EXPECT_TRUE(args.floats("none").empty());
  EXPECT_TRUE(args.strings("none").empty());
}

TEST(OperatorArgs, TakesANumberOfTheOtherKindWhereItIsTheSame) {
  EXPECT_EQ(args.get("whole", 0), 2);
  EXPECT_EQ(args.get("int", 0.F), 3.F);
  EXPECT_EQ(args.floats("ints"), (std::vector<float>{1, -2}));
}

TEST(OperatorArgs, TakesOneNumberForAList) {
  EXPECT_EQ(args.ints("int"), std::vector<std::int64_t>{3});
  EXPECT_EQ(args.floats("float"), std::vector<float>{0.5F});
  EXPECT_EQ(args.strings("string"), std::vector<std::string>{"NHWC"});
}

TEST(OperatorArgs, RefusesAnotherType) {
  EXPECT_ERROR(args.get("float", 0), ErrorCode::kArgument, "argument 'float': expected an integer");
  EXPECT_ERROR(args.get("string", 0), ErrorCode::kArgument, "argument 'string': expected an integer");
  EXPECT_ERROR(args.get("string", 0.F), ErrorCode::kArgument, "argument 'string': expected a number");
  EXPECT_ERROR(args.get("int", ""), ErrorCode::kArgument, "argument 'int': expected a string");
  EXPECT_ERROR(args.ints("floats"), ErrorCode::kArgument, "argument 'floats': expected integers");
  EXPECT_ERROR(args.floats("string"), ErrorCode::kArgument, "argument 'string': expected numbers");
  EXPECT_ERROR(args.strings("ints"), ErrorCode::kArgument, "argument 'ints': expected strings");
}

TEST(OperatorArgs, RefusesWhatDoesNotFit) {
  EXPECT_ERROR(args.get("big", 0), ErrorCode::kArgument,
               "argument 'big': expected an int, got 1099511627776");
  const OperatorDef wrong = operator_def("Any", 0, 0, {{"order", "NCWH"}});
  EXPECT_ERROR(OperatorArgs(wrong, c10::DeviceType::CPU).get("order", StorageOrder::kNchw),
               ErrorCode::kArgument, "argument 'order': expected NCHW or NHWC, got 'NCWH'");
}

}  // namespace
}  // namespace caffe2rt
