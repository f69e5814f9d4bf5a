// Products of small matrices on the processor's tile registers (Intel AMX: Intel 64 and IA-32 Architectures
// Software Developer's Manual, volume 1, chapter 18), and the same in plain loops.
#pragma once

#include <cstddef>
#include <cstdint>

namespace caffe2rt::tile_product {

constexpr size_t kRows = 32, kColumns = 32;  // of a product: two by two tiles
constexpr size_t kStep = 16;                 // groups of 32 bits along the depth that a tile holds

// sums (32,32) = a times b, or += where `first` is false. A group holds as many neighbours along the depth as
// fit into 32 bits: two bfloat16, or four integers of 8 bits (unsigned of a, signed of b).
struct Problem {
  const std::int32_t* a = nullptr;  // 32 rows of groups, `a_step` apart
  size_t a_step = 0;
  const std::int32_t* offsets = nullptr;  // (steps): where in a row the groups of each step begin
  const std::int32_t* b = nullptr;        // (steps*kStep,32 columns) groups
  size_t steps = 0;
  bool first = true;
  float* sums = nullptr;  // float32; of integers their bits, as int32
};

// Whether the processor has such registers, and the system lets this process use them.
bool has_bfloat16();
bool has_int8();

// The tile registers of the calling thread, set up while this lives. Needs has_bfloat16() or has_int8().
class Registers {
 public:
  Registers();
  ~Registers();
  Registers(const Registers&) = delete;
  Registers& operator=(const Registers&) = delete;
};

// REQUIRES: Registers are alive in this thread.
void multiply_bfloat16(const Problem& problem);
void multiply_int8(const Problem& problem);

// On any processor.
void multiply_bfloat16_plainly(const Problem& problem);
void multiply_int8_plainly(const Problem& problem);

}  // namespace caffe2rt::tile_product
