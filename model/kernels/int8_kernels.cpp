#include "model/kernels/int8_kernels.h"

#include <cstring>
#include <utility>

#include "model/kernels/cpu.h"
#include "model/kernels/simd.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

// This file is compiled without contraction of products and sums, so that results are the same with
// every instruction set.
namespace ltz::int8 {
namespace {

template <int Lanes>
using Integers = typename simd::VectorOf<std::int32_t, Lanes>::Type;

// Lanes integers, or the groups of Lanes rows of a panel. p: of any type and alignment.
template <int Lanes>
LTZ_INLINE const simd::Unaligned<std::int32_t, Lanes>& integers_at(const void* p) {
  return *static_cast<const simd::Unaligned<std::int32_t, Lanes>*>(p);
}

// Turns the sums of row r, vector v into results in y.
template <int Lanes>
LTZ_INLINE void finish(const Tile& t, int r, int v, const Integers<Lanes>& sum) {
  using Floats = simd::Vector<Lanes>;
  const auto zero = static_cast<std::int32_t>(t.scales[2 * r + 1]);
  const Integers<Lanes> exact = sum - zero * integers_at<Lanes>(t.weight_sums + v * Lanes).lanes;
  Floats y = __builtin_convertvector(exact, Floats) * t.scales[2 * r];
  y = y * simd::at<Lanes>(t.weight_steps + v * Lanes).lanes +
      simd::at<Lanes>(t.bias + v * Lanes).lanes;
  if (t.relu) {
    y = y < 0.0f ? Floats{} : y;
  }
  simd::at<Lanes>(t.y + r * t.y_stride + v * Lanes).lanes = y;
}

// The vector of groups that begins at row v * Lanes of the panels.
template <int Lanes>
LTZ_INLINE const std::int8_t* weights_at(const Tile& t, int v, std::ptrdiff_t group) {
  constexpr int kInPanel = kPanel / Lanes;
  return t.weights +
         (((v / kInPanel) * t.groups + group) * kPanel + (v % kInPanel) * Lanes) * kGroup;
}

// With vectors of 32-bit integers.
template <int Panels, int Rows>
void tile_any(const Tile& t) {
  constexpr int kLanes = 4;
  constexpr int kVectors = Panels * kPanel / kLanes;
  Integers<kLanes> sums[Rows][kVectors] = {};
  for (std::ptrdiff_t g = 0; g < t.groups; ++g) {
    for (int v = 0; v < kVectors; ++v) {
      const Integers<kLanes> group = integers_at<kLanes>(weights_at<kLanes>(t, v, g)).lanes;
      for (int k = 0; k < kGroup; ++k) {
        const Integers<kLanes> weights = (group << (8 * (kGroup - 1 - k))) >> (8 * (kGroup - 1));
        for (int r = 0; r < Rows; ++r) {
          sums[r][v] += weights * std::int32_t{t.x[r * t.x_stride + g * kGroup + k]};
        }
      }
    }
  }
  for (int r = 0; r < Rows; ++r) {
    for (int v = 0; v < kVectors; ++v) {
      finish<kLanes>(t, r, v, sums[r][v]);
    }
  }
}

#ifdef __x86_64__
// One group of a row of x.
LTZ_INLINE std::int32_t group_at(const std::uint8_t* x) {
  std::int32_t group;
  std::memcpy(&group, x, kGroup);
  return group;
}

// With products of 16-bit integers that are added in pairs: those of even bytes, and those of odd
// ones. The instruction for products of bytes saturates at 16 bits.
template <int Panels, int Rows>
LTZ_TARGET_AVX2 void tile_avx2(const Tile& t) {
  constexpr int kLanes = 8;
  constexpr int kVectors = Panels * kPanel / kLanes;
  Integers<kLanes> sums[Rows][kVectors] = {};
  for (std::ptrdiff_t g = 0; g < t.groups; ++g) {
    __m256i even[kVectors];
    __m256i odd[kVectors];
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) {
      const auto groups =
          _mm256_loadu_si256(reinterpret_cast<const __m256i*>(weights_at<kLanes>(t, v, g)));
      even[v] = _mm256_srai_epi16(_mm256_slli_epi16(groups, 8), 8);
      odd[v] = _mm256_srai_epi16(groups, 8);
    }
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r) {
      const __m256i x = _mm256_set1_epi32(group_at(t.x + r * t.x_stride + g * kGroup));
      const __m256i x_even = _mm256_and_si256(x, _mm256_set1_epi16(0xff));
      const __m256i x_odd = _mm256_srli_epi16(x, 8);
#pragma GCC unroll 16
      for (int v = 0; v < kVectors; ++v) {
        const __m256i products =
            _mm256_add_epi32(_mm256_madd_epi16(x_even, even[v]), _mm256_madd_epi16(x_odd, odd[v]));
        sums[r][v] += reinterpret_cast<Integers<kLanes>>(products);
      }
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) {
      finish<kLanes>(t, r, v, sums[r][v]);
    }
  }
}

// With the instruction made for this: four products of bytes, added to a 32-bit sum.
template <int Panels, int Rows>
LTZ_TARGET_VNNI void tile_vnni(const Tile& t) {
  constexpr int kLanes = 16;
  __m512i sums[Rows][Panels] = {};
  for (std::ptrdiff_t g = 0; g < t.groups; ++g) {
    __m512i weights[Panels];
#pragma GCC unroll 16
    for (int v = 0; v < Panels; ++v) {
      weights[v] = _mm512_loadu_si512(weights_at<kLanes>(t, v, g));
    }
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r) {
      const __m512i x = _mm512_set1_epi32(group_at(t.x + r * t.x_stride + g * kGroup));
#pragma GCC unroll 16
      for (int v = 0; v < Panels; ++v) {
        // The intrinsic would have GCC 12 copy all sums in every step.
        asm("vpdpbusd %2, %1, %0" : "+v"(sums[r][v]) : "v"(x), "v"(weights[v]));
      }
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 16
    for (int v = 0; v < Panels; ++v) {
      finish<kLanes>(t, r, v, reinterpret_cast<Integers<kLanes>>(sums[r][v]));
    }
  }
}
#endif

// Make: make.operator()<panels, rows>() is the function for these. A tile has as many sums as there
// are registers for, beside those for the operands.
template <int Rows, typename Make>
Kernel kernel(const char* name, const Make& make) {
  Kernel kernel{.name = name, .rows = Rows, .tiles = {}};
  const auto add = [&]<int... Row>(std::integer_sequence<int, Row...>) {
    (kernel.tiles.push_back(make.template operator()<1, Row + 1>()), ...);
    (kernel.tiles.push_back(make.template operator()<2, Row + 1>()), ...);
  };
  add(std::make_integer_sequence<int, Rows>());
  return kernel;
}

std::vector<Kernel> supported_kernels() {
  std::vector<Kernel> supported;
#ifdef __x86_64__
  if (cpu::level() >= cpu::Level::kVnni) {
    supported.push_back(kernel<12>(
        "AVX512-VNNI", []<int P, int R>() -> Kernel::Function { return tile_vnni<P, R>; }));
  }
  if (cpu::level() >= cpu::Level::kAvx2) {
    supported.push_back(
        kernel<4>("AVX2", []<int P, int R>() -> Kernel::Function { return tile_avx2<P, R>; }));
  }
#endif
  supported.push_back(
      kernel<2>("any", []<int P, int R>() -> Kernel::Function { return tile_any<P, R>; }));
  return supported;
}

}  // namespace

const std::vector<Kernel>& kernels() {
  static const std::vector<Kernel> kKernels = supported_kernels();
  return kKernels;
}

}  // namespace ltz::int8
