#include "model/kernels.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <vector>

namespace ltz::kernels {
namespace {

// Lengths around the widths of vector registers.
const std::vector<std::size_t> kLengths = {1, 2, 3, 4, 7, 8, 15, 16, 17, 31, 33, 64, 100};

std::vector<float> wave(std::size_t n, float scale) {
  std::vector<float> values(n);
  for (std::size_t i = 0; i < n; ++i) {
    values[i] = scale * std::sin(0.7f * static_cast<float>(i) + 0.1f);
  }
  return values;
}

}  // namespace

TEST_CASE("softmax is that of the definition, for small and for large values") {
  const float scale = GENERATE(0.1f, 10.0f, 1000.0f);
  for (const std::size_t n : kLengths) {
    CAPTURE(scale, n);
    std::vector<float> x = wave(n, scale);
    double largest = -std::numeric_limits<double>::infinity();
    for (const float v : x) {
      largest = std::max<double>(largest, v);
    }
    double sum = 0.0;
    for (const float v : x) {
      sum += std::exp(v - largest);
    }
    const std::vector<float> original = x;
    CHECK(log_sum_exp(x) == Approx(largest + std::log(sum)).margin(1e-5));
    CHECK(max_value(x) == static_cast<float>(largest));
    softmax(x);
    for (std::size_t i = 0; i < n; ++i) {
      CHECK(x[i] == Approx(std::exp(original[i] - largest) / sum).epsilon(1e-5).margin(1e-30));
    }
  }
}

TEST_CASE("nothing to normalise") {
  softmax({});
  CHECK(log_sum_exp({}) == -std::numeric_limits<float>::infinity());
  CHECK(max_value({}) == -std::numeric_limits<float>::infinity());
}

TEST_CASE("LayerNorm has mean 0 and variance 1 before gain and bias, and keeps constants finite") {
  for (const std::size_t n : kLengths) {
    CAPTURE(n);
    std::vector<float> y = wave(n, 3.0f);
    const std::vector<float> residual = wave(n, 1.0f);
    const std::vector<float> gain(n, 2.0f);
    const std::vector<float> bias(n, 0.5f);
    double mean = 0.0;
    for (std::size_t i = 0; i < n; ++i) {
      mean += (y[i] + residual[i]) / static_cast<double>(n);
    }
    double variance = 0.0;
    for (std::size_t i = 0; i < n; ++i) {
      variance += std::pow(y[i] + residual[i] - mean, 2) / static_cast<double>(n);
    }
    const std::vector<float> x = y;
    layer_norm(y, residual, gain, bias);
    for (std::size_t i = 0; i < n; ++i) {
      const double expected = (x[i] + residual[i] - mean) / std::sqrt(variance + 1e-5) * 2.0 + 0.5;
      CHECK(y[i] == Approx(expected).margin(1e-4));
    }
  }
}

TEST_CASE("activations") {
  std::vector<float> relu = {-1.0f, 0.0f, 2.0f};
  add_bias_relu(relu, std::vector<float>{0.5f, -1.0f, 1.0f});
  CHECK(relu == std::vector<float>{0.0f, 0.0f, 3.0f});
  std::vector<float> gelu = {1.0f, -1.0f};
  add_bias_gelu(gelu, std::vector<float>{0.0f, 0.0f});
  CHECK(gelu[0] == Approx(0.8413447).epsilon(1e-6));
  CHECK(gelu[1] == Approx(-0.1586553).epsilon(1e-6));
  std::vector<float> out(2);
  gated(out, std::vector<float>{2.0f, 3.0f}, std::vector<float>{0.0f, -200.0f});
  CHECK(out[0] == Approx(1.0));
  CHECK(out[1] == Approx(0.0).margin(1e-30));
}

TEST_CASE("attention takes the mean of equally good values, each head for itself") {
  const std::vector<float> query = {0.0f, 0.0f, 100.0f, 0.0f};
  const std::vector<float> first = {1.0f, 0.0f, 1.0f, 0.0f};
  const std::vector<float> second = {0.0f, 1.0f, 0.0f, 1.0f};
  const std::vector<const float*> keys = {first.data(), second.data()};
  std::vector<float> out(4);
  std::vector<float> scratch(2);
  attend(out, query, 2, keys, keys, scratch);
  CHECK(out[0] == Approx(0.5));
  CHECK(out[1] == Approx(0.5));
  CHECK(out[2] == Approx(1.0));
  CHECK(out[3] == Approx(0.0).margin(1e-6));
}

TEST_CASE("a convolution leaves out what is outside of the sequence") {
  const std::vector<float> a = {1.0f, 2.0f};
  const std::vector<float> b = {10.0f, 20.0f};
  const std::vector<const float*> taps = {nullptr, a.data(), b.data()};
  const std::vector<float> kernel = {5.0f, 1.0f, 2.0f, 7.0f, 3.0f, 4.0f};  // two heads
  std::vector<float> out(2);
  convolve(out, taps, kernel, 2);
  CHECK(out == std::vector<float>{1.0f * 1 + 2.0f * 10, 3.0f * 2 + 4.0f * 20});
}

}  // namespace ltz::kernels
