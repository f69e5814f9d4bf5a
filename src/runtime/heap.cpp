#include "runtime/heap.h"

#include <sys/mman.h>

#include <cstdint>
#include <new>

namespace caffe2rt {
namespace {

// Stands before every block; its size is that of the alignment.
struct alignas(Heap::kAlignment) Header {
  size_t offset, size;  // of all that the block takes
};
static_assert(sizeof(Header) == Heap::kAlignment);

constexpr size_t kHugePage = size_t{2} << 20;

// Large blocks of the same size would lie at the same place of a page each, and a processor that reads one
// while it writes another takes them for the same memory: every next one lies a little further in.
constexpr size_t kLarge = size_t{1} << 20, kShift = 5 * Heap::kAlignment, kShifts = 13;

}  // namespace

Heap::Heap(size_t reserve) {
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  void* range =
      mmap(nullptr, reserve, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (range == MAP_FAILED) return;
  madvise(range, reserve, MADV_HUGEPAGE);
  base_ = static_cast<std::byte*>(range);
  reserved_ = reserve;
#endif
}

Heap::~Heap() {
  if (base_) munmap(base_, reserved_);
}

void* Heap::allocate(size_t bytes) {
  if (bytes > reserved_) return nullptr;
  const std::lock_guard lock(mutex_);
  const size_t shift = bytes < kLarge ? 0 : allocations_++ % kShifts * kShift;
  const size_t room = bytes < kLarge ? 0 : (kShifts - 1) * kShift;
  const size_t wanted = sizeof(Header) + room + (bytes + kAlignment - 1) / kAlignment * kAlignment;
  size_t offset, size = wanted;
  if (const auto best = by_size_.lower_bound({wanted, 0}); best != by_size_.end()) {
    offset = best->second;
    const size_t left = best->first - wanted;
    remove_free(free_.find(offset));
    if (left <= sizeof(Header)) {
      size += left;
    } else if (bytes < kLarge) {  // a small one between large ones would keep their memory apart
      add_free(offset, left);
      offset += left;
    } else {
      add_free(offset + wanted, left);
    }
  } else {
    // Grows at the end, by less where the last block is free.
    offset = top_;
    if (!free_.empty() && free_.rbegin()->first + free_.rbegin()->second == top_)
      offset = free_.rbegin()->first;
    if (wanted > reserved_ - offset) return nullptr;
    if (offset < top_) remove_free(std::prev(free_.end()));
    top_ = offset + wanted;
  }
  auto* header = new (base_ + offset + shift) Header{offset, size};
  return header + 1;
}

void Heap::release(void* block) {
  const std::lock_guard lock(mutex_);
  auto* header = static_cast<Header*>(block) - 1;
  size_t offset = header->offset, size = header->size;
  const auto after = free_.lower_bound(offset);
  if (after != free_.begin()) {
    const auto before = std::prev(after);
    if (before->first + before->second == offset) {
      offset = before->first;
      size += before->second;
      remove_free(before);
    }
  }
  if (after != free_.end() && offset + size == after->first) {
    size += after->second;
    remove_free(after);
  }
  add_free(offset, size);
}

bool Heap::owns(const void* address) const {
  const auto* p = static_cast<const std::byte*>(address);
  return p >= base_ && p < base_ + reserved_;
}

void Heap::trim() {
  const std::lock_guard lock(mutex_);
  for (const auto& [offset, size] : free_) {
    const size_t first = (offset + kHugePage - 1) / kHugePage * kHugePage,
                 last = (offset + size) / kHugePage * kHugePage;
    if (first < last) madvise(base_ + first, last - first, MADV_DONTNEED);
  }
}

size_t Heap::extent() const {
  const std::lock_guard lock(mutex_);
  return top_;
}

void Heap::add_free(size_t offset, size_t size) {
  free_.emplace(offset, size);
  by_size_.emplace(size, offset);
}

void Heap::remove_free(std::map<size_t, size_t>::iterator block) {
  by_size_.erase({block->second, block->first});
  free_.erase(block);
}

}  // namespace caffe2rt
