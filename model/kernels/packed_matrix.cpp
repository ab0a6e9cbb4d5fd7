#include "model/kernels/packed_matrix.h"

#include <algorithm>

#include "model/base/parallel.h"
#include "model/kernels/simd.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

namespace ltz {
namespace {

constexpr int kPanel = PackedMatrix::kPanel;

// Panels whose weights are codes, see PackedMatrix.
struct Codes {
  const std::uint8_t* codes;  // (columns / kPanel, ceil(depth / 2), kPanel), or null
  const float* centroids;     // (PackedMatrix::kMostCentroids)
  const float* scales;        // (columns / kPanel, kPanel)
};

// Some rows of x times some panels: y = finish(x panels + bias).
struct Product {
  const float* x;  // (rows, depth)
  std::ptrdiff_t x_stride;
  const float* panels;  // (columns / kPanel, depth, kPanel), or null
  Codes codes;          // if so
  std::ptrdiff_t depth;
  float* y;  // (rows, columns)
  std::ptrdiff_t y_stride;
  const float* bias;  // (columns), or null
  bool relu;
  int rows;
  int columns;
};

// What all tiles of a part of the depth share.
struct Depth {
  std::ptrdiff_t begin;
  std::ptrdiff_t end;
  const float* panel;     // the first one, from `begin` on
  std::ptrdiff_t stride;  // to the next one
  const float* bias;      // of the panels, added behind the last part

