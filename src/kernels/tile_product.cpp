#include "kernels/tile_product.h"

#include <bit>

#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__)
#include <cpuid.h>
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>
#define CAFFE2RT_AMX 1
#endif

namespace caffe2rt::tile_product {
namespace {

template <class Sum, class Dot>
void multiply_plainly(const Problem& p, Dot dot) {
  for (size_t r = 0; r < kRows; r++)
    for (size_t m = 0; m < kColumns; m++) {
      float& to = p.sums[r * kColumns + m];
      Sum sum = p.first ? Sum(0) : std::bit_cast<Sum>(to);
      for (size_t k = 0; k < p.steps * kStep; k++)
        sum = dot(sum, static_cast<std::uint32_t>(p.a[r * p.a_step + p.offsets[k / kStep] + k % kStep]),
                  static_cast<std::uint32_t>(p.b[k * kColumns + m]));
      to = std::bit_cast<float>(sum);
    }
}

}  // namespace

void multiply_bfloat16_plainly(const Problem& problem) {
  multiply_plainly<float>(problem, [](float sum, std::uint32_t a, std::uint32_t b) {
    const auto low = [](std::uint32_t group) { return std::bit_cast<float>(group << 16); };
    const auto high = [](std::uint32_t group) { return std::bit_cast<float>(group & 0xffff0000U); };
    return sum + low(a) * low(b) + high(a) * high(b);
  });
}

void multiply_int8_plainly(const Problem& problem) {
  multiply_plainly<std::int32_t>(problem, [](std::int32_t sum, std::uint32_t a, std::uint32_t b) {
    for (int i = 0; i < 4; i++, a >>= 8, b >>= 8)
      sum += static_cast<std::uint8_t>(a) * static_cast<std::int8_t>(static_cast<std::uint8_t>(b));
    return sum;
  });
}

#ifdef CAFFE2RT_AMX

namespace {

// Bits of register edx of leaf 7 of the CPUID instruction.
enum Feature { kAmxBfloat16 = 22, kAmxTile = 24, kAmxInt8 = 25 };

bool has(Feature feature) {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (d >> feature & 1) != 0;
}

// The kernel hands out the registers to processes that ask: Documentation/arch/x86/xstate.rst.
bool may_use_tiles() {
  constexpr long kRequestPermission = 0x1023, kTileData = 18;
  static const bool allowed = has(kAmxTile) && syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
  return allowed;
}

// The operand of ldtilecfg, palette 1: all tiles are whole.
struct alignas(64) Configuration {
  std::uint8_t palette = 1, start_row = 0, reserved[14] = {};
  std::uint16_t bytes_of_row[16] = {};
  std::uint8_t rows[16] = {};

  constexpr Configuration() {
    for (int tile = 0; tile < 8; tile++) {
      bytes_of_row[tile] = kStep * sizeof(std::int32_t);
      rows[tile] = kStep;
    }
  }
};

[[gnu::target("amx-tile")]] void configure() {
  // A constant: of a variable the compiler would write only what it thinks that the intrinsic reads.
  static constexpr Configuration kConfiguration;
  _tile_loadconfig(&kConfiguration);
}

[[gnu::target("amx-tile")]] void release() { _tile_release(); }

}  // namespace

bool has_bfloat16() {
  static const bool found = has(kAmxBfloat16) && may_use_tiles();
  return found;
}

bool has_int8() {
  static const bool found = has(kAmxInt8) && may_use_tiles();
  return found;
}

Registers::Registers() { configure(); }
Registers::~Registers() { release(); }

// Tiles 0 to 3 hold sums, 4 and 5 rows, 6 and 7 columns. The intrinsics are macros that want digits, and tell
// the compiler nothing of the memory that they read.
#define CAFFE2RT_MULTIPLY_TILES(dot)                                                  \
  constexpr size_t kHalf = kRows / 2, kColumnBytes = kColumns * sizeof(std::int32_t); \
  const size_t a_bytes = p.a_step * sizeof(std::int32_t);                             \
  asm volatile("" ::: "memory");                                                      \
  if (p.first) {                                                                      \
    _tile_zero(0);                                                                    \
    _tile_zero(1);                                                                    \
    _tile_zero(2);                                                                    \
    _tile_zero(3);                                                                    \
  } else {                                                                            \
    _tile_loadd(0, p.sums, kColumnBytes);                                             \
    _tile_loadd(1, p.sums + kHalf, kColumnBytes);                                     \
    _tile_loadd(2, p.sums + kHalf * kColumns, kColumnBytes);                          \
    _tile_loadd(3, p.sums + kHalf * kColumns + kHalf, kColumnBytes);                  \
  }                                                                                   \
  for (size_t s = 0; s < p.steps; s++) {                                              \
    const std::int32_t *a = p.a + p.offsets[s], *b = p.b + s * kStep * kColumns;      \
    _tile_loadd(6, b, kColumnBytes);                                                  \
    _tile_loadd(4, a, a_bytes);                                                       \
    _tile_loadd(7, b + kHalf, kColumnBytes);                                          \
    dot(0, 4, 6);                                                                     \
    dot(1, 4, 7);                                                                     \
    _tile_loadd(5, a + kHalf * p.a_step, a_bytes);                                    \
    dot(2, 5, 6);                                                                     \
    dot(3, 5, 7);                                                                     \
  }                                                                                   \
  _tile_stored(0, p.sums, kColumnBytes);                                              \
  _tile_stored(1, p.sums + kHalf, kColumnBytes);                                      \
  _tile_stored(2, p.sums + kHalf * kColumns, kColumnBytes);                           \
  _tile_stored(3, p.sums + kHalf * kColumns + kHalf, kColumnBytes);                   \
  asm volatile("" ::: "memory")

[[gnu::target("amx-tile,amx-bf16")]] void multiply_bfloat16(const Problem& p) {
  CAFFE2RT_MULTIPLY_TILES(_tile_dpbf16ps);
}

[[gnu::target("amx-tile,amx-int8")]] void multiply_int8(const Problem& p) {
  CAFFE2RT_MULTIPLY_TILES(_tile_dpbusd);
}

#else

bool has_bfloat16() { return false; }
bool has_int8() { return false; }
Registers::Registers() = default;
Registers::~Registers() = default;
void multiply_bfloat16(const Problem& problem) { multiply_bfloat16_plainly(problem); }
void multiply_int8(const Problem& problem) { multiply_int8_plainly(problem); }

#endif

}  // namespace caffe2rt::tile_product
