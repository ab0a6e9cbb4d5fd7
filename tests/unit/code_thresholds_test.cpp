#include "compress/code_thresholds.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <random>

#include "tests/unit/random_layer.h"

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

TEST_CASE("every centroid is in its own cell, whatever its code costs") {
  const std::vector<float> centroids = {-1.0f, -0.5f, std::nextafter(-0.5f, 0.0f), 0.0f, 8.0f};
  for (const std::vector<float>& lengths :
       {std::vector<float>{1, 20, 1, 20, 1}, {20, 1, 20, 1, 20}, {1, 2, 3, 4, 5}}) {
    for (const double price : {0.0, 0.01, 1.0, 1e6}) {
      const std::vector<float> thresholds = code_thresholds(centroids, lengths, price);
      for (std::size_t j = 0; j < centroids.size(); ++j) {
        CHECK(code_of(centroids[j], thresholds, 2) == j);
      }
    }
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
