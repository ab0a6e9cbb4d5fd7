#include "compress/codebooks/entropy_constrained.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <numbers>
#include <random>
#include <string>

#include "model/base/error.h"
#include "tests/support/thread_count.h"

using namespace ltz;
using namespace ltz::compress;

namespace {

// Of density exp(-|x|) / 2, at even ranks.
std::vector<float> laplace(std::size_t count) {
  std::vector<float> values;
  for (std::size_t i = 0; i < count; ++i) {
    const double rank = (static_cast<double>(i) + 0.5) / static_cast<double>(count);
    values.push_back(
        static_cast<float>(rank < 0.5 ? std::log(2.0 * rank) : -std::log(2.0 * (1.0 - rank))));
  }
  return values;
}

std::vector<float> random_values(std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<float> values;
  for (std::size_t i = 0; i < count; ++i) {
    const auto draw = [&] { return static_cast<double>(random()) * 0x1p-31 - 1.0; };
    values.push_back(static_cast<float>(draw() * draw() * draw()));
  }
  return values;
}

std::vector<double> random_weights(std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<double> weights;
  for (std::size_t i = 0; i < count; ++i) {
    weights.push_back(std::exp2(static_cast<double>(random()) * 0x1p-29 - 4.0));
  }
  return weights;
}

double log2_or_0(double p) {
  return p > 0.0 ? std::log2(p) : 0.0;
}

// The least error + lambda * bits of a value from a Laplace source. The best quantizer has a dead
// zone [-t, t], then cells of one width s, each with its mean (Sullivan, "Efficient scalar
// quantization of exponential and Laplacian random variables", 1996).
double least_laplace_objective(double lambda) {
  double least = std::numeric_limits<double>::infinity();
  for (double t = 0.0; t < 8.0; t += 0.02) {
    for (double s = 0.1; s < 8.0; s += 0.02) {
      const double q = std::exp(-s);
      const double outside = std::exp(-t);
      const double inside = 1.0 - outside;
      const double error = 2.0 - outside * (t * t + 2.0 * t + 2.0) +
                           outside * (1.0 - s * s * q / ((1.0 - q) * (1.0 - q)));
      const double bits =
          -inside * log2_or_0(inside) -
          outside * (std::log2(outside / 2.0 * (1.0 - q)) + q / (1.0 - q) * std::log2(q));
      least = std::min(least, error + lambda * bits);
    }
  }
  return least;
}

// Errors and bits as the definition has them.
void check_books(const EntropyConstrainedCodebook& book, const WeightedMatrix& matrix) {
  REQUIRE(book.bits.size() == book.centroids.size());
  REQUIRE(book.codes.size() == matrix.values.size());
  CHECK(book.centroids.size() <= 255);
  CHECK(std::ranges::adjacent_find(book.centroids, std::greater_equal()) == book.centroids.end());
  CHECK(std::ranges::count(book.centroids, 0.0f) == 1);
  std::vector<std::size_t> counts(book.centroids.size());
  double error = 0.0;
  REQUIRE((book.codes.empty() || *std::ranges::max_element(book.codes) < counts.size()));
  for (std::size_t i = 0; i < book.codes.size(); ++i) {
    ++counts[book.codes[i]];
    const double row = matrix.row_weights.empty() ? 1.0 : matrix.row_weights[i / matrix.columns];
    const double column =
        matrix.column_weights.empty() ? 1.0 : matrix.column_weights[i % matrix.columns];
    error += row * column *
             std::pow(static_cast<double>(matrix.values[i]) - book.centroids[book.codes[i]], 2.0);
  }
  double bits = 0.0;
  for (std::size_t k = 0; k < counts.size(); ++k) {
    CHECK((counts[k] > 0 || book.centroids[k] == 0.0f));
    if (counts[k] > 0) {
      const double rate =
          std::log2(static_cast<double>(matrix.values.size()) / static_cast<double>(counts[k]));
      CHECK(book.bits[k] == Approx(rate).margin(1e-12));
      bits += static_cast<double>(counts[k]) * rate;
    }
  }
  CHECK(book.error == Approx(error).epsilon(1e-9).margin(1e-12));
  CHECK(book.total_bits == Approx(bits).epsilon(1e-9).margin(1e-9));
}

}  // namespace

