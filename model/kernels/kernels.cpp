#include "model/kernels/kernels.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "model/base/assert.h"
#include "model/kernels/exponential.h"
#include "model/kernels/simd.h"

namespace ltz::kernels {
namespace {

constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();

}  // namespace

void gelu(std::span<float> y) {
  constexpr float kSqrtHalf = 0.70710678118654752f;
  for (float& x : y) {
    x = 0.5f * x * (1.0f + std::erf(x * kSqrtHalf));
  }
}

void activate(std::span<float> y, Activation activation) {
  switch (activation) {
    case Activation::kRelu:
      std::ranges::transform(y, y.begin(), [](float x) { return std::max(x, 0.0f); });
      break;
    case Activation::kGelu:
      gelu(y);
      break;
    case Activation::kGeluTanh:
      std::ranges::transform(y, y.begin(), [](float x) {
        return 0.5f * x * (1.0f + std::tanh(kGeluRoot * (x + kGeluCube * x * x * x)));
      });
      break;
    case Activation::kTanh:
      std::ranges::transform(y, y.begin(), [](float x) { return std::tanh(x); });
      break;
    case Activation::kLinear:
      break;
  }
}

LTZ_MULTIVERSION
void layer_norm(std::span<float> x, std::span<const float> residual, std::span<const float> gain,
                std::span<const float> bias) {
  LTZ_ASSERT(residual.empty() || residual.size() == x.size());
  LTZ_ASSERT(gain.size() == x.size() && bias.size() == x.size());
  const auto n = static_cast<float>(x.size());
  for (std::size_t i = 0; i < residual.size(); ++i) {
    x[i] += residual[i];
  }
  const float mean = simd::sum_of<32>(x.size(), [&](std::size_t i) { return x[i]; }) / n;
  const float squares =
      simd::sum_of<32>(x.size(), [&](std::size_t i) { return (x[i] - mean) * (x[i] - mean); });
  const float scale = 1.0f / std::sqrt(squares / n + kNormEpsilon);
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = (x[i] - mean) * scale * gain[i] + bias[i];
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
void max_of_lanes(std::span<const float> x, std::span<float, kLanes> largest) {
  LTZ_ASSERT(x.size() % kLanes == 0);
  using Vector = simd::Vector<kLanes>;
  Vector maxima = Vector{} + kMinusInfinity;
  for (std::size_t i = 0; i < x.size(); i += kLanes) {
    const Vector values = simd::at<kLanes>(x.data() + i).lanes;
    maxima = values > maxima ? values : maxima;
  }
  simd::at<kLanes>(largest.data()).lanes = maxima;
}

LTZ_MULTIVERSION
float sum_exp(std::span<const float> x, float shift) {
  Sixteen sums = {};
  std::size_t i = 0;
  for (; i + 16 <= x.size(); i += 16) {
    Sixteen values = simd::at<16>(x.data() + i).lanes - shift;
    exponential(values, values);
    sums += values;
  }
  if (i == x.size()) {
    return simd::across<simd::Sum>(sums);
  }
  Sixteen last;
  load_last(x.data() + i, x.size() - i, kMinusInfinity, last);
  exponential(last - shift, last);
  return simd::across<simd::Sum>(sums + last);
}

LTZ_MULTIVERSION
void softmax(std::span<float> x) {
  softmax_inline(x);
}

LTZ_MULTIVERSION
void gated(std::span<float> out, std::span<const float> a, std::span<const float> b) {
  LTZ_ASSERT(a.size() == out.size() && b.size() == out.size());
  for (std::size_t i = 0; i < out.size(); i += 16) {
    const std::size_t count = std::min<std::size_t>(16, out.size() - i);
    Sixteen gate;
    load_last(b.data() + i, count, 0.0f, gate);
    exponential(-gate, gate);
    gate = 1.0f / (1.0f + gate);
    float gates[16];
    simd::at<16>(gates).lanes = gate;
    for (std::size_t j = 0; j < count; ++j) {
      out[i + j] = a[i + j] * gates[j];
    }
  }
}

float log_sum_exp(std::span<const float> x) {
  if (x.empty()) {
    return kMinusInfinity;
  }
  const float largest = max_value(x);
  return largest + std::log(sum_exp(x, largest));
}

}  // namespace ltz::kernels