  bool first() const { return begin == 0; }
  bool last(const Product& p) const { return end == p.depth; }
};

// Rows x (Panels * kPanel) results, whose sums stay in registers; y has what comes of the parts
// before this one.
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
// centroids: (PackedMatrix::kMostCentroids). scales: (kPanel). weights: (2 * pairs, kPanel).
using LookUp = void (*)(const std::uint8_t* codes, std::ptrdiff_t pairs, const float* centroids,
                        const float* scales, float* weights);

#ifdef __x86_64__
__attribute__((target("arch=x86-64-v4"))) void look_up_avx512(const std::uint8_t* codes,
                                                              std::ptrdiff_t pairs,
                                                              const float* centroids,
                                                              const float* scales, float* weights) {
  constexpr __mmask16 kAll = 0xFFFF;
  const __m512 table = _mm512_loadu_ps(centroids);
  const __m512 scale = _mm512_loadu_ps(scales);
  for (std::ptrdiff_t pair = 0; pair < pairs; ++pair) {
    const auto* from = reinterpret_cast<const __m128i*>(codes + pair * kPanel);
    float* to = weights + 2 * pair * kPanel;
    // Of an index the instruction looks at the lowest four bits. GCC 12 takes the forms without a
    // mask for reading what is not initialized.
    const __m512i both = _mm512_maskz_cvtepu8_epi32(kAll, _mm_loadu_si128(from));
    const __m512i second = _mm512_maskz_srli_epi32(kAll, both, 4);
    _mm512_storeu_ps(to, scale * _mm512_maskz_permutexvar_ps(kAll, both, table));
    _mm512_storeu_ps(to + kPanel, scale * _mm512_maskz_permutexvar_ps(kAll, second, table));
  }
}

bool has_avx512() {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vl");
}
#endif

LookUp best_look_up() {
#ifdef __x86_64__
  if (has_avx512()) {
    return look_up_avx512;
  }
#endif
  return nullptr;
}

// Null where it would take longer than to read weights that were looked up before.
const LookUp kLookUp = best_look_up();

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
__attribute__((target("arch=x86-64-v3"))) void multiply_avx2(const Product& p) {
  multiply_all<8, 6, 1>(p);
}

__attribute__((target("arch=x86-64-v4"))) void multiply_avx512(const Product& p) {
  multiply_all<16, 8, 2>(p);
}
#endif

using Multiply = void (*)(const Product&);

Multiply best_multiply() {
#ifdef __x86_64__
  if (has_avx512()) {
    return multiply_avx512;
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
      __builtin_cpu_supports("bmi2")) {
    return multiply_avx2;
  }
#endif
  return multiply_any;
}

const Multiply kMultiply = best_multiply();

// Rows of x that are multiplied with all panels before the next ones, so that they stay in the
// second-level cache; a multiple of every tile's rows.
int rows_in_cache(int depth) {
  constexpr int kFloats = 48 * 1024;
  constexpr int kTiles = 24;
  return std::max(2 * kTiles, kFloats / std::max(depth, 1) / kTiles * kTiles);
}

}  // namespace

PackedMatrix::PackedMatrix(std::span<const float> weights, int out, int in) : out_(out), in_(in) {
  assign(weights);
}

PackedMatrix::PackedMatrix(const Tensor& weights, int out, int in) : out_(out), in_(in) {
  const auto* quantized = std::get_if<QuantizedValues>(&weights.data);
  if (kLookUp != nullptr && quantized != nullptr && quantized->centroids.size() <= kMostCentroids) {
    assign(*quantized);
  } else {
    assign(weights.values());
  }
}

std::size_t PackedMatrix::padded_rows() const {
  return (static_cast<std::size_t>(out_) + kPanel - 1) / kPanel * kPanel;
}

void PackedMatrix::assign(std::span<const float> weights) {
  const auto in = static_cast<std::size_t>(in_);
  codes_.clear();
  panels_.resize(padded_rows() * in);
  for (std::size_t row = 0; row < static_cast<std::size_t>(out_); ++row) {
    const float* from = weights.data() + row * in;
    float* to = panels_.data() + row / kPanel * kPanel * in + row % kPanel;
    for (std::size_t column = 0; column < in; ++column) {
      to[column * kPanel] = from[column];
    }
  }
}

void PackedMatrix::assign(const QuantizedValues& weights) {
  const auto in = static_cast<std::size_t>(in_);
  const std::size_t pairs = (in + 1) / 2;
  codes_.resize(padded_rows() * pairs);
  scales_.resize(padded_rows());
  std::ranges::copy(weights.centroids, centroids_.begin());
  for (std::size_t row = 0; row < static_cast<std::size_t>(out_); ++row) {
    scales_[row] = weights.row_scales.empty() ? 1.0f : row_scale(weights.row_scales[row]);
    const std::uint8_t* from = weights.codes.data() + row * in;
    std::uint8_t* to = codes_.data() + row / kPanel * kPanel * pairs + row % kPanel;
    for (std::size_t column = 0; column < in; ++column) {
      to[column / 2 * kPanel] |= static_cast<std::uint8_t>(from[column] << column % 2 * 4);
    }
  }
}

void PackedMatrix::unpack(MutableMatrixView weights) const {
  for (Eigen::Index row = 0; row < weights.rows(); ++row) {
    const Eigen::Index panel = row / kPanel * kPanel;
    for (Eigen::Index column = 0; column < weights.cols(); ++column) {
      if (codes_.empty()) {
        weights(row, column) = panels_[panel * in_ + column * kPanel + row % kPanel];
      } else {
        const int pair = codes_[panel * ((in_ + 1) / 2) + column / 2 * kPanel + row % kPanel];
        weights(row, column) = centroids_[(pair >> column % 2 * 4) & 15] * scales_[row];
      }
    }
  }
}

void PackedMatrix::multiply(MatrixView x, MutableMatrixView y, std::span<const float> bias,
                            Finish finish, int first) const {
  const auto rows = static_cast<int>(x.rows());
  const auto columns = static_cast<int>(y.cols());
  const auto panels = static_cast<std::size_t>((columns + kPanel - 1) / kPanel);
  const std::ptrdiff_t in = in_;
  const double work = static_cast<double>(x.rows()) * columns * in_;
  split_work(panels, work, [&](std::size_t begin, std::size_t end) {
    const auto column = static_cast<int>(begin) * kPanel;
    const int step = rows_in_cache(in_);
    for (int row = 0; row < rows; row += step) {
      kMultiply({.x = x.data() + row * x.outerStride(),
                 .x_stride = x.outerStride(),
                 .panels = codes_.empty() ? panels_.data() + (first + column) * in : nullptr,
                 .codes = codes_.empty()
                              ? Codes{}
                              : Codes{codes_.data() + (first + column) * ((in + 1) / 2),
                                      centroids_.data(), scales_.data() + first + column},
                 .depth = in,
                 .y = y.data() + row * y.outerStride() + column,
                 .y_stride = y.outerStride(),
                 .bias = bias.empty() ? nullptr : bias.data() + column,
                 .relu = finish == Finish::kRelu,
                 .rows = std::min(step, rows - row),
                 .columns = std::min(static_cast<int>(end) * kPanel, columns) - column});
    }
  });
}

}  // namespace ltz
