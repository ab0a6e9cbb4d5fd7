#include "model/kernels/packed_kernels.h"

#include <algorithm>

#include "model/base/assert.h"
#include "model/kernels/cpu.h"
#include "model/kernels/simd.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

// This file is compiled with contraction of products and sums: every product is a part of one sum,
// in a fixed order, so that there is one way to fuse them.
namespace ltz::packed {
namespace {

// One part of the depth, the same for all tiles.
struct Depth {
  std::ptrdiff_t begin;
  std::ptrdiff_t end;
  const float* panel;     // the first one, from `begin` on
  std::ptrdiff_t stride;  // to the next one
  const float* bias;      // of the panels, added behind the last part

  bool first() const { return begin == 0; }
  bool last(const Product& p) const { return end == p.depth; }
};

// Rows x (Panels * kPanel) results, whose sums stay in registers; y holds the sums of the parts of
// the depth before this one.
template <int Lanes, int Rows, int Panels>
LTZ_INLINE void tile(const Product& p, const Depth& depth, const float* x, float* y,
                     std::ptrdiff_t y_stride) {
  using Vector = simd::Vector<Lanes>;
  constexpr int kInPanel = kPanel / Lanes;
  constexpr int kVectors = Panels * kInPanel;
  Vector sums[Rows][kVectors] = {};
  if (!depth.first()) {
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 16
      for (int v = 0; v < kVectors; ++v) {
        sums[r][v] = simd::at<Lanes>(y + r * y_stride + v * Lanes).lanes;
      }
    }
  }
  for (std::ptrdiff_t k = depth.begin; k < depth.end; ++k) {
    Vector w[kVectors];
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) {
      w[v] = simd::at<Lanes>(depth.panel + (v / kInPanel) * depth.stride +
                             (k - depth.begin) * kPanel + (v % kInPanel) * Lanes)
                 .lanes;
    }
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r) {
      const float value = x[r * p.x_stride + k];
#pragma GCC unroll 16
      for (int v = 0; v < kVectors; ++v) {
        sums[r][v] += value * w[v];
      }
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) {
      Vector sum = sums[r][v];
      if (depth.last(p)) {
        sum += simd::at<Lanes>(depth.bias + v * Lanes).lanes;
        if (p.relu) {
          sum = sum < 0.0f ? Vector{} : sum;
        }
      }
      simd::at<Lanes>(y + r * y_stride + v * Lanes).lanes = sum;
    }
  }
}

// The tile of exactly `rows` rows, at most Rows.
template <int Lanes, int Rows, int Panels>
LTZ_INLINE void last_tile(int rows, const Product& p, const Depth& depth, const float* x, float* y,
                          std::ptrdiff_t y_stride) {
  if constexpr (Rows > 0) {
    if (rows == Rows) {
      tile<Lanes, Rows, Panels>(p, depth, x, y, y_stride);
    } else {
      last_tile<Lanes, Rows - 1, Panels>(rows, p, depth, x, y, y_stride);
    }
  }
}

// The weights of one panel, of 2 * `pairs` columns. codes: as in Codes, from the first pair on.
// centroids: (kMostCentroids). scales: (kPanel). weights: (2 * pairs, kPanel).
using LookUp = void (*)(const std::uint8_t* codes, std::ptrdiff_t pairs, const float* centroids,
                        const float* scales, float* weights);

#ifdef __x86_64__
LTZ_TARGET_AVX512
void look_up_avx512(const std::uint8_t* codes, std::ptrdiff_t pairs, const float* centroids,
                    const float* scales, float* weights) {
  constexpr __mmask16 kAll = 0xFFFF;
  const __m512 table = _mm512_loadu_ps(centroids);
  const __m512 scale = _mm512_loadu_ps(scales);
  for (std::ptrdiff_t pair = 0; pair < pairs; ++pair) {
    const auto* from = reinterpret_cast<const __m128i*>(codes + pair * kPanel);
    float* to = weights + 2 * pair * kPanel;
    // The instruction uses the lowest four bits of an index. GCC 12 warns that the forms without a
    // mask read uninitialized values.
    const __m512i both = _mm512_maskz_cvtepu8_epi32(kAll, _mm_loadu_si128(from));
    const __m512i second = _mm512_maskz_srli_epi32(kAll, both, 4);
    _mm512_storeu_ps(to, scale * _mm512_maskz_permutexvar_ps(kAll, both, table));
    _mm512_storeu_ps(to + kPanel, scale * _mm512_maskz_permutexvar_ps(kAll, second, table));
  }
}
#endif

