#include "ops/cuda/on_host/cuda_on_host.h"

#include <ucontext.h>

#include <cstring>
#include <memory>
#include <stdexcept>
#include <vector>

namespace caffe2rt::cuda::on_host {
namespace {

// A thread of a block: a context with a stack of its own.
struct Fiber {
  static constexpr std::size_t kStack = std::size_t{128} << 10;
  ucontext_t context{};
  std::unique_ptr<char[]> stack = std::make_unique<char[]>(kStack);
  uint3 index{};
  bool ended = false;
};

class Block {
 public:
  void run(dim3 size, const std::function<void()>& thread) {
    thread_ = &thread;
    std::vector<std::unique_ptr<Fiber>> waiting;
    for (unsigned z = 0; z < size.z; z++)
      for (unsigned y = 0; y < size.y; y++)
        for (unsigned x = 0; x < size.x; x++) {
          std::unique_ptr<Fiber> fiber = start({x, y, z});
          if (fiber) waiting.push_back(std::move(fiber));
        }
    // All that have not ended are at the barrier: they go on together.
    while (!waiting.empty()) {
      std::vector<std::unique_ptr<Fiber>> still;
      for (auto& fiber : waiting)
        if (std::unique_ptr<Fiber> left = go_on(std::move(fiber))) still.push_back(std::move(left));
      waiting = std::move(still);
    }
  }

  void wait() {
    Fiber* const fiber = current_;
    if (!fiber) throw std::logic_error("__syncthreads() outside a kernel");
    swapcontext(&fiber->context, &scheduler_);
  }

 private:
  std::unique_ptr<Fiber> start(uint3 index) {
    if (spare_.empty()) spare_.push_back(std::make_unique<Fiber>());
    std::unique_ptr<Fiber> fiber = std::move(spare_.back());
    spare_.pop_back();
    fiber->index = index;
    fiber->ended = false;
    prepare(*fiber);
    return go_on(std::move(fiber));
  }

  void prepare(Fiber& fiber) {
    getcontext(&fiber.context);
    fiber.context.uc_stack.ss_sp = fiber.stack.get();
    fiber.context.uc_stack.ss_size = Fiber::kStack;
    fiber.context.uc_link = &scheduler_;
    makecontext(&fiber.context, &Block::enter, 0);
  }

  // Until it waits or ends; null where it has ended.
  std::unique_ptr<Fiber> go_on(std::unique_ptr<Fiber> fiber) {
    current_ = fiber.get();
    thread_index = fiber->index;
    swapcontext(&scheduler_, &fiber->context);
    current_ = nullptr;
    if (!fiber->ended) return fiber;
    spare_.push_back(std::move(fiber));
    return nullptr;
  }

  static void enter();

  ucontext_t scheduler_{};
  Fiber* current_ = nullptr;
  const std::function<void()>* thread_ = nullptr;
  std::vector<std::unique_ptr<Fiber>> spare_;
};

Block the_block;
std::vector<char> the_shared_memory;

void Block::enter() {
  (*the_block.thread_)();
  the_block.current_->ended = true;
}

}  // namespace

void launch(dim3 grid, dim3 block, std::size_t shared_bytes, const std::function<void()>& thread) {
  constexpr unsigned kMostThreads = 1024, kMostAcross = 65535;
  constexpr std::size_t kMostShared = std::size_t{48} << 10;
  if (block.x * block.y * block.z == 0 || block.x * block.y * block.z > kMostThreads || block.z > 64 ||
      grid.x == 0 || grid.y == 0 || grid.z == 0 || grid.y > kMostAcross || grid.z > kMostAcross ||
      shared_bytes > kMostShared)
    throw std::logic_error("a launch that a GPU would refuse");
  block_size = block;
  grid_size = grid;
  for (unsigned z = 0; z < grid.z; z++)
    for (unsigned y = 0; y < grid.y; y++)
      for (unsigned x = 0; x < grid.x; x++) {
        block_index = {x, y, z};
        the_shared_memory.assign(shared_bytes, static_cast<char>(0xcd));  // a GPU's is not zero either
        the_block.run(block, thread);
      }
}

void synchronize() { the_block.wait(); }

char* shared_memory() { return the_shared_memory.data(); }

}  // namespace caffe2rt::cuda::on_host

// What the device's own functions do here.
extern "C" cudaError_t cudaMemcpy2DAsync(void* to, size_t to_stride, const void* from, size_t from_stride,
                                         size_t row, size_t rows, cudaMemcpyKind, cudaStream_t) {
  for (size_t y = 0; y < rows; y++)
    std::memcpy(static_cast<char*>(to) + y * to_stride, static_cast<const char*>(from) + y * from_stride,
                row);
  return cudaSuccess;
}
