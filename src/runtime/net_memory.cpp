#include "runtime/net_memory.h"

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>

#include "runtime/heap.h"

namespace caffe2rt {
namespace {

constexpr size_t kReserve = size_t{1} << 38;  // addresses, more than any machine's memory for one process
constexpr size_t kLeast = 16 << 10;           // smaller blocks stay in the process's own heap anyway

thread_local int uses = 0;

class Allocator final : public c10::Allocator {
 public:
  Allocator() : others_(c10::GetCPUAllocator()), heap_(kReserve) {
    c10::SetCPUAllocator(this, /*priority=*/1);
  }

  c10::DataPtr allocate(size_t bytes) override {
    void* block = uses > 0 && bytes >= kLeast ? heap_.allocate(bytes) : nullptr;
    if (!block) return others_->allocate(bytes);
    return {block, block, &release, c10::Device(c10::DeviceType::CPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &release; }
  void copy_data(void* to, const void* from, size_t bytes) const override {
    default_copy_data(to, from, bytes);
  }

  Heap& heap() { return heap_; }

  // Never destroyed: tensors may live until the process ends.
  static Allocator& instance() {
    static auto* const allocator = new Allocator;
    return *allocator;
  }

 private:
  static void release(void* block) {
    if (instance().heap_.owns(block))
      instance().heap_.release(block);
    else
      instance().others_->raw_deallocate(block);
  }

  c10::Allocator* const others_;
  Heap heap_;
};

}  // namespace

NetMemory::NetMemory() {
  Allocator::instance();
  uses++;
}
NetMemory::~NetMemory() { uses--; }

void NetMemory::trim() { Allocator::instance().heap().trim(); }
size_t NetMemory::extent() { return Allocator::instance().heap().extent(); }

}  // namespace caffe2rt
