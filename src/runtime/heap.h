// Heap: memory in one range of addresses, on huge pages. What is released stays for the next request, so that
// frames after the first few neither ask the system for memory nor touch a page for the first time.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <set>
#include <utility>

namespace caffe2rt {

// Thread-safe. Best fit, small blocks at its far end; neighbours that are free become one.
class Heap {
 public:
  static constexpr size_t kAlignment = 64;

  // Reserves addresses, not memory. Where the system refuses, and under sanitizers, whose checks need every
  // block to be the system's, the heap has none and allocate() gives null.
  explicit Heap(size_t reserve);
  ~Heap();
  Heap(const Heap&) = delete;
  Heap& operator=(const Heap&) = delete;

  // A block on a boundary of kAlignment; null where the range is full.
  void* allocate(size_t bytes);
  // REQUIRES: owns(block).
  void release(void* block);
  bool owns(const void* address) const;

  // Gives the memory of what is free back to the system.
  void trim();

  // Bytes of the range that were ever in use: it grows while no free block is large enough.
  size_t extent() const;

 private:
  void add_free(size_t offset, size_t size);
  void remove_free(std::map<size_t, size_t>::iterator block);

  std::byte* base_ = nullptr;
  size_t reserved_ = 0;
  mutable std::mutex mutex_;
  size_t allocations_ = 0;
  size_t top_ = 0;                               // end of what was ever in use
  std::map<size_t, size_t> free_;                // offset -> size
  std::set<std::pair<size_t, size_t>> by_size_;  // (size, offset) of the same
};

}  // namespace caffe2rt
