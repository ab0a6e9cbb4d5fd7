#include "model/kernels/kernels.h"

#include <algorithm>
#include <array>
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
  std::vector<float> y = {1.0f, -1.0f};
  gelu(y);
  CHECK(y[0] == Approx(0.8413447).epsilon(1e-6));
  CHECK(y[1] == Approx(-0.1586553).epsilon(1e-6));
  std::vector<float> out(2);
  gated(out, std::vector<float>{2.0f, 3.0f}, std::vector<float>{0.0f, -200.0f});
  CHECK(out[0] == Approx(1.0));
  CHECK(out[1] == Approx(0.0).margin(1e-30));
}

TEST_CASE("sums of exponentials and maxima of lanes are those of the definition") {
  for (const std::size_t n : {8, 16, 64, 104, 128}) {
    CAPTURE(n);
    const std::vector<float> x = wave(n, 5.0f);
    double sum = 0.0;
    std::array<float, kLanes> expected;
    expected.fill(-std::numeric_limits<float>::infinity());
    for (std::size_t i = 0; i < n; ++i) {
      sum += std::exp(x[i] - 2.0);
      expected[i % kLanes] = std::max(expected[i % kLanes], x[i]);
    }
    CHECK(sum_exp(x, 2.0f) == Approx(sum).epsilon(1e-6));
    std::array<float, kLanes> largest;
    max_of_lanes(x, largest);
    CHECK(largest == expected);
  }
}

// Some rows of a sequence, scattered over a matrix.
struct Sequence {
  Sequence(std::size_t count, std::size_t row_width)
      : width(row_width), values(wave(3 * count * row_width, 1.0f)) {
    for (std::size_t i = 0; i < count; ++i) {
      indices.push_back(static_cast<std::int32_t>((7 * i + 2) % (3 * count)));
    }
  }
  Rows rows() const { return {values.data(), width, indices}; }

  std::size_t width;
  std::vector<float> values;
  std::vector<std::int32_t> indices;
};

TEST_CASE("attention is that of the definition for any width of a head and any number of keys") {
  constexpr int kHeads = 3;
  for (const std::size_t width : {1, 3, 4, 6, 8, 20, 31, 40, 62, 64, 67, 124}) {
    for (const std::size_t count : {1, 2, 5, 8, 13}) {
      CAPTURE(width, count);
      const Sequence keys(count, kHeads * width);
      const Sequence values(count, kHeads * width);
      const std::vector<float> query = wave(kHeads * width, 2.0f);
      std::vector<float> out(kHeads * width);
      std::vector<float> scratch(attention_scratch(kHeads, count));
      attend(out, {query, kHeads, keys.rows(), values.rows()}, scratch);
      for (std::size_t c = 0; c < out.size(); ++c) {
        const std::size_t head = c / width * width;
        double sum = 0.0;
        double mixed = 0.0;
        for (std::size_t t = 0; t < count; ++t) {
          double dot = 0.0;
          for (std::size_t i = head; i < head + width; ++i) {
            dot += query[i] * keys.rows()[t][i];
          }
          const double weight = std::exp(dot / std::sqrt(static_cast<double>(width)));
          sum += weight;
          mixed += weight * values.rows()[t][c];
        }
        CHECK(out[c] == Approx(mixed / sum).margin(1e-5));
      }
    }
  }
}

TEST_CASE("a convolution weighs the rows of the sequence with the taps that meet them") {
  constexpr std::size_t kHeads = 2;
  constexpr std::size_t kTaps = 7;
  for (const std::size_t width : {1, 5, 8, 20, 31, 62}) {
    for (const std::size_t first : {0, 2, 6}) {
      CAPTURE(width, first);
      const Sequence inputs(kTaps - first, kHeads * width);
      const std::vector<float> kernel = wave(kHeads * kTaps, 1.0f);
      std::vector<float> out(kHeads * width);
      convolve(out, {inputs.rows(), first, kernel, kHeads});
      for (std::size_t c = 0; c < out.size(); ++c) {
        double sum = 0.0;
        for (std::size_t k = first; k < kTaps; ++k) {
          sum += kernel[c / width * kTaps + k] * inputs.rows()[k - first][c];
        }
        CHECK(out[c] == Approx(sum).margin(1e-5));
      }
    }
  }
}

}  // namespace ltz::kernels
