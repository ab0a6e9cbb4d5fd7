#include "compress/second_order.h"

#include <omp.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <random>

#include "compress/input_moments.h"
#include "model/error.h"

using namespace ltz;
using namespace ltz::compress;

namespace {

constexpr std::size_t kRows = 24;
constexpr std::size_t kColumns = 12;

float uniform(std::mt19937& random) {
  return static_cast<float>(random() >> 8) * 0x1p-23f - 1.0f;
}

std::vector<float> random_weights(unsigned seed) {
  std::mt19937 random(seed);
  std::vector<float> weights(kRows * kColumns);
  for (float& weight : weights) {
    weight = uniform(random) * uniform(random);
  }
  return weights;
}

// Inputs of which each column is mostly the one before it.
Matrix correlated_inputs(unsigned seed, float mean = 0.0f) {
  std::mt19937 random(seed);
  Matrix x(500, kColumns);
  for (Eigen::Index row = 0; row < x.rows(); ++row) {
    float value = 0.0f;
    for (Eigen::Index column = 0; column < x.cols(); ++column) {
      value = 0.9f * value + uniform(random);
      x(row, column) = value + mean;
    }
  }
  return x;
}

InputMoments moments_of(const Matrix& x) {
  InputMoments moments;
  moments.add(x);
  return moments;
}

std::vector<float> values_of(const QuantizedValues& quantized) {
  std::vector<float> values;
  for (const std::uint8_t code : quantized.codes) {
    values.push_back(quantized.centroids.at(code));
  }
  return values;
}

// Mean over inputs of ||(W - Q) x||^2, the plain way; without the mean over inputs if centred.
double output_error(const std::vector<float>& w, const std::vector<float>& q, const Matrix& x,
                    bool centred = false) {
  double error = 0.0;
  for (std::size_t row = 0; row < kRows; ++row) {
    std::vector<double> outputs;
    double mean = 0.0;
    for (Eigen::Index i = 0; i < x.rows(); ++i) {
      double y = 0.0;
      for (std::size_t c = 0; c < kColumns; ++c) {
        y += (w[row * kColumns + c] - q[row * kColumns + c]) *
             static_cast<double>(x(i, static_cast<Eigen::Index>(c)));
      }
      outputs.push_back(y);
      mean += y / static_cast<double>(x.rows());
    }
    for (const double y : outputs) {
      const double part = centred ? y - mean : y;
      error += part * part / static_cast<double>(x.rows());
    }
  }
  return error;
}

double entropy(const QuantizedValues& quantized) {
  std::vector<double> counts(quantized.centroids.size());
  for (const std::uint8_t code : quantized.codes) {
    counts[code] += 1.0;
  }
  double bits = 0.0;
  for (const double count : counts) {
    bits -=
        count == 0.0 ? 0.0 : count * std::log2(count / static_cast<double>(quantized.codes.size()));
  }
  return bits;
}

}  // namespace

TEST_CASE("moments are the sums over all inputs, in whatever parts they come") {
  const Matrix x = correlated_inputs(1);
  InputMoments parts;
  parts.add(x.topRows(100));
  InputMoments rest;
  rest.add(x.bottomRows(400));
  parts.add(rest);
  CHECK(parts.count == 500);
  double sum = 0.0;
  double product = 0.0;
  for (Eigen::Index i = 0; i < x.rows(); ++i) {
    sum += x(i, 3);
    product += static_cast<double>(x(i, 3)) * x(i, 5);
  }
  CHECK(parts.sum[3] == Approx(sum).margin(1e-3));
  CHECK(parts.second[3 * kColumns + 5] == Approx(product).epsilon(1e-4));
  CHECK(parts.second[5 * kColumns + 3] == parts.second[3 * kColumns + 5]);
}

TEST_CASE("second-order rounding reports the error and the bits of what it returns") {
  const std::vector<float> weights = random_weights(2);
  for (const bool centred : {false, true}) {
    const Matrix x = correlated_inputs(3, centred ? 2.0f : 0.0f);
    const SecondOrderResult found = quantize_second_order(
        weights, moments_of(x), {.lambda = 1e-3, .damping = 1e-6, .centred = centred});
    const double error = output_error(weights, values_of(found.values), x, centred);
    CHECK(found.error == Approx(error).epsilon(0.01));
    CHECK(found.bits == Approx(entropy(found.values)).epsilon(0.05));
    CHECK(std::ranges::is_sorted(found.values.centroids, std::less_equal()));
  }
}

