#include "model/kernels/quantized_rows.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "model/kernels/simd.h"

// This file is compiled without contraction of products and sums, so that the bytes are the same
// with every instruction set.
namespace ltz {
namespace {

constexpr int kLanes = QuantizedRows::kPadding;
using Floats = simd::Vector<kLanes>;
using Integers = simd::VectorOf<std::int32_t, kLanes>::Type;
using Bytes = simd::VectorOf<std::uint8_t, kLanes>::Type;

// 1.5 * 2^23: adding it rounds to an integer, which is then in the last bits; the last byte of its
// own bits is 0.
constexpr float kRound = 12582912.0f;

struct Extremes {
  Floats low{};
  Floats high{};
  Floats sum{};

  // x: (kLanes)
  LTZ_INLINE void add(const float* x) {
    const Floats values = simd::at<kLanes>(x).lanes;
    simd::Smaller::apply(values, low, low);
    simd::Larger::apply(values, high, high);
    sum += values;
  }
};

// x, bytes: (kLanes)
LTZ_INLINE void to_bytes(const float* x, float inverse, float shift, std::uint8_t* bytes) {
  const Floats shifted = simd::at<kLanes>(x).lanes * inverse + shift;
  const Integers integers = reinterpret_cast<Integers>(shifted) & 0xff;
  reinterpret_cast<simd::Unaligned<std::uint8_t, kLanes>*>(bytes)->lanes =
      __builtin_convertvector(integers, Bytes);
}

// bytes: width, rounded up to a multiple of kLanes. scale: step and zero.
LTZ_MULTIVERSION void quantize(const float* x, int width, std::uint8_t* bytes, float* scale) {
  const int whole = width / kLanes * kLanes;
  float padded[kLanes] = {};
  Extremes extremes;
  for (int i = 0; i < whole; i += kLanes) {
    extremes.add(x + i);
  }
  if (whole < width) {
    std::copy(x + whole, x + width, padded);
    extremes.add(padded);
  }
  const float smallest = simd::across<simd::Smaller>(extremes.low);
  const float largest = simd::across<simd::Larger>(extremes.high);
  const float total = simd::across<simd::Sum>(extremes.sum);
  // One step fewer than there are between bytes: the zero is rounded, which can shift all.
  constexpr float kSteps = 254.0f;
  const float range = largest - smallest;
  const float step = range * (1.0f / kSteps);
  const bool finite = std::isfinite(total) && std::isfinite(range);
  if (!finite || step < std::numeric_limits<float>::min()) {
    std::fill_n(bytes, (width + kLanes - 1) / kLanes * kLanes, std::uint8_t{0});
    scale[0] = finite ? 0.0f : std::numeric_limits<float>::quiet_NaN();
    scale[1] = 0.0f;
    return;
  }
  const float inverse = kSteps / range;
  const float shift = kRound - smallest * inverse;  // rounded, too
  for (int i = 0; i < whole; i += kLanes) {
    to_bytes(x + i, inverse, shift, bytes + i);
  }
  if (whole < width) {
    to_bytes(padded, inverse, shift, bytes + whole);
  }
  scale[0] = step;
  scale[1] = shift - kRound;
}

}  // namespace

QuantizedRows::QuantizedRows(MatrixView x)
    : bytes_(x.rows(), (x.cols() + kPadding - 1) / kPadding * (kPadding / sizeof(float))),
      scales_(x.rows(), 2),
      view_{reinterpret_cast<const std::uint8_t*>(bytes_->data()),
            bytes_->cols() * static_cast<std::ptrdiff_t>(sizeof(float)), scales_->data(),
            static_cast<int>(x.rows())} {
  auto* bytes = reinterpret_cast<std::uint8_t*>(bytes_->data());
  for (Eigen::Index row = 0; row < x.rows(); ++row) {
    quantize(x.data() + row * x.outerStride(), static_cast<int>(x.cols()),
             bytes + row * view_.stride, scales_->data() + 2 * row);
  }
}

}  // namespace ltz
