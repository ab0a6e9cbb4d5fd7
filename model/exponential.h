#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include "model/simd.h"

// Exponentials and what is made of them, as parts of kernels.
namespace ltz::kernels {

using Eight = simd::Vector<8>;

// y = e^x to about two units in the last place; e^-87 for everything below, e^88 for everything
// above. x is split into n ln 2 + r with |r| <= ln 2 / 2, and e^r is a polynomial of degree 6
// (Taylor coefficients are good enough on so short an interval).
// Floats: a vector of any number of them.
template <typename Floats>
LTZ_INLINE void exponential(const Floats& value, Floats& y) {
  using Integers __attribute__((vector_size(sizeof(Floats)))) = std::int32_t;
  constexpr float kLog2E = 1.44269504089f;
  constexpr float kLn2High = 0.693359375f;  // few bits, so that n * kLn2High is exact
  constexpr float kLn2Low = -2.12194440e-4f;
  // 1.5 * 2^23: adding it rounds to an integer, which is then in the last bits.
  constexpr float kRound = 12582912.0f;
  constexpr int kMantissaBits = 23;
  Floats x = value > -87.0f ? value : Floats{} - 87.0f;
  x = x < 88.0f ? x : Floats{} + 88.0f;
  const Floats rounded = x * kLog2E + kRound;
  const Floats n = rounded - kRound;
  const Floats r = (x - n * kLn2High) - n * kLn2Low;
  Floats p = r * (1.0f / 720.0f) + 1.0f / 120.0f;
  p = p * r + 1.0f / 24.0f;
  p = p * r + 1.0f / 6.0f;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  // Times 2^n: what shifting leaves of kRound is nothing.
  const Integers exponents = reinterpret_cast<Integers>(rounded) << kMantissaBits;
  const Integers product = reinterpret_cast<Integers>(p) + exponents;
  y = reinterpret_cast<Floats>(product);
}

// Eight floats at the end of a span that has only `count` more, the others `fill`.
LTZ_INLINE void load_last(const float* values, std::size_t count, float fill, Eight& last) {
  float padded[8];
  std::fill(std::copy_n(values, count, padded), padded + 8, fill);
  last = simd::at<8>(padded);
}

LTZ_INLINE float sum_across(const Eight& x) {
  return ((x[0] + x[4]) + (x[1] + x[5])) + ((x[2] + x[6]) + (x[3] + x[7]));
}

LTZ_INLINE float max_across(const Eight& x) {
  // Not one after the other: who calls waits for it.
  return std::max(std::max(std::max(x[0], x[4]), std::max(x[1], x[5])),
                  std::max(std::max(x[2], x[6]), std::max(x[3], x[7])));
}

LTZ_INLINE void softmax_inline(std::span<float> x) {
  constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();
  if (x.empty()) {
    return;
  }
  const std::size_t whole = x.size() / 8 * 8;
  const std::size_t left = x.size() - whole;
  Eight last;
  load_last(x.data() + whole, left, kMinusInfinity, last);
  Eight maxima = last;
  for (std::size_t i = 0; i < whole; i += 8) {
    const Eight values = simd::at<8>(x.data() + i);
    maxima = values > maxima ? values : maxima;
  }
  const float largest = max_across(maxima);
  exponential(last - largest, last);
  Eight sums = left == 0 ? Eight{} : last;
  for (std::size_t i = 0; i < whole; i += 8) {
    Eight values = simd::at<8>(x.data() + i) - largest;
    exponential(values, values);
    simd::at<8>(x.data() + i) = values;
    sums += values;
  }
  const float scale = 1.0f / sum_across(sums);
  for (std::size_t i = 0; i < whole; i += 8) {
    simd::at<8>(x.data() + i) *= scale;
  }
  last *= scale;
  float padded[8];
  simd::at<8>(padded) = last;
  std::copy_n(padded, left, x.data() + whole);
}

}  // namespace ltz::kernels
