#include "model/kernels.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

// GCC compiles a function so marked once per instruction set and picks one when the program is
// loaded. Sanitizers do not work with that mechanism.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define LTZ_MULTIVERSION \
  __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define LTZ_MULTIVERSION
#endif

namespace ltz::kernels {
namespace {

constexpr float kNormEpsilon = 1e-5f;
constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();

// e^x to about two units in the last place, without a branch so that loops over it vectorise: x is
// split into n ln 2 + r with |r| <= ln 2 / 2, and e^r is a polynomial of degree 6 (Taylor
// coefficients are good enough on so short an interval).
inline float exp_approx(float x) {
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

}  // namespace

LTZ_MULTIVERSION
void add_bias(std::span<float> y, std::span<const float> bias) {
  for (std::size_t i = 0; i < y.size(); ++i) {
    y[i] += bias[i];
  }
}

LTZ_MULTIVERSION
void add_bias_relu(std::span<float> y, std::span<const float> bias) {
  for (std::size_t i = 0; i < y.size(); ++i) {
    y[i] = std::max(y[i] + bias[i], 0.0f);
  }
}

void add_bias_gelu(std::span<float> y, std::span<const float> bias) {
  constexpr float kSqrtHalf = 0.70710678118654752f;
  for (std::size_t i = 0; i < y.size(); ++i) {
    const float x = y[i] + bias[i];
    y[i] = 0.5f * x * (1.0f + std::erf(x * kSqrtHalf));
  }
}

LTZ_MULTIVERSION
void layer_norm(std::span<float> y, std::span<const float> residual, std::span<const float> gain,
                std::span<const float> bias) {
  if (!residual.empty()) {
    add_bias(y, residual);
  }
  const auto n = static_cast<float>(y.size());
  float sum = 0.0f;
#pragma omp simd reduction(+ : sum)
  for (std::size_t i = 0; i < y.size(); ++i) {
    sum += y[i];
  }
  const float mean = sum / n;
  float squares = 0.0f;
#pragma omp simd reduction(+ : squares)
  for (std::size_t i = 0; i < y.size(); ++i) {
    squares += (y[i] - mean) * (y[i] - mean);
  }
  const float scale = 1.0f / std::sqrt(squares / n + kNormEpsilon);
  for (std::size_t i = 0; i < y.size(); ++i) {
    y[i] = (y[i] - mean) * scale * gain[i] + bias[i];
  }
}

LTZ_MULTIVERSION
float max_value(std::span<const float> x) {
  float largest = kMinusInfinity;
#pragma omp simd reduction(max : largest)
  for (std::size_t i = 0; i < x.size(); ++i) {
    largest = std::max(largest, x[i]);
  }
  return largest;
}

LTZ_MULTIVERSION
void softmax(std::span<float> x) {
  const float largest = max_value(x);
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

LTZ_MULTIVERSION
float log_sum_exp(std::span<const float> x) {
  if (x.empty()) {
    return kMinusInfinity;
  }
  const float largest = max_value(x);
  float sum = 0.0f;
#pragma omp simd reduction(+ : sum)
  for (std::size_t i = 0; i < x.size(); ++i) {
    sum += exp_approx(x[i] - largest);
  }
  return largest + std::log(sum);
}

LTZ_MULTIVERSION
void gated(std::span<float> out, std::span<const float> a, std::span<const float> b) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = a[i] / (1.0f + exp_approx(-b[i]));
  }
}

LTZ_MULTIVERSION
void attend(std::span<float> out, std::span<const float> query, int heads,
            std::span<const float* const> keys, std::span<const float* const> values,
            std::span<float> scratch) {
  const std::size_t width = query.size() / static_cast<std::size_t>(heads);
  const std::span<float> weights = scratch.first(keys.size());
  std::ranges::fill(out, 0.0f);
  for (std::size_t begin = 0; begin < query.size(); begin += width) {
    const float* q = query.data() + begin;
    for (std::size_t t = 0; t < keys.size(); ++t) {
      const float* key = keys[t] + begin;
      float dot = 0.0f;
#pragma omp simd reduction(+ : dot)
      for (std::size_t c = 0; c < width; ++c) {
        dot += q[c] * key[c];
      }
      weights[t] = dot;
    }
    softmax(weights);
    float* o = out.data() + begin;
    for (std::size_t t = 0; t < values.size(); ++t) {
      const float* value = values[t] + begin;
      const float weight = weights[t];
#pragma omp simd
      for (std::size_t c = 0; c < width; ++c) {
        o[c] += weight * value[c];
      }
    }
  }
}

LTZ_MULTIVERSION
void convolve(std::span<float> out, std::span<const float* const> taps,
              std::span<const float> kernel, int heads) {
  const std::size_t width = out.size() / static_cast<std::size_t>(heads);
  std::ranges::fill(out, 0.0f);
  for (std::size_t k = 0; k < taps.size(); ++k) {
    if (taps[k] == nullptr) {
      continue;
    }
    for (std::size_t head = 0; head < static_cast<std::size_t>(heads); ++head) {
      const float weight = kernel[head * taps.size() + k];
      const float* x = taps[k] + head * width;
      float* o = out.data() + head * width;
#pragma omp simd
      for (std::size_t c = 0; c < width; ++c) {
        o[c] += weight * x[c];
      }
    }
  }
}

}  // namespace ltz::kernels
