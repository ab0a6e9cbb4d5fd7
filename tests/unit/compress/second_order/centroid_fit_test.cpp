#include "compress/second_order/centroid_fit.h"

#include <catch2/catch.hpp>
#include <random>

#include "tests/support/random_layer.h"
#include "tests/support/thread_count.h"

using namespace ltz;
using namespace ltz::compress;

namespace {

constexpr Eigen::Index kRows = 150;  // of three blocks
constexpr Eigen::Index kColumns = 9;

struct Problem {
  Square weights = Square(kRows, kColumns);
  std::vector<std::int16_t> slots;
  Square h = Square(kColumns, kColumns);  // positive definite, far from diagonal
  std::vector<double> row_weights;
};

Problem random_problem(unsigned seed, std::size_t count) {
  std::mt19937 random(seed);
  Problem problem;
  Square factor(kColumns, kColumns);
  for (double& value : factor.reshaped()) {
    value = symmetric_uniform(random);
  }
  problem.h = factor * factor.transpose() + 0.01 * Square::Identity(kColumns, kColumns);
  for (double& value : problem.weights.reshaped()) {
    value = symmetric_uniform(random);
    problem.slots.push_back(static_cast<std::int16_t>(random() % (count + 1)) - std::int16_t{1});
  }
  for (Eigen::Index r = 0; r < kRows; ++r) {
    problem.row_weights.push_back(1.5 + symmetric_uniform(random));
  }
  return problem;
}

std::vector<double> fit(const Problem& problem, std::size_t count) {
  return fit_centroids(problem.weights, problem.slots, count, problem.h, problem.row_weights);
}

Square rounded(const Problem& problem, const std::vector<double>& centroids) {
  Square values(kRows, kColumns);
  for (Eigen::Index i = 0; i < values.size(); ++i) {
    const std::int16_t slot = problem.slots[static_cast<std::size_t>(i)];
    values.data()[i] = slot < 0 ? 0.0 : centroids[static_cast<std::size_t>(slot)];
  }
  return values;
}

double error(const Problem& problem, const std::vector<double>& centroids) {
  const Square difference = problem.weights - rounded(problem, centroids);
  double sum = 0.0;
  for (Eigen::Index r = 0; r < kRows; ++r) {
    sum += problem.row_weights[static_cast<std::size_t>(r)] *
           (difference.row(r) * problem.h).dot(difference.row(r));
  }
  return sum;
}

}  // namespace

TEST_CASE("centroids that made the weights are found again") {
  const std::vector<double> centroids = {-1.25, -0.5, 0.125, 0.75};
  Problem problem = random_problem(1, centroids.size());
  problem.weights = rounded(problem, centroids);
  const std::vector<double> found = fit(problem, centroids.size());
  REQUIRE(found.size() == centroids.size());
  for (std::size_t k = 0; k < found.size(); ++k) {
    CHECK(found[k] == Approx(centroids[k]).epsilon(1e-9));
  }
}

TEST_CASE("where inputs do not correlate, centroids are weighted means") {
  Problem problem = random_problem(2, 3);
  problem.h = Square::Zero(kColumns, kColumns);
  for (Eigen::Index c = 0; c < kColumns; ++c) {
    problem.h(c, c) = static_cast<double>(c + 1);
  }
  std::vector<double> sums(3);
  std::vector<double> counts(3);
  for (std::size_t i = 0; i < problem.slots.size(); ++i) {
    if (problem.slots[i] >= 0) {
      const auto slot = static_cast<std::size_t>(problem.slots[i]);
      const double weight =
          problem.row_weights[i / kColumns] * static_cast<double>(i % kColumns + 1);
      sums[slot] += weight * problem.weights.data()[i];
      counts[slot] += weight;
    }
  }
  const std::vector<double> found = fit(problem, 3);
  for (std::size_t k = 0; k < found.size(); ++k) {
    CHECK(found[k] == Approx(sums[k] / counts[k]).epsilon(1e-9));
  }
}

TEST_CASE("no other centroids are better") {
  const Problem problem = random_problem(3, 5);
  const std::vector<double> found = fit(problem, 5);
  const double least = error(problem, found);
  for (std::size_t k = 0; k < found.size(); ++k) {
    for (const double change : {-1e-3, 1e-3}) {
      std::vector<double> other = found;
      other[k] += change;
      CHECK(error(problem, other) > least);
    }
  }
}

TEST_CASE("centroids do not depend on the threads") {
  const Problem problem = random_problem(4, 5);
  const auto fitted = [&] { return fit(problem, 5); };
  const std::vector<double> one = on_threads(1, fitted);
  const std::vector<double> three = on_threads(3, fitted);
  CHECK(one == three);
}