TEST_CASE("entropy-constrained codebooks of a Laplace source are the best ones") {
  const std::vector<float> values = laplace(100'000);
  const auto n = static_cast<double>(values.size());
  for (const double lambda : {0.02, 0.08, 0.2, 0.8}) {
    CAPTURE(lambda);
    const double least = least_laplace_objective(lambda);
    const WeightedMatrix matrix{.values = values, .columns = 1000};
    const auto grid = entropy_constrained(matrix, {.lambda = lambda});
    check_books(grid, matrix);
    CHECK(grid.objective(lambda) / n == Approx(least).epsilon(0.005));
    const auto cells = entropy_constrained(
        matrix, {.lambda = lambda, .start = KMeansCells{static_cast<int>(grid.centroids.size())}});
    check_books(cells, matrix);
    CHECK(cells.objective(lambda) / n == Approx(least).epsilon(0.015));
  }
}

TEST_CASE("at two bits the error is a fraction of a bit above what theory allows") {
  const std::vector<float> values = laplace(100'000);
  const auto n = static_cast<double>(values.size());
  const auto book = entropy_constrained({.values = values}, {.lambda = 0.2});
  const double bits = book.total_bits / n;
  CHECK(bits == Approx(2.0).margin(0.1));
  // Shannon's lower bound of a Laplace source of variance 2: error = 2 e / pi * 2^(-2 bits).
  const double bound = 0.5 * std::log2(2.0 * std::numbers::e / std::numbers::pi / (book.error / n));
  CHECK(bits - bound > 0.1);
  CHECK(bits - bound < 0.25);
  // Rounding to a grid with as many bits makes a larger error.
  const auto rounded = entropy_constrained(
      {.values = values}, {.lambda = 0.0, .start = UniformGrid{1.43}, .max_iterations = 0});
  CHECK(rounded.total_bits / n == Approx(bits).margin(0.05));
  CHECK(rounded.objective(0.2) > book.objective(0.2));
}

TEST_CASE("no iteration raises error + lambda * bits") {
  const std::vector<float> values = random_values(3000, 1);
  const std::vector<double> rows = random_weights(30, 2);
  const std::vector<double> columns = random_weights(100, 3);
  for (const double lambda : {0.0, 1e-3, 1e-1}) {
    for (const WeightedMatrix& matrix :
         {WeightedMatrix{.values = values, .columns = 100},
          WeightedMatrix{.values = values, .columns = 100, .row_weights = rows},
          WeightedMatrix{
              .values = values, .columns = 100, .row_weights = rows, .column_weights = columns}}) {
      for (const std::variant<UniformGrid, KMeansCells>& start :
           {std::variant<UniformGrid, KMeansCells>(UniformGrid{}),
            std::variant<UniformGrid, KMeansCells>(UniformGrid{0.01}),
            std::variant<UniformGrid, KMeansCells>(KMeansCells{40})}) {
        double before = std::numeric_limits<double>::infinity();
        for (int iterations = 0; iterations < 8; ++iterations) {
          const auto book = entropy_constrained(
              matrix,
              {.lambda = lambda, .start = start, .max_iterations = iterations, .tolerance = 0.0});
          check_books(book, matrix);
          CHECK(book.iterations <= iterations);
          CHECK(book.objective(lambda) <= before * (1.0 + 1e-9));
          before = book.objective(lambda);
        }
      }
    }
  }
}

TEST_CASE("few distinct values are found exactly when bits cost nothing") {
  const std::vector<float> distinct = {-0.75f, -0.1f, 0.0f, 0.3f, 1.5f};
  std::vector<float> values;
  for (std::size_t i = 0; i < 200; ++i) {
    values.push_back(distinct[i * i % 5]);  // 0, 1 and 4
    values.push_back(distinct[i % 5]);
  }
  for (const double lambda : {0.0, 1e-9}) {
    const auto cells =
        entropy_constrained({.values = values}, {.lambda = lambda, .start = KMeansCells{}});
    CHECK(cells.centroids == distinct);
    CHECK(cells.error == 0.0);
    const auto grid = entropy_constrained({.values = values}, {.lambda = lambda});
    CHECK(grid.centroids == distinct);
    CHECK(grid.error == 0.0);
  }
}

TEST_CASE("zero is there, exact, whatever the values") {
  const std::vector<float> values = {1.0f, 2.0f, 2.0f, 3.0f};
  const auto book = entropy_constrained({.values = values}, {.start = KMeansCells{}});
  CHECK(book.centroids == std::vector<float>{0.0f, 1.0f, 2.0f, 3.0f});
  CHECK(book.codes == std::vector<std::uint8_t>{1, 2, 2, 3});
  CHECK(book.bits == std::vector<double>{3.0, 2.0, 1.0, 2.0});  // half a value of four: 3 bits
  // Values around zero that are not symmetric have another mean.
  const std::vector<float> near = {-0.01f, 0.02f, 0.03f, 1.0f, -1.0f, 1.0f, -1.0f};
  const auto with_cell =
      entropy_constrained({.values = near}, {.lambda = 0.001, .start = KMeansCells{4}});
  CHECK(with_cell.centroids == std::vector<float>{-1.0f, 0.0f, 1.0f});
  // One centroid is zero.
  const auto one = entropy_constrained({.values = values}, {.start = KMeansCells{1}});
  CHECK(one.centroids == std::vector<float>{0.0f});
  CHECK(one.error == 18.0);
  const auto none = entropy_constrained({.values = {}}, {.lambda = 1.0});
  CHECK(none.centroids == std::vector<float>{0.0f});
  CHECK(none.total_bits == 0.0);
}

TEST_CASE("where bits are dear everything is zero") {
  std::vector<float> values = random_values(1000, 4);
  for (const auto& start : {std::variant<UniformGrid, KMeansCells>(UniformGrid{0.02}),
                            std::variant<UniformGrid, KMeansCells>(KMeansCells{16}),
                            std::variant<UniformGrid, KMeansCells>(UniformGrid{})}) {
    const auto book = entropy_constrained({.values = values}, {.lambda = 1e6, .start = start});
    CHECK(book.centroids == std::vector<float>{0.0f});
    CHECK(book.total_bits == 0.0);
  }
}

TEST_CASE("what counts more gets its value") {
  // The first row is worth a centroid of its own if its errors count a thousand times.
  std::vector<float> values(400, 0.3f);
  std::ranges::fill(values.begin() + 20, values.end(), 0.25f);
  std::ranges::fill(values.begin() + 200, values.end(), -0.01f);
  std::vector<double> weights(20, 1.0);
  const EntropyConstrainedOptions options{.lambda = 0.01};
  const auto even = entropy_constrained({.values = values, .columns = 20}, options);
  CHECK(std::ranges::find(even.centroids, 0.3f) == even.centroids.end());
  weights[0] = 1000.0;
  const WeightedMatrix by_row{.values = values, .columns = 20, .row_weights = weights};
  const auto heavy = entropy_constrained(by_row, options);
  check_books(heavy, by_row);
  REQUIRE(std::ranges::find(heavy.centroids, 0.3f) != heavy.centroids.end());
  CHECK(heavy.centroids[heavy.codes[0]] == 0.3f);
  // The same by columns.
  std::vector<float> transposed(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    transposed[i % 20 * 20 + i / 20] = values[i];
  }
  const auto by_column = entropy_constrained(
      {.values = transposed, .columns = 20, .column_weights = weights}, options);
  CHECK(by_column.centroids == heavy.centroids);
  CHECK(by_column.error == Approx(heavy.error));
  // What does not count at all takes the cheapest code.
  weights.assign(20, 0.0);
  weights[19] = 1.0;
  const auto only_last =
      entropy_constrained({.values = values, .columns = 20, .row_weights = weights}, options);
  CHECK(only_last.total_bits == 0.0);
}

TEST_CASE("entropy-constrained codebooks do not depend on the threads") {
  const std::vector<float> values = random_values(200'000, 5);
  const std::vector<double> rows = random_weights(200, 6);
  const auto with = [&](int count) {
    const ThreadCount guard(count);
    return entropy_constrained({.values = values, .columns = 1000, .row_weights = rows},
                               {.lambda = 1e-3});
  };
  const auto one = with(1);
  const auto three = with(3);
  CHECK(one.centroids == three.centroids);
  CHECK(one.codes == three.codes);
  CHECK(one.error == three.error);
}

TEST_CASE("entropy-constrained codebooks refuse what makes no sense") {
  const std::vector<float> values = {1.0f, 2.0f, 3.0f, 4.0f};
  const std::vector<double> three(3, 1.0);
  const std::vector<double> negative = {1.0, -1.0};
  const std::vector<float> bad = {1.0f, std::nanf("")};
  const auto message = [](const WeightedMatrix& matrix, const EntropyConstrainedOptions& options) {
    try {
      entropy_constrained(matrix, options);
    } catch (const ConfigError& error) {
      return std::string(error.what());
    }
    return std::string("none");
  };
  CHECK(message({.values = values}, {.lambda = -1.0}) ==
        "expected a lambda from 0 up, found -1.000000");
  CHECK(message({.values = values}, {.start = KMeansCells{256}}) ==
        "expected 1 to 255 centroids, found 256");
  CHECK(message({.values = values}, {.start = UniformGrid{-1.0}}) ==
        "expected a step from 0 up, found -1.000000");
  CHECK(message({.values = values}, {.max_iterations = -1}) ==
        "expected iterations from 0 up, found -1");
  CHECK(message({.values = values, .columns = 3}, {}) ==
        "expected whole rows, found 4 values in rows of 3");
  CHECK(message({.values = values, .columns = 2, .row_weights = three}, {}) ==
        "expected a weight for each of 2 rows, found 3");
  CHECK(message({.values = values, .columns = 2, .column_weights = negative}, {}) ==
        "expected weights of columns from 0 up, found -1.000000");
  CHECK(message({.values = bad}, {}) == "expected finite values, found nan");
}
