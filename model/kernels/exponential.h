#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include "model/kernels/simd.h"

// Exponentials and what is made of them, as parts of kernels.
namespace ltz::kernels {

using simd::Sixteen;

// y = e^x to about two units in the last place; e^-87 for everything below, e^88 for everything
// above. x is split into n ln 2 + r with |r| <= ln 2 / 2, and e^r is a polynomial of degree 6
// (Taylor coefficients are good enough on so short an interval).
LTZ_INLINE void exponential(const Sixteen& value, Sixteen& y) {
  using Integers = simd::VectorOf<std::int32_t, 16>::Type;
  constexpr float kLog2E = 1.44269504089f;
  constexpr float kLn2High = 0.693359375f;  // few bits, so that n * kLn2High is exact
  constexpr float kLn2Low = -2.12194440e-4f;
  // 1.5 * 2^23: adding it rounds to an integer, which is then in the last bits.
  constexpr float kRound = 12582912.0f;
  constexpr int kMantissaBits = 23;
  Sixteen x = value > -87.0f ? value : Sixteen{} - 87.0f;
  x = x < 88.0f ? x : Sixteen{} + 88.0f;
  const Sixteen rounded = x * kLog2E + kRound;
  const Sixteen n = rounded - kRound;
  const Sixteen r = (x - n * kLn2High) - n * kLn2Low;
  Sixteen p = r * (1.0f / 720.0f) + 1.0f / 120.0f;
  p = p * r + 1.0f / 24.0f;
  p = p * r + 1.0f / 6.0f;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  // Times 2^n: what shifting leaves of kRound is nothing.
  const Integers exponents = reinterpret_cast<Integers>(rounded) << kMantissaBits;
  const Integers product = reinterpret_cast<Integers>(p) + exponents;
  y = reinterpret_cast<Sixteen>(product);
}

// Sixteen floats at the end of a span that has only `count` more, the others `fill`.
LTZ_INLINE void load_last(const float* values, std::size_t count, float fill, Sixteen& last) {
  float padded[16];
  std::fill(std::copy_n(values, count, padded), padded + 16, fill);
  last = simd::at<16>(padded).lanes;
}

// x[i] = e^(x[i] - max(x)); returns their sum, 0 for an empty span.
LTZ_INLINE float exponentials_inline(std::span<float> x) {
  constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();
  if (x.empty()) {
    return 0.0f;
  }
  const std::size_t whole = x.size() / 16 * 16;
  const std::size_t left = x.size() - whole;
  Sixteen last = Sixteen{} + kMinusInfinity;
  if (left > 0) {
    load_last(x.data() + whole, left, kMinusInfinity, last);
  }
  Sixteen maxima = last;
  for (std::size_t i = 0; i < whole; i += 16) {
    const Sixteen values = simd::at<16>(x.data() + i).lanes;
    maxima = values > maxima ? values : maxima;
  }
  const float largest = simd::across<simd::Larger>(maxima);
  Sixteen sums = {};
  for (std::size_t i = 0; i < whole; i += 16) {
    Sixteen values = simd::at<16>(x.data() + i).lanes - largest;
    exponential(values, values);
    simd::at<16>(x.data() + i).lanes = values;
    sums += values;
  }
  if (left > 0) {
    exponential(last - largest, last);
    sums += last;
    float padded[16];
    simd::at<16>(padded).lanes = last;
    std::copy_n(padded, left, x.data() + whole);
  }
  return simd::across<simd::Sum>(sums);
}

LTZ_INLINE void softmax_inline(std::span<float> x) {
  const float scale = 1.0f / exponentials_inline(x);
#pragma omp simd
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] *= scale;
  }
}

}  // namespace ltz::kernels
