#include "runtime/heap.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <random>
#include <set>
#include <thread>
#include <vector>

namespace caffe2rt {
namespace {

class HeapTest : public testing::Test {
 protected:
  void SetUp() override {
    void* block = heap.allocate(1);
    if (!block) GTEST_SKIP() << "no heap under sanitizers";
    heap.release(block);
  }
  Heap heap{size_t{1} << 30};
};

TEST_F(HeapTest, BlocksLieOnItsBoundary) {
  for (const size_t bytes : {1, 63, 64, 65, 5000})
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(heap.allocate(bytes)) % Heap::kAlignment, 0U);
}

TEST_F(HeapTest, WhatIsReleasedServesTheNext) {
  void* first = heap.allocate(1000);
  heap.release(first);
  EXPECT_EQ(heap.allocate(900), first);
}

TEST_F(HeapTest, TakesTheFreeBlockThatFitsBest) {
  void* large = heap.allocate(100000);
  void* between = heap.allocate(64);
  void* small = heap.allocate(1000);
  heap.allocate(64);
  heap.release(large);
  heap.release(small);
  EXPECT_EQ(heap.allocate(1000), small);
  void* next = heap.allocate(1000);
  EXPECT_GT(next, large);
  EXPECT_LT(next, between);
}

TEST_F(HeapTest, SmallBlocksLeaveRoomForLargeOnes) {
  constexpr size_t kMany = 4 << 20;
  void* first = heap.allocate(kMany);
  void* second = heap.allocate(kMany);
  heap.allocate(64);
  heap.release(first);
  void* small = heap.allocate(1000);
  EXPECT_GT(small, first);
  heap.release(second);
  heap.release(small);
  const size_t extent = heap.extent();
  small = heap.allocate(1000);
  heap.allocate(2 * kMany - 10000);
  EXPECT_EQ(heap.extent(), extent);
}

TEST_F(HeapTest, FreeNeighboursBecomeOne) {
  void* blocks[3];
  for (void*& block : blocks) block = heap.allocate(1000);
  heap.allocate(64);
  const size_t extent = heap.extent();
  for (const int i : {0, 2, 1}) heap.release(blocks[i]);
  EXPECT_LT(heap.allocate(3000), blocks[1]);
  EXPECT_EQ(heap.extent(), extent);
}

TEST_F(HeapTest, LargeBlocksOfTheSameSizeLieAtDifferentPlacesOfAPage) {
  std::set<std::uintptr_t> places;
  for (int i = 0; i < 8; i++) places.insert(reinterpret_cast<std::uintptr_t>(heap.allocate(1 << 20)) % 4096);
  EXPECT_EQ(places.size(), 8U);
}

TEST_F(HeapTest, GrowsByLessWhereTheLastBlockIsFree) {
  void* last = heap.allocate(1 << 19);
  const size_t extent = heap.extent();
  heap.release(last);
  EXPECT_EQ(heap.allocate(3 << 18), last);
  EXPECT_EQ(heap.extent(), extent + (1 << 18));
}

TEST_F(HeapTest, GivesNullWhereItsRangeIsFull) {
  EXPECT_EQ(heap.allocate(size_t{1} << 30), nullptr);
  EXPECT_EQ(heap.allocate(SIZE_MAX), nullptr);
  EXPECT_NE(heap.allocate(1000), nullptr);
}

TEST_F(HeapTest, KnowsItsOwnBlocks) {
  int other = 0;
  EXPECT_TRUE(heap.owns(heap.allocate(10)));
  EXPECT_FALSE(heap.owns(&other));
}

TEST_F(HeapTest, TrimmedMemoryIsZerosAndUsable) {
  auto* block = static_cast<char*>(heap.allocate(8 << 20));
  std::memset(block, 1, 8 << 20);
  heap.release(block);
  heap.trim();
  block = static_cast<char*>(heap.allocate(8 << 20));
  EXPECT_EQ(block[4 << 20], 0);
  std::memset(block, 1, 8 << 20);
}

// Blocks of random sizes in random order, each full of a number of its own.
TEST_F(HeapTest, BlocksDoNotOverlapWhateverTheOrder) {
  const auto work = [&](unsigned seed) {
    std::mt19937 generator(seed);
    std::vector<std::pair<unsigned char*, size_t>> blocks;
    for (int i = 0; i < 3000; i++) {
      if (blocks.size() < 40 && generator() % 2 == 0) {
        const size_t bytes = 1 + generator() % 20000;
        auto* block = static_cast<unsigned char*>(heap.allocate(bytes));
        std::memset(block, static_cast<int>(bytes % 256), bytes);
        blocks.emplace_back(block, bytes);
      } else if (!blocks.empty()) {
        std::swap(blocks[generator() % blocks.size()], blocks.back());
        const auto [block, bytes] = blocks.back();
        for (size_t k = 0; k < bytes; k++) ASSERT_EQ(block[k], bytes % 256);
        heap.release(block);
        blocks.pop_back();
      }
    }
  };
  std::thread other([&] { work(1); });
  work(2);
  other.join();
}

}  // namespace
}  // namespace caffe2rt
