#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>
#include <span>

#include "model/simd.h"

namespace ltz::kernels {

// e^x to about two units in the last place, without a branch so that loops over it vectorise: x is
// split into n ln 2 + r with |r| <= ln 2 / 2, and e^r is a polynomial of degree 6 (Taylor
// coefficients are good enough on so short an interval).
LTZ_INLINE float exp_approx(float x) {
  constexpr float kLog2E = 1.44269504089f;
  constexpr float kLn2High = 0.693359375f;  // few bits, so that n * kLn2High is exact
  constexpr float kLn2Low = -2.12194440e-4f;
  constexpr float kRound = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer
  x = std::min(std::max(x, -87.0f), 88.0f);
  const float n = (x * kLog2E + kRound) - kRound;
  const float r = (x - n * kLn2High) - n * kLn2Low;
  float p = 1.0f / 720.0f;
  p = p * r + 1.0f / 120.0f;
  p = p * r + 1.0f / 24.0f;
  p = p * r + 1.0f / 6.0f;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  const auto exponent = static_cast<std::int32_t>(n) + 127;
  return p * std::bit_cast<float>(exponent << 23);
}

// softmax, as a part of a kernel.
LTZ_INLINE void softmax_inline(std::span<float> x) {
  float largest = -std::numeric_limits<float>::infinity();
#pragma omp simd reduction(max : largest)
  for (std::size_t i = 0; i < x.size(); ++i) {
    largest = std::max(largest, x[i]);
  }
  float sum = 0.0f;
#pragma omp simd reduction(+ : sum)
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = exp_approx(x[i] - largest);
    sum += x[i];
  }
  const float scale = 1.0f / sum;
  for (float& value : x) {
    value *= scale;
  }
}

}  // namespace ltz::kernels
