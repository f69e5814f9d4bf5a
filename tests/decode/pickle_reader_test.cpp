#include "decode/pickle_reader.h"

#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

using Kind = PickleValue::Kind;
using namespace std::string_literals;

Pickle parse(const std::string& bytes) {
  std::string_view rest = bytes;
  return Pickle::read(rest);
}

TEST(Pickle, ReadsNumbers) {
  EXPECT_EQ(parse("K\x07.").root().integer, 7);
  EXPECT_EQ(parse("M\x01\x02.").root().integer, 0x201);
  EXPECT_EQ(parse("J\xff\xff\xff\xff.").root().integer, -1);
  EXPECT_EQ(parse("\x8a\x02\x00\xff."s).root().integer, -256);
  EXPECT_EQ(parse("G\x3f\xf8\x00\x00\x00\x00\x00\x00."s).root().real, 1.5);
  EXPECT_EQ(parse("\x8a\x0a"s + std::string(10, '\x01') + ".").root().kind, Kind::kLong);
}

TEST(Pickle, ReadsListsTuplesAndDicts) {
  // [1, (2, "a")], then {"k": True}
  const Pickle list = parse("]q\0(K\x01K\x02X\x01\0\0\0a\x86q\x01"s + "e.");
  ASSERT_EQ(list.root().items.size(), 2);
  EXPECT_EQ(list[list.root().items[0]].integer, 1);
  const PickleValue& tuple = list[list.root().items[1]];
  EXPECT_EQ(tuple.kind, Kind::kTuple);
  EXPECT_EQ(list[tuple.items[1]].text, "a");

  const Pickle dict = parse("}X\x01\0\0\0k\x88s."s);
  ASSERT_NE(dict.find(dict.root(), "k"), nullptr);
  EXPECT_EQ(dict.find(dict.root(), "k")->integer, 1);
  EXPECT_EQ(dict.find(dict.root(), "other"), nullptr);
}

TEST(Pickle, KeepsWhatFollowsAPickle) {
  const std::string bytes = "K\x01.rest";
  std::string_view rest = bytes;
  Pickle::read(rest);
  EXPECT_EQ(rest, "rest");
}

TEST(Pickle, RecordsACallAndMakesNone) {
  const Pickle pickle = parse("cos\nsystem\nX\x04\0\0\0true\x85R."s);  // os.system("true")
  EXPECT_EQ(pickle.root().kind, Kind::kObject);
  EXPECT_EQ(pickle[pickle.root().callee].text, "os.system");
  EXPECT_EQ(pickle[pickle[pickle.root().arguments].items[0]].text, "true");
}

TEST(Pickle, FindsAttributesOfAnObject) {
  const Pickle pickle = parse("cm\nC\n)\x81}X\x01\0\0\0aK\x05sb."s);
  ASSERT_NE(pickle.attribute(pickle.root(), "a"), nullptr);
  EXPECT_EQ(pickle.attribute(pickle.root(), "a")->integer, 5);
}

TEST(Pickle, AListMayHoldItself) {
  const Pickle pickle = parse("]q\0h\0a."s);
  EXPECT_EQ(&pickle[pickle.root().items[0]], &pickle.root());
}

TEST(Pickle, NestsAsDeepAsItLikes) {
  const std::string deep = ")" + std::string(500'000, '\x85') + ".";
  EXPECT_EQ(parse(deep).root().kind, Kind::kTuple);
}

TEST(Pickle, RefusesMoreThanAMillionValues) {
  EXPECT_ERROR(parse(std::string(1'000'001, 'N') + "."), ErrorCode::kLimit, "more than 1000000 values");
}

TEST(Pickle, RefusesCountsPastTheEnd) {
  EXPECT_ERROR(parse("X\xff\xff\xff\xff."), ErrorCode::kFormat, "expected 4294967295 more bytes, got 1");
  EXPECT_ERROR(parse("\x8b\xff\xff\xff\x7f."), ErrorCode::kFormat, "more bytes");
}

TEST(Pickle, RefusesOtherOpcodesWithTheirPosition) {
  EXPECT_ERROR(parse("Nios\nsystem\n."), ErrorCode::kFormat,
               "byte 1: opcode 0x69 is none that torch.save writes");
  EXPECT_ERROR(parse("\x80\x04N."), ErrorCode::kFormat, "expected protocol 2 or older");
}

TEST(Pickle, RefusesAStackThatDoesNotFit) {
  EXPECT_ERROR(parse("."), ErrorCode::kFormat, "the stack is empty");
  EXPECT_ERROR(parse("(."), ErrorCode::kFormat, "the stack is empty");
  EXPECT_ERROR(parse("N(\x85."), ErrorCode::kFormat, "the stack is empty");
  EXPECT_ERROR(parse("t."), ErrorCode::kFormat, "there is no mark");
  EXPECT_ERROR(parse("h\x05."), ErrorCode::kFormat, "memo 5 is empty");
  EXPECT_ERROR(parse("K\x01)R."), ErrorCode::kFormat, "expected the name of a class or function");
  EXPECT_ERROR(parse("ca\nb\nNR."), ErrorCode::kFormat, "expected a tuple of arguments");
  EXPECT_ERROR(parse("K\x01K\x02"s + "a."), ErrorCode::kFormat, "items for what cannot hold them");
  EXPECT_ERROR(parse("}(K\x01u."), ErrorCode::kFormat, "a key without a value");
  EXPECT_ERROR(parse("NNb."), ErrorCode::kFormat, "attributes for what is no object");
}

TEST(Pickle, RefusesBytesCutAnywhere) {
  std::string whole = "\x80\x02";
  for (const auto& part : {"cm\nC\n)\x81q\0}(X\x01\0\0\0a"s,
                           "K\x05U\x01"
                           "bG\0\0\0\0\0\0\0\0X\x01\0\0\0c"s,
                           "\x8a\x01\x01ub."s})
    whole += part;
  EXPECT_NO_THROW(parse(whole));
  for (size_t size = 0; size < whole.size(); size++)
    EXPECT_ERROR(parse(whole.substr(0, size)), ErrorCode::kFormat, "pickle, byte");
}

}  // namespace
}  // namespace caffe2rt
