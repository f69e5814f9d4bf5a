#include "decode/torch_archive.h"

#include <fstream>
#include <iterator>
#include <random>

#include "decode/anchor_generator.h"
#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

using namespace std::string_literals;

std::string read_data(const std::string& name) {
  std::ifstream file(CAFFE2RT_TEST_DATA "/decode/" + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// A pickled tensor of two float32 numbers in storage "s", with these sizes and strides.
TorchArchive archive_of(const std::string& offset, const std::string& sizes, const std::string& strides) {
  const std::string bytes =
      "ctorch._utils\n_rebuild_tensor_v2\n((U\x07storagectorch\nFloatStorage\nU\x01sU\x03"
      "cpuK\x02tQ" +
      offset + sizes + strides + "\x89NtR.";
  std::string_view rest = bytes;
  return {Pickle::read(rest), {{"s", "\0\0\x80\x3f\0\0\0\x40"s}}};  // 1, 2
}

SavedTensor tensor_of(const std::string& offset, const std::string& sizes, const std::string& strides) {
  const TorchArchive archive = archive_of(offset, sizes, strides);
  return read_tensor(archive, archive.pickle.root());
}

TEST(TorchArchive, ReadsATensorByItsStrides) {
  const SavedTensor tensor = tensor_of("K\0"s, "K\x02K\x02\x86", "K\0K\x01\x86"s);
  EXPECT_EQ(tensor.shape, (std::vector<std::int64_t>{2, 2}));
  EXPECT_EQ(tensor.values, (std::vector<float>{1, 2, 1, 2}));
}

TEST(TorchArchive, RefusesATensorThatReachesPastItsStorage) {
  EXPECT_ERROR(tensor_of("K\x01", "K\x02\x85", "K\x01\x85"), ErrorCode::kFormat,
               "reaches past its storage of 8 bytes");
  EXPECT_ERROR(tensor_of("J\xff\xff\xff\xff", "K\x01\x85", "K\x01\x85"), ErrorCode::kFormat,
               "reaches past its storage");
  EXPECT_ERROR(tensor_of("K\0"s, "J\xff\xff\xff\x7f\x85", "K\0\x85"s), ErrorCode::kFormat,
               "expected sizes up to");
  EXPECT_ERROR(tensor_of("K\0"s, "M\xff\xffM\xff\xff\x86", "K\0K\0\x86"s), ErrorCode::kLimit,
               "more than 1000000 elements");
  EXPECT_ERROR(tensor_of("K\0"s, "K\x02\x85", ")"), ErrorCode::kFormat, "expected 1 strides, got 0");
}

TEST(TorchArchive, RefusesWhatIsNoTensor) {
  const std::string bytes = "cos\nsystem\nU\x02ls\x85R.";
  std::string_view rest = bytes;
  const TorchArchive archive{Pickle::read(rest), {}};
  EXPECT_ERROR(read_tensor(archive, archive.pickle.root()), ErrorCode::kFormat, "expected a tensor");
}

TEST(AnchorGenerator, ReadsTheStreamOfOldTorch) {
  const AnchorGenerator anchors = read_anchor_generator(read_data("anchors.stream"));
  ASSERT_EQ(anchors.levels.size(), 2);
  EXPECT_EQ(anchors.offset, 0.5F);
  EXPECT_EQ(anchors.levels[1].x_stride, 16);
  ASSERT_EQ(anchors.levels[0].cell.size(), 2);
  EXPECT_EQ(anchors.levels[0].cell[1].y2, 8);
  ASSERT_EQ(anchors.levels[1].cell.size(), 1);
  EXPECT_EQ(anchors.levels[1].cell[0].x1, -16);
}

TEST(AnchorGenerator, ReadsTheZipOfTorch) {
  const AnchorGenerator anchors = read_anchor_generator(read_data("anchors.zip"));
  ASSERT_EQ(anchors.levels.size(), 5);
  EXPECT_EQ(anchors.offset, 0);
  for (size_t level = 0; level < 5; level++) {
    EXPECT_EQ(anchors.levels[level].y_stride, 8 << level);
    ASSERT_EQ(anchors.levels[level].cell.size(), 9);
    // The second is the square one of the smallest size, four strides wide.
    EXPECT_FLOAT_EQ(anchors.levels[level].cell[1].width(), 32 << level);
    EXPECT_FLOAT_EQ(anchors.levels[level].cell[1].height(), 32 << level);
  }
}

TEST(AnchorGenerator, PutsTheCellsAnchorsAroundItsCentre) {
  const AnchorGenerator anchors{{{{{-1, -2, 1, 2}}, 10, 20}}, 0.5F};
  const Box box = anchors.anchor(0, 3, 1, 0);
  EXPECT_EQ(std::tuple(box.x1, box.y1, box.x2, box.y2), std::tuple(14, 68, 16, 72));
}

TEST(AnchorGenerator, RefusesBytesCutAnywhere) {
  for (const char* name : {"anchors.stream", "anchors.zip"}) {
    const std::string whole = read_data(name);
    for (size_t size = 0; size < whole.size(); size++)
      EXPECT_THROW(read_anchor_generator(whole.substr(0, size)), Error) << name << " cut at " << size;
  }
}

TEST(AnchorGenerator, ChangedBytesGiveAnErrorOrAGenerator) {
  std::mt19937 random(1);
  for (const char* name : {"anchors.stream", "anchors.zip"}) {
    const std::string whole = read_data(name);
    for (int i = 0; i < 3000; i++) {
      std::string changed = whole;
      for (int k = 0; k < 1 + i % 3; k++) changed[random() % changed.size()] = static_cast<char>(random());
      try {
        read_anchor_generator(changed);
      } catch (const Error&) {
      }
    }
  }
}

TEST(AnchorGenerator, RefusesAnythingElse) {
  EXPECT_ERROR(read_anchor_generator(""), ErrorCode::kFormat, "serialized_anchor_generator: pickle, byte 0");
  EXPECT_ERROR(read_anchor_generator("K\x01."), ErrorCode::kFormat,
               "expected the magic number of torch.save");
  EXPECT_ERROR(read_anchor_generator("PK\x03\x04 and so on"), ErrorCode::kFormat, "expected a zip file");
  EXPECT_ERROR(read_anchor_generator(std::string((16 << 20) + 1, 'N')), ErrorCode::kLimit, "torch archive");
}

}  // namespace
}  // namespace caffe2rt
