#include <algorithm>
#include <catch2/catch.hpp>
#include <limits>
#include <set>

#include "compress/second_order/second_order.h"
#include "tests/support/random_layer.h"

// Second-order rounding with weights and scales of rows, and with both starts.
using namespace ltz;
using namespace ltz::compress;

namespace {

constexpr std::size_t kHalf = kLayerRows / 2;

// The lower half repeats the upper one.
std::vector<float> two_equal_halves(unsigned seed) {
  std::vector<float> weights = random_weights(seed);
  std::copy_n(weights.begin(), kHalf * kLayerColumns, weights.begin() + kHalf * kLayerColumns);
  return weights;
}

// 1 for the upper half.
std::vector<double> weights_of_rows(double lower) {
  std::vector<double> weights(kLayerRows, 1.0);
  std::fill(weights.begin() + kHalf, weights.end(), lower);
  return weights;
}

// Of the values in half of the rows.
float least_distance(const std::vector<float>& values, std::size_t half) {
  const auto begin = values.begin() + static_cast<std::ptrdiff_t>(half * kHalf * kLayerColumns);
  const std::set<float> distinct(begin, begin + kHalf * kLayerColumns);
  float least = std::numeric_limits<float>::infinity();
  for (auto next = distinct.begin(), last = next++; next != distinct.end(); last = next++) {
    least = std::min(least, *next - *last);
  }
  return least;
}

}  // namespace

TEST_CASE("rows of more weight are rounded more carefully") {
  const std::vector<float> weights = two_equal_halves(10);
  const std::vector<double> row_weights = weights_of_rows(100.0);
  const Matrix x = correlated_inputs(11);
  const std::vector<float> values = values_of(
      quantize_second_order(weights, moments_of(x),
                            {.lambda = 1e-2, .rate_share = 1.0, .row_weights = row_weights})
          .values);
  const auto error_of_half = [&](std::size_t half) {
    std::vector<float> only = weights;
    const auto begin = static_cast<std::ptrdiff_t>(half * kHalf * kLayerColumns);
    std::copy_n(values.begin() + begin, kHalf * kLayerColumns, only.begin() + begin);
    return output_error(weights, only, x);
  };
  CHECK(error_of_half(1) < 0.9 * error_of_half(0));
}

TEST_CASE("scales give rows of less weight a coarser grid") {
  const std::vector<float> weights = two_equal_halves(20);
  const std::vector<double> row_weights = weights_of_rows(0.01);
  const Matrix x = correlated_inputs(21);
  const SecondOrderResult found = quantize_second_order(weights, moments_of(x),
                                                        {.lambda = 1e-4,
                                                         .damping = 1e-6,
                                                         .row_weights = row_weights,
                                                         .scale_rows = true,
                                                         .refit = false});
  REQUIRE(found.values.row_scales.size() == kLayerRows);
  CHECK(row_scale(found.values.row_scales.front()) == 1.0f);
  CHECK(row_scale(found.values.row_scales.back()) == Approx(10.0).epsilon(0.05));
  const std::vector<float> values = values_of(found.values);
  CHECK(least_distance(values, 1) == Approx(10.0f * least_distance(values, 0)).epsilon(0.05));
  // The error is that of the values themselves.
  CHECK(found.error ==
        Approx(output_error(weights, values, x, {.row_weights = row_weights})).epsilon(0.01));
}

TEST_CASE("with scales of rows the weighted error is smaller at equal bits") {
  const std::vector<float> weights = two_equal_halves(22);
  const std::vector<double> row_weights = weights_of_rows(0.01);
  const InputMoments moments = moments_of(correlated_inputs(23));
  const SecondOrderResult scaled = quantize_second_order(
      weights, moments, {.lambda = 1e-4, .row_weights = row_weights, .scale_rows = true});
  SecondOrderResult plain;
  for (double lambda = 1e-2; plain.bits < scaled.bits; lambda *= 0.9) {
    plain = quantize_second_order(weights, moments, {.lambda = lambda, .row_weights = row_weights});
  }
  CHECK(plain.values.row_scales.empty());
  CHECK(scaled.error < 0.9 * plain.error);
}

TEST_CASE("without weights of rows their scales are all one") {
  const SecondOrderResult found = quantize_second_order(
      random_weights(24), moments_of(correlated_inputs(25)), {.lambda = 1e-3, .scale_rows = true});
  for (const std::uint8_t scale : found.values.row_scales) {
    CHECK(row_scale(scale) == 1.0f);
  }
}

TEST_CASE("K-means cells win where the weights are a few uneven clusters") {
  constexpr float kClusters[] = {-1.0f, -0.4f, 0.0f, 0.25f, 0.7f};
  std::mt19937 random(26);
  std::vector<float> weights(kLayerRows * kLayerColumns);
  for (float& weight : weights) {
    weight = kClusters[random() % 5];
    weight += 0.005f * symmetric_uniform(random);
  }
  const InputMoments moments = moments_of(correlated_inputs(27));
  for (const double lambda : {1e-4, 1e-3}) {
    CAPTURE(lambda);
    const SecondOrderResult grid = quantize_second_order(weights, moments, {.lambda = lambda});
    const SecondOrderResult both =
        quantize_second_order(weights, moments, {.lambda = lambda, .k_means_too = true});
    CHECK(grid.start == CodebookStart::kUniform);
    CHECK(both.start == CodebookStart::kKMeans);
    CHECK(both.error + lambda * both.bits <= grid.error + lambda * grid.bits);
  }
}

TEST_CASE("the codebook is the better one of both") {
  const std::vector<float> weights = random_weights(28);
  const InputMoments moments = moments_of(correlated_inputs(29));
  for (const double lambda : {1e-1, 1e-2, 1e-3}) {
    // One pass and nothing behind it: that is where they compete.
    const SecondOrderOptions first{.lambda = lambda, .passes = 1, .sweeps = 0, .refit = false};
    SecondOrderOptions both = first;
    both.k_means_too = true;
    const SecondOrderResult alone = quantize_second_order(weights, moments, first);
    const SecondOrderResult better = quantize_second_order(weights, moments, both);
    CHECK(better.error + lambda * better.bits <= alone.error + lambda * alone.bits);
    CHECK((better.start == CodebookStart::kUniform) == (better.values == alone.values));
  }
}
