#include "proto/net_def.h"

#include <filesystem>
#include <fstream>
#include <random>

#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

constexpr char kText[] = R"(
  name: "small"
  op { type: "Conv" name: "c" input: "x" input: "w" output: "y"
       arg { name: "kernel" i: 3 } arg { name: "scale" f: 0.5 } arg { name: "order" s: "NCHW" }
       arg { name: "pads" ints: 1 ints: -2 } arg { name: "values" floats: 1.5 floats: -0.5 }
       arg { name: "names" strings: "a" strings: "b" } device_option { device_type: 1 } engine: "CUDNN" }
  op { type: "Relu" input: "y" output: "y" }
  arg { name: "size_divisibility" i: 32 }
  external_input: "x" external_input: "w" external_output: "y"
)";

// A file that is gone after the test.
class NetFile : public testing::Test {
 protected:
  ~NetFile() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path write(const std::string& name, const std::string& bytes) {
    std::filesystem::create_directories(folder_);
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
    return folder_ / name;
  }

  const std::filesystem::path folder_ = std::filesystem::path(testing::TempDir()) /
                                        testing::UnitTest::GetInstance()->current_test_info()->name();
};

void expect_small(const NetDef& net) {
  EXPECT_EQ(net.name, "small");
  ASSERT_EQ(net.ops.size(), 2);
  const OperatorDef& conv = net.ops[0];
  EXPECT_EQ(conv.type, "Conv");
  EXPECT_EQ(conv.inputs, (std::vector<std::string>{"x", "w"}));
  EXPECT_EQ(conv.outputs, std::vector<std::string>{"y"});
  EXPECT_EQ(conv.find("kernel")->i, 3);
  EXPECT_EQ(conv.find("scale")->f, 0.5F);
  EXPECT_EQ(conv.find("order")->s, "NCHW");
  EXPECT_EQ(conv.find("pads")->ints, (std::vector<std::int64_t>{1, -2}));
  EXPECT_EQ(conv.find("values")->floats.values(), (std::vector<float>{1.5F, -0.5F}));
  EXPECT_EQ(conv.find("names")->strings, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(conv.find("none"), nullptr);
  EXPECT_EQ(net.find("size_divisibility")->i, 32);
  EXPECT_EQ(net.external_inputs, (std::vector<std::string>{"x", "w"}));
  EXPECT_EQ(net.external_outputs, std::vector<std::string>{"y"});
}

TEST(NetDef, ReadsTheTextForm) { expect_small(parse_net_text(kText)); }

TEST_F(NetFile, ReadsBothForms) {
  expect_small(read_net(write("net.pbtxt", kText)));
  expect_small(read_net(write("net.prototxt", kText)));
  const auto binary = write("net.pb", serialize_net(parse_net_text(kText)));
  expect_small(read_net(binary));
  EXPECT_EQ(read_net(binary).source, binary.string());
}

TEST(NetDef, PassesOverFieldsOfOtherVersions) {
  expect_small(parse_net_text(std::string(kText) + "\n some_new_field: 7"));
}

TEST(NetDef, SaysWhereATextIsWrong) {
  EXPECT_ERROR(parse_net_text("op { type: \"Relu\" }\nop { type: }"), ErrorCode::kFormat,
               "expected a text NetDef: line 2, column ");
}

TEST(NetDef, RefusesANetWithoutOperators) {
  EXPECT_ERROR(parse_net_text("name: \"n\""), ErrorCode::kFormat,
               "expected a network, got one without operators");
}

TEST(NetDef, RefusesMoreOperatorsThanTheLimit) {
  EXPECT_ERROR(parse_net_text(kText, "text", {.operators = 1}), ErrorCode::kLimit,
               "expected at most 1 operators, got 2");
}

TEST(NetDef, CopiesShareTheirNumbers) {
  const NetDef net = parse_net_text(kText), copy = net;
  EXPECT_EQ(copy.ops[0].find("values")->floats.share(), net.ops[0].find("values")->floats.share());
}

TEST_F(NetFile, RefusesWhatIsNoFile) {
  EXPECT_ERROR(read_net("/nowhere/net.pb"), ErrorCode::kNotFound, "/nowhere/net.pb: no such file");
  EXPECT_ERROR(read_net(testing::TempDir()), ErrorCode::kIo, "expected a file, got a directory");
  EXPECT_ERROR(read_net(write("empty.pb", "")), ErrorCode::kFormat, "empty.pb: the file is empty");
}

TEST_F(NetFile, RefusesAFilePastTheLimit) {
  EXPECT_ERROR(read_net(write("net.pbtxt", kText), {.file_bytes = 10}), ErrorCode::kLimit,
               "expected at most 10 bytes");
}

TEST_F(NetFile, RefusesTextWhereBinaryIsExpected) {
  EXPECT_ERROR(read_net(write("net.pb", kText)), ErrorCode::kFormat,
               "expected a binary NetDef, got text: a text NetDef's name ends in .pbtxt");
}

TEST_F(NetFile, RefusesBinaryWhereTextIsExpected) {
  EXPECT_ERROR(read_net(write("net.pbtxt", serialize_net(parse_net_text(kText)))), ErrorCode::kFormat,
               "expected a text NetDef");
}

// A cut between two fields leaves a smaller net that nothing tells from a whole one.
TEST_F(NetFile, ReadsOrRefusesAFileCutAtAnyLength) {
  const std::string bytes = serialize_net(parse_net_text(kText));
  size_t refused = 0;
  for (size_t length = 0; length < bytes.size(); length++) {
    try {
      read_net(write("net.pb", bytes.substr(0, length)));
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::kFormat) << e.what();
      refused++;
    }
  }
  EXPECT_GT(refused, bytes.size() * 9 / 10);
}

TEST_F(NetFile, SurvivesRandomBytes) {
  std::mt19937 generator(7);
  const std::string whole = serialize_net(parse_net_text(kText));
  for (int i = 0; i < 300; i++) {
    std::string bytes = whole;
    for (int change = 0; change < 1 + i % 20; change++)
      bytes[generator() % bytes.size()] = static_cast<char>(generator());
    try {
      read_net(write("net.pb", bytes));
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::kFormat) << e.what();
    }
  }
}

}  // namespace
}  // namespace caffe2rt
