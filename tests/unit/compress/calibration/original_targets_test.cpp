#include "compress/calibration/original_targets.h"

#include <Eigen/LU>
#include <catch2/catch.hpp>

#include "tests/support/random_layer.h"

using namespace ltz;
using namespace ltz::compress;

namespace {

using Weights = std::vector<float>;

constexpr auto kWidth = static_cast<Eigen::Index>(kLayerColumns);

PairedMoments pairs_of(const Matrix& x, const Matrix& y) {
  PairedMoments pairs;
  pairs.add(x, y);
  return pairs;
}

Weights targets(const Weights& weights, const Matrix& x, const Matrix& y,
                const GeometryOptions& options) {
  return original_targets(weights, moments_of(x), pairs_of(x, y), options);
}

Matrix as_matrix(const Weights& weights) {
  return Eigen::Map<const Matrix>(weights.data(), kLayerRows, kWidth);
}

// Mean over inputs of ||V y - W x||^2.
double squared_error(const Weights& v, const Matrix& y, const Weights& w, const Matrix& x) {
  return (y * as_matrix(v).transpose() - x * as_matrix(w).transpose())
             .cast<double>()
             .squaredNorm() /
         static_cast<double>(x.rows());
}

double largest_difference(const Weights& a, const Matrix& b) {
  return (as_matrix(a) - b).cwiseAbs().maxCoeff();
}

// Well away from singular.
Matrix random_mixing(unsigned seed) {
  std::mt19937 random(seed);
  Matrix mixing = Matrix::Identity(kWidth, kWidth);
  for (float& value : mixing.reshaped()) {
    value += 0.1f * symmetric_uniform(random);
  }
  return mixing;
}

Matrix with_noise(Matrix x, unsigned seed) {
  std::mt19937 random(seed);
  for (float& value : x.reshaped()) {
    value += 0.5f * symmetric_uniform(random);
  }
  return x;
}

}  // namespace

TEST_CASE("where the inputs did not change, the weights stay") {
  const Weights weights = random_weights(1);
  const Matrix x = correlated_inputs(2, 1.0f);
  for (const bool centred : {false, true}) {
    const Weights found = targets(weights, x, x, {.damping = 0.05, .centred = centred});
    CHECK(largest_difference(found, as_matrix(weights)) < 1e-5);
  }
}

TEST_CASE("inputs that were mixed are taken apart again") {
  const Weights weights = random_weights(3);
  const Matrix x = correlated_inputs(4);
  const Matrix mixing = random_mixing(5);
  const Matrix y = x * mixing.transpose();
  const Weights found = targets(weights, x, y, {.damping = 1e-9});
  CHECK(largest_difference(found, as_matrix(weights) * mixing.inverse()) < 1e-3);
  CHECK(largest_difference(found, as_matrix(weights)) > 0.1);
  CHECK(squared_error(found, y, weights, x) < 1e-6);
}

TEST_CASE("a shift of the inputs is left to the bias") {
  const Weights weights = random_weights(6);
  const Matrix x = correlated_inputs(7, 1.0f);
  const Matrix y = x.array() + 2.0f;
  const Weights centred = targets(weights, x, y, {.damping = 1e-6, .centred = true});
  CHECK(largest_difference(centred, as_matrix(weights)) < 1e-3);
  const Weights plain = targets(weights, x, y, {.damping = 1e-6});
  CHECK(largest_difference(plain, as_matrix(weights)) > 0.01);
}

TEST_CASE("the targets are those of least squares") {
  const Weights weights = random_weights(8);
  const Matrix x = correlated_inputs(9);
  const Matrix y = with_noise(x, 10);
  const Weights found = targets(weights, x, y, {.damping = 1e-9});
  const double least = squared_error(found, y, weights, x);
  CHECK(least < 0.95 * squared_error(weights, y, weights, x));
  for (std::size_t i = 0; i < found.size(); i += 17) {
    for (const float change : {-0.01f, 0.01f}) {
      Weights other = found;
      other[i] += change;
      CHECK(squared_error(other, y, weights, x) > least);
    }
  }
}

TEST_CASE("with much damping the weights stay") {
  const Weights weights = random_weights(11);
  const Matrix x = correlated_inputs(12);
  const Weights found = targets(weights, x, with_noise(x, 13), {.damping = 1e6});
  CHECK(largest_difference(found, as_matrix(weights)) < 1e-5);
}

TEST_CASE("inputs that are the same every time ask for nothing") {
  const Weights weights = random_weights(16);
  const Matrix x = correlated_inputs(17, 1.0f);
  Matrix y = x;
  for (Eigen::Index c = 0; c < kWidth; ++c) {
    y.col(c).setConstant(static_cast<float>(c) - 2.7f);
  }
  for (const Matrix& original : {x, y}) {
    const Weights found = targets(weights, original, y, {.damping = 0.05, .centred = true});
    CHECK(largest_difference(found, as_matrix(weights)) < 0.5);
  }
}

TEST_CASE("an input that is always zero keeps its weights") {
  const Weights weights = random_weights(14);
  Matrix x = correlated_inputs(15);
  x.col(4).setZero();
  const Matrix found = as_matrix(targets(weights, x, x, {.damping = 0.05}));
  CHECK((found.col(4) - as_matrix(weights).col(4)).cwiseAbs().maxCoeff() < 1e-5f);
}
