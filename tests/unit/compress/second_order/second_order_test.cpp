#include "compress/second_order/second_order.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "model/base/error.h"
#include "tests/support/random_layer.h"
#include "tests/support/thread_count.h"

using namespace ltz;
using namespace ltz::compress;

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
  CHECK(parts.second[3 * kLayerColumns + 5] == Approx(product).epsilon(1e-4));
  CHECK(parts.second[5 * kLayerColumns + 3] == parts.second[3 * kLayerColumns + 5]);
}

TEST_CASE("second-order rounding reports the error and the bits of what it returns") {
  const std::vector<float> weights = random_weights(2);
  for (const bool centred : {false, true}) {
    const Matrix x = correlated_inputs(3, centred ? 2.0f : 0.0f);
    const SecondOrderResult found = quantize_second_order(
        weights, moments_of(x), {.lambda = 1e-3, .damping = 1e-6, .centred = centred});
    const double error = output_error(weights, values_of(found.values), x, {.centred = centred});
    CHECK(found.error == Approx(error).epsilon(0.01));
    // A coder that knows rows and columns needs less than one that only knows frequencies.
    const double entropy = total_entropy(found.values.codes);
    CHECK(found.bits < 1.05 * entropy);
    CHECK(found.bits > 0.6 * entropy);
    CHECK(std::ranges::is_sorted(found.values.centroids, std::less_equal()));
    for (const float centroid : found.values.centroids) {
      CHECK(centroid == round_to_float16(centroid));
    }
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
  const double bits = total_entropy(found.values.codes);
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
  } while (total_entropy(plain.codes) > bits);
  CHECK(found.error < 0.6 * output_error(weights, values_of(plain), x));
}

TEST_CASE("passes and sweeps are worth it") {
  const std::vector<float> weights = random_weights(18);
  const InputMoments moments = moments_of(correlated_inputs(19));
  const double lambda = 3e-3;
  const auto objective = [&](SecondOrderOptions options) {
    options.lambda = lambda;
    const SecondOrderResult found = quantize_second_order(weights, moments, options);
    return found.error + lambda * found.bits;
  };
  const double all = objective({.rate_share = 1.0});
  CHECK(all < objective({.rate_share = 1.0, .passes = 1, .sweeps = 0}));
  CHECK(all < objective({.rate_share = 1.0, .refit = false}));
  // Centroids in closed form cannot be worse for the same codes; float16 moves them a little.
  CHECK(objective({.sweeps = 0}) < 1.0001 * objective({.sweeps = 0, .refit = false}));
}

TEST_CASE("bits that count in the choice are saved") {
  const std::vector<float> weights = random_weights(6);
  const InputMoments moments = moments_of(correlated_inputs(7));
  double last = std::numeric_limits<double>::infinity();
  for (const double share : {0.0, 0.25, 1.0}) {
    const double bits =
        quantize_second_order(weights, moments, {.lambda = 1e-2, .rate_share = share}).bits;
    CHECK(bits < last);
    last = bits;
  }
}

TEST_CASE("what costs more than it is worth becomes zero") {
  const std::vector<float> weights = random_weights(8);
  const SecondOrderResult found =
      quantize_second_order(weights, moments_of(correlated_inputs(9)), {.lambda = 1e6});
  CHECK(found.values.centroids == std::vector<float>{0.0f});
  // All the same code, and yet a coder would not be sure of that.
  CHECK(found.bits < 0.1 * static_cast<double>(weights.size()));
}

TEST_CASE("inputs that are always zero leave their weights to the rate") {
  Matrix x = correlated_inputs(12);
  x.col(4).setZero();
  const std::vector<float> weights = random_weights(13);
  const SecondOrderResult found = quantize_second_order(weights, moments_of(x), {.lambda = 1e-2});
  const std::vector<float> values = values_of(found.values);
  for (std::size_t row = 0; row < kLayerRows; ++row) {
    CHECK(std::abs(values[row * kLayerColumns + 4]) <=
          std::abs(weights[row * kLayerColumns + 4]) + 0.1f);
  }
}

TEST_CASE("inputs that are the same every time are no reason for odd values") {
  Matrix x = correlated_inputs(20);
  for (Eigen::Index c = 0; c < x.cols(); ++c) {
    x.col(c).setConstant(static_cast<float>(c) - 2.7f);
  }
  const std::vector<float> weights = random_weights(21);
  const SecondOrderResult found =
      quantize_second_order(weights, moments_of(x), {.lambda = 1e-3, .centred = true});
  CHECK(std::isfinite(found.error));
  for (const float centroid : found.values.centroids) {
    CHECK(std::abs(centroid) < 2.0f);
  }
}

TEST_CASE("second-order rounding does not depend on the threads") {
  const std::vector<float> weights = random_weights(14);
  const InputMoments moments = moments_of(correlated_inputs(15));
  const SecondOrderOptions options{.lambda = 1e-3, .k_means_too = true};
  const auto quantized = [&] { return quantize_second_order(weights, moments, options); };
  const SecondOrderResult one = on_threads(1, quantized);
  const SecondOrderResult three = on_threads(3, quantized);
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