TEST_CASE("a smaller lambda buys a smaller error with more bits") {
  const std::vector<float> weights = random_weights(4);
  const InputMoments moments = moments_of(correlated_inputs(5));
  double last_error = std::numeric_limits<double>::infinity();
  double last_bits = 0.0;
  for (const double lambda : {1e-1, 1e-2, 1e-3, 1e-4}) {
    const SecondOrderResult found = quantize_second_order(weights, moments, {.lambda = lambda});
    CHECK(found.error < last_error);
    CHECK(found.bits > last_bits);
    last_error = found.error;
    last_bits = found.bits;
  }
  // For next to nothing a bit, hardly anything is lost.
  CHECK(last_error <
        1e-3 * output_error(weights, std::vector<float>(weights.size()), correlated_inputs(5)));
}

TEST_CASE("it beats rounding each weight by itself, at the same bits") {
  const std::vector<float> weights = random_weights(6);
  const Matrix x = correlated_inputs(7);
  const SecondOrderResult found = quantize_second_order(weights, moments_of(x), {.lambda = 1e-3});
  // The uniform grid whose codes take as many bits.
  double step = 1e-3;
  QuantizedValues plain;
  do {
    step *= 1.01;
    plain = {};
    for (int i = -127; i <= 127; ++i) {
      plain.centroids.push_back(static_cast<float>(i * step));
    }
    for (const float weight : weights) {
      const double index = std::clamp(std::round(weight / step), -127.0, 127.0);
      plain.codes.push_back(static_cast<std::uint8_t>(index + 127.0));
    }
  } while (entropy(plain) > found.bits);
  CHECK(found.error < 0.6 * output_error(weights, values_of(plain), x));
}

TEST_CASE("what costs more than it is worth becomes zero") {
  const std::vector<float> weights = random_weights(8);
  const SecondOrderResult found =
      quantize_second_order(weights, moments_of(correlated_inputs(9)), {.lambda = 1e6});
  CHECK(found.values.centroids == std::vector<float>{0.0f});
  CHECK(found.bits < 1.0);
}

TEST_CASE("rows of more weight are rounded more carefully") {
  // The lower half repeats the upper one.
  constexpr std::size_t kHalf = kRows / 2;
  std::vector<float> weights = random_weights(10);
  std::copy_n(weights.begin(), kHalf * kColumns, weights.begin() + kHalf * kColumns);
  std::vector<double> row_weights(kRows, 1.0);
  std::fill(row_weights.begin() + kHalf, row_weights.end(), 100.0);
  const Matrix x = correlated_inputs(11);
  const std::vector<float> values = values_of(
      quantize_second_order(weights, moments_of(x), {.lambda = 1e-2, .row_weights = row_weights})
          .values);
  const auto error_of_half = [&](std::size_t half) {
    std::vector<float> only = weights;
    const auto begin = static_cast<std::ptrdiff_t>(half * kHalf * kColumns);
    std::copy_n(values.begin() + begin, kHalf * kColumns, only.begin() + begin);
    return output_error(weights, only, x);
  };
  CHECK(error_of_half(1) < 0.9 * error_of_half(0));
}

TEST_CASE("inputs that are always zero leave their weights to the rate") {
  Matrix x = correlated_inputs(12);
  x.col(4).setZero();
  const std::vector<float> weights = random_weights(13);
  const SecondOrderResult found = quantize_second_order(weights, moments_of(x), {.lambda = 1e-2});
  const std::vector<float> values = values_of(found.values);
  for (std::size_t row = 0; row < kRows; ++row) {
    CHECK(std::abs(values[row * kColumns + 4]) <= std::abs(weights[row * kColumns + 4]) + 0.1f);
  }
}

TEST_CASE("second-order rounding does not depend on the threads") {
  const std::vector<float> weights = random_weights(14);
  const InputMoments moments = moments_of(correlated_inputs(15));
  const int threads = omp_get_max_threads();
  omp_set_num_threads(1);
  const SecondOrderResult one = quantize_second_order(weights, moments, {.lambda = 1e-3});
  omp_set_num_threads(3);
  const SecondOrderResult three = quantize_second_order(weights, moments, {.lambda = 1e-3});
  omp_set_num_threads(threads);
  CHECK(one.values == three.values);
  CHECK(one.error == three.error);
}

TEST_CASE("second-order rounding refuses what it cannot use") {
  const std::vector<float> weights = random_weights(16);
  const InputMoments moments = moments_of(correlated_inputs(17));
  CHECK_THROWS_AS(quantize_second_order(weights, moments, {.lambda = 0.0}), ConfigError);
  CHECK_THROWS_AS(quantize_second_order(weights, {}, {.lambda = 1.0}), ConfigError);
  CHECK_THROWS_AS(quantize_second_order(std::span(weights).first(7), moments, {.lambda = 1.0}),
                  ConfigError);
  const std::vector<double> too_few(3, 1.0);
  CHECK_THROWS_AS(quantize_second_order(weights, moments, {.lambda = 1.0, .row_weights = too_few}),
                  ConfigError);
}
