#include "model/training/backward_kernels.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "model/base/assert.h"
#include "model/kernels/exponential.h"
#include "model/kernels/simd.h"

namespace ltz::kernels {
namespace {

LTZ_INLINE float dot(const float* a, const float* b, std::size_t n) {
  return simd::sum_of<16>(n, [&](std::size_t i) { return a[i] * b[i]; });
}

// y += factor x
LTZ_INLINE void add_scaled(float* y, float factor, const float* x, std::size_t n) {
#pragma omp simd
  for (std::size_t i = 0; i < n; ++i) {
    y[i] += factor * x[i];
  }
}

LTZ_INLINE void softmax_backward_inline(std::span<float> dy, std::span<const float> y) {
  const float mean = dot(dy.data(), y.data(), y.size());
  for (std::size_t i = 0; i < y.size(); ++i) {
    dy[i] = y[i] * (dy[i] - mean);
  }
}

void gelu_backward(std::span<float> dy, std::span<const float> x) {
  // d/dx x Phi(x) = Phi(x) + x phi(x)
  constexpr float kSqrtHalf = std::numbers::sqrt2_v<float> / 2;
  constexpr float kDensity = kSqrtHalf * std::numbers::inv_sqrtpi_v<float>;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const float below = 0.5f * (1.0f + std::erf(x[i] * kSqrtHalf));
    dy[i] *= below + x[i] * kDensity * std::exp(-0.5f * x[i] * x[i]);
  }
}

}  // namespace

void activation_backward(std::span<float> dy, std::span<const float> x, Activation activation) {
  const auto times = [&](const auto& slope) {
    std::ranges::transform(dy, x, dy.begin(), [&](float d, float at) { return d * slope(at); });
  };
  switch (activation) {
    case Activation::kRelu:
      times([](float at) { return at > 0.0f ? 1.0f : 0.0f; });
      break;
    case Activation::kGelu:
      gelu_backward(dy, x);
      break;
    case Activation::kGeluTanh:
      times([](float at) {
        const float inner = std::tanh(kGeluRoot * (at + kGeluCube * at * at * at));
        const float dinner = kGeluRoot * (1.0f + 3.0f * kGeluCube * at * at);
        return 0.5f * (1.0f + inner) + 0.5f * at * (1.0f - inner * inner) * dinner;
      });
      break;
    case Activation::kTanh:
      times([](float at) {
        const float value = std::tanh(at);
        return 1.0f - value * value;
      });
      break;
    case Activation::kLinear:
      break;
  }
}

LTZ_MULTIVERSION
void layer_norm_backward(std::span<const float> x, std::span<const float> gain,
                         std::span<const float> dy, const LayerNormGradients& d) {
  LTZ_ASSERT(gain.size() == x.size() && dy.size() == x.size() && d.x.size() == x.size());
  const std::size_t size = x.size();
  const auto n = static_cast<float>(size);
  const float mean = simd::sum_of<32>(size, [&](std::size_t i) { return x[i]; }) / n;
  const float squares =
      simd::sum_of<32>(size, [&](std::size_t i) { return (x[i] - mean) * (x[i] - mean); });
  const float scale = 1.0f / std::sqrt(squares / n + kNormEpsilon);
  for (std::size_t i = 0; i < size; ++i) {
    d.gain[i] += (x[i] - mean) * scale * dy[i];
    d.bias[i] += dy[i];
  }
  // y = z gain + bias; dx = scale (dz - mean(dz) - z mean(z dz)) with dz = gain dy
  const float dz_sum = simd::sum_of<32>(size, [&](std::size_t i) { return gain[i] * dy[i]; });
  const float z_dz_sum = simd::sum_of<32>(
      size, [&](std::size_t i) { return (x[i] - mean) * scale * (gain[i] * dy[i]); });
  for (std::size_t i = 0; i < size; ++i) {
    const float z = (x[i] - mean) * scale;
    d.x[i] += scale * (gain[i] * dy[i] - dz_sum / n - z * (z_dz_sum / n));
  }
}

LTZ_MULTIVERSION
void softmax_backward(std::span<float> dy, std::span<const float> y) {
  LTZ_ASSERT(dy.size() == y.size());
  softmax_backward_inline(dy, y);
}

void gated_backward(std::span<const float> a, std::span<const float> b, std::span<const float> dout,
                    std::span<float> da, std::span<float> db) {
  LTZ_ASSERT(a.size() == dout.size() && b.size() == dout.size());
  LTZ_ASSERT(da.size() == dout.size() && db.size() == dout.size());
  for (std::size_t i = 0; i < dout.size(); ++i) {
    const float gate = 1.0f / (1.0f + std::exp(-b[i]));
    da[i] += dout[i] * gate;
    db[i] += dout[i] * a[i] * gate * (1.0f - gate);
  }
}

LTZ_MULTIVERSION
void attend_backward(std::span<float> out, const AttentionInputs& inputs,
                     std::span<const float> dout, const AttentionGradients& d,
                     std::span<float> scratch) {
  const auto& [query, heads, keys, values] = inputs;
  LTZ_ASSERT(keys.size() == values.size() && scratch.size() >= 2 * keys.size());
  LTZ_ASSERT(out.size() == query.size() && dout.size() == query.size());
  const std::size_t width = query.size() / static_cast<std::size_t>(heads);
  const float scale = 1.0f / std::sqrt(static_cast<float>(width));
  const std::span<float> weights = scratch.first(keys.size());
  const std::span<float> dweights = scratch.subspan(keys.size(), keys.size());
  std::ranges::fill(out, 0.0f);
  for (std::size_t offset = 0; offset < query.size(); offset += width) {
    for (std::size_t j = 0; j < keys.size(); ++j) {
      weights[j] = scale * dot(query.data() + offset, keys[j] + offset, width);
    }
    softmax_inline(weights);
    for (std::size_t j = 0; j < keys.size(); ++j) {
      add_scaled(out.data() + offset, weights[j], values[j] + offset, width);
      dweights[j] = dot(dout.data() + offset, values[j] + offset, width);
      add_scaled(d.values[j] + offset, weights[j], dout.data() + offset, width);
    }
    softmax_backward_inline(dweights, weights);
    for (std::size_t j = 0; j < keys.size(); ++j) {
      add_scaled(d.query.data() + offset, scale * dweights[j], keys[j] + offset, width);
      add_scaled(d.keys[j] + offset, scale * dweights[j], query.data() + offset, width);
    }
  }
}

LTZ_MULTIVERSION
void convolve_backward(const ConvolutionInputs& inputs, std::span<const float> dout,
                       const ConvolutionGradients& d) {
  const auto& [rows, first, kernel, heads] = inputs;
  const std::size_t width = dout.size() / static_cast<std::size_t>(heads);
  const std::size_t taps = kernel.size() / static_cast<std::size_t>(heads);
  LTZ_ASSERT(first + rows.size() <= taps && d.kernel.size() == kernel.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t head = 0; head < static_cast<std::size_t>(heads); ++head) {
      const std::size_t tap = head * taps + first + i;
      const float* from = dout.data() + head * width;
      d.kernel[tap] += dot(from, rows[i] + head * width, width);
      add_scaled(d.rows[i] + head * width, kernel[tap], from, width);
    }
  }
}

}  // namespace ltz::kernels