// Null where it would take longer than to read weights that were looked up before.
const LookUp kLookUp = cpu::best<LookUp>({
#ifdef __x86_64__
    {cpu::Level::kAvx512, look_up_avx512},
#endif
    {cpu::Level::kAny, nullptr},
});

// All rows times Panels panels, of which `columns` columns are wanted. All rows are multiplied with
// a part of the depth before the next one, so that it stays in the first-level cache. A sum is the
// same however the depth is parted.
template <int Lanes, int Rows, int Panels>
LTZ_INLINE void multiply_panels(const Product& p, int column, int columns) {
  constexpr int kWidth = Panels * kPanel;
  constexpr std::ptrdiff_t kCached = 6 * 1024 / kWidth;
  float bias[kWidth] = {};
  if (p.bias != nullptr) {
    std::copy_n(p.bias + column, columns, bias);
  }
  float looked_up[(kCached + 2) * kWidth];
  const std::ptrdiff_t parts = std::max<std::ptrdiff_t>(1, (p.depth + kCached - 1) / kCached);
  // Codes come in pairs of columns.
  const auto begin_of = [&](std::ptrdiff_t part) {
    return part == parts ? p.depth : p.depth * part / parts / 2 * 2;
  };
  for (std::ptrdiff_t part = 0; part < parts; ++part) {
    Depth depth{.begin = begin_of(part), .end = begin_of(part + 1), .bias = bias};
    if (p.panels != nullptr) {
      depth.panel = p.panels + column * p.depth + depth.begin * kPanel;
      depth.stride = p.depth * kPanel;
    } else {
      const std::ptrdiff_t pairs = (depth.end - depth.begin + 1) / 2;
      depth.panel = looked_up;
      depth.stride = 2 * pairs * kPanel;
      for (int panel = 0; panel < Panels; ++panel) {
        const int first = column + panel * kPanel;
        kLookUp(p.codes.codes + first * ((p.depth + 1) / 2) + depth.begin / 2 * kPanel, pairs,
                p.codes.centroids, p.codes.scales + first, looked_up + panel * depth.stride);
      }
    }
    for (int row = 0; row < p.rows; row += Rows) {
      const int rows = std::min(Rows, p.rows - row);
      const float* x = p.x + row * p.x_stride;
      float* y = p.y + row * p.y_stride + column;
      if (columns == kWidth) {
        last_tile<Lanes, Rows, Panels>(rows, p, depth, x, y, p.y_stride);
        continue;
      }
      float wide[Rows * kWidth] = {};
      for (int r = 0; r < rows && !depth.first(); ++r) {
        std::copy_n(y + r * p.y_stride, columns, wide + r * kWidth);
      }
      last_tile<Lanes, Rows, Panels>(rows, p, depth, x, wide, kWidth);
      for (int r = 0; r < rows; ++r) {
        std::copy_n(wide + r * kWidth, columns, y + r * p.y_stride);
      }
    }
  }
}

// The columns from this one on, Panels panels at a time while there are so many.
template <int Lanes, int Rows, int Panels>
LTZ_INLINE void multiply_all(const Product& p, int column = 0) {
  for (; column + Panels * kPanel <= p.columns; column += Panels * kPanel) {
    multiply_panels<Lanes, Rows, Panels>(p, column, Panels * kPanel);
  }
  if constexpr (Panels > 1) {
    multiply_all<Lanes, Rows, Panels / 2>(p, column);
  } else if (column < p.columns) {
    multiply_panels<Lanes, Rows, 1>(p, column, p.columns - column);
  }
}

// A tile has as many sums as there are registers for, beside those for the operands: SSE has 16 of
// four floats, NEON has 32.
void multiply_any(const Product& p) {
#ifdef __aarch64__
  multiply_all<4, 6, 1>(p);
#else
  multiply_all<4, 3, 1>(p);
#endif
}

#ifdef __x86_64__
LTZ_TARGET_AVX2
void multiply_avx2(const Product& p) {
  multiply_all<8, 6, 1>(p);
}

LTZ_TARGET_AVX512
void multiply_avx512(const Product& p) {
  multiply_all<16, 8, 2>(p);
}
#endif

using Multiply = void (*)(const Product&);

const Multiply kMultiply = cpu::best<Multiply>({
#ifdef __x86_64__
    {cpu::Level::kAvx512, multiply_avx512},
    {cpu::Level::kAvx2, multiply_avx2},
#endif
    {cpu::Level::kAny, multiply_any},
});

}  // namespace

void multiply(const Product& product) {
  LTZ_ASSERT(product.panels != nullptr || can_look_up());
  kMultiply(product);
}

bool can_look_up() {
  return kLookUp != nullptr;
}

}  // namespace ltz::packed
