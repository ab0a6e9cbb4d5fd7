#include "compress/codebooks/code_thresholds.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <random>

#include "tests/support/random_layer.h"

using namespace ltz;
using namespace ltz::compress;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

}  // namespace

TEST_CASE("a bit is worth what the slope of the distortion says") {
  const std::vector<float> centroids = {-2.0f, 0.0f, 2.0f, 7.0f};  // most are 2 apart
  CHECK(price_of_a_bit(centroids) == Approx(4.0 * std::log(2.0) / 6.0));
  CHECK(price_of_a_bit(std::vector<float>{1.0f}) == 0.0);
}

TEST_CASE("without a price thresholds are in the middle") {
  const std::vector<float> centroids = {-1.0f, 0.0f, 3.0f};
  CHECK(code_thresholds(centroids, std::vector<float>{5.0, 1.0, 9.0}, 0.0) ==
        std::vector<float>{-kInfinity, -0.5f, 1.5f, kInfinity});
}

TEST_CASE("at a threshold both centroids cost the same") {
  const std::vector<float> centroids = {0.0f, 1.0f, 2.5f};
  const std::vector<float> lengths = {1.0, 3.0, 2.0};
  const double price = 0.125;
  const std::vector<float> thresholds = code_thresholds(centroids, lengths, price);
  for (std::size_t j = 0; j + 1 < centroids.size(); ++j) {
    const double left = thresholds[j + 1] - centroids[j];
    const double right = thresholds[j + 1] - centroids[j + 1];
    CHECK(left * left + price * lengths[j] == Approx(right * right + price * lengths[j + 1]));
  }
}

TEST_CASE("the code of a value is the cheapest of all") {
  std::mt19937 random(2);
  const std::vector<float> centroids = {-1.0f, -0.5f, -0.25f, 0.0f, 0.0f, 0.125f, 1.0f};
  int empty = 0;
  for (int round = 0; round < 60; ++round) {
    std::vector<float> lengths(centroids.size());
    std::ranges::generate(lengths, [&] { return 6.0f + 5.0f * symmetric_uniform(random); });
    const double price = std::pow(4.0, round % 6 - 4);
    const auto cost = [&](float value, std::size_t j) {
      return std::pow(static_cast<double>(value) - centroids[j], 2) + price * lengths[j];
    };
    const std::vector<float> thresholds = code_thresholds(centroids, lengths, price);
    CHECK(std::ranges::is_sorted(thresholds));
    CHECK(thresholds.front() == -kInfinity);
    CHECK(thresholds.back() == kInfinity);
    for (std::size_t j = 0; j < centroids.size(); ++j) {
      empty += thresholds[j] == thresholds[j + 1] ? 1 : 0;
    }
    for (int i = 0; i < 200; ++i) {
      const float value = 2.0f * symmetric_uniform(random);
      double least = cost(value, 0);
      for (std::size_t j = 1; j < centroids.size(); ++j) {
        least = std::min(least, cost(value, j));
      }
      REQUIRE(cost(value, code_of(value, thresholds, 3)) <= least + 1e-6);
    }
  }
  CHECK(empty > 60);  // of two equal centroids one always is
}

TEST_CASE("a price that is high enough leaves but the shortest code") {
  const std::vector<float> centroids = {-1.0f, -0.5f, 0.0f, 8.0f};
  const std::vector<float> thresholds =
      code_thresholds(centroids, std::vector<float>{5, 1, 2, 3}, 1e6);
  for (const float value : {-100.0f, 0.0f, 8.0f, 100.0f}) {
    CHECK(code_of(value, thresholds, 2) == 1);
  }
}

TEST_CASE("codes are found from wherever the search begins") {
  std::mt19937 random(1);
  // Two centroids are equal, as those that training makes meet.
  const std::vector<float> centroids = {-0.75f, -0.25f, 0.0f, 0.125f, 0.125f, 0.5f};
  const std::vector<float> thresholds =
      code_thresholds(centroids, std::vector<float>{3, 2, 1, 2, 4, 5}, 0.01);
  std::vector<float> values = {-kInfinity, kInfinity, -0.0f};
  values.insert(values.end(), thresholds.begin() + 1, thresholds.end() - 1);
  for (int i = 0; i < 200; ++i) {
    values.push_back(symmetric_uniform(random));
  }
  for (std::uint8_t start = 0; start < centroids.size(); ++start) {
    for (const float value : values) {
      // The number of thresholds between cells that are not above it.
      const auto expected = std::count_if(thresholds.begin() + 1, thresholds.end() - 1,
                                          [&](float t) { return t <= value; });
      REQUIRE(code_of(value, thresholds, start) == expected);
    }
    CHECK(code_of(std::nanf(""), thresholds, start) == start);
  }
}
