#include "compress/codebooks/sorted_values.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <iterator>
#include <vector>

#include "model/base/error.h"
#include "tests/support/bell_values.h"

using namespace ltz;
using namespace ltz::compress;

TEST_CASE("importance that is no positive number or that is missing is refused") {
  const std::vector<float> values{1.0f, 2.0f};
  for (const float bad : {0.0f, -1.0f, std::nanf(""), HUGE_VALF}) {
    CHECK_THROWS_WITH(SortedValues(values, std::vector<float>{1.0f, bad}),
                      Catch::Contains("weight 1 has the importance"));
  }
  CHECK_THROWS_AS(SortedValues(values, std::vector<float>{1.0f}), ConfigError);
}

TEST_CASE("kept values are the sorted values without those below the threshold") {
  std::vector<float> values = bell(203, 9);
  values[5] = values[6] = 0.0f;
  const SortedValues sorted(values);
  for (const float threshold : {-1.0f, 0.0f, 0.05f, 0.3f, 2.0f}) {
    std::vector<float> expected;
    std::ranges::copy_if(sorted.values(), std::back_inserter(expected),
                         [&](float value) { return std::abs(value) > threshold; });
    const KeptValues kept(sorted, threshold);
    REQUIRE(kept.size() == expected.size());
    CHECK(sorted.count_within(threshold) == values.size() - expected.size());
    Moments moments;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      REQUIRE(kept[i] == expected[i]);
      REQUIRE(kept.count_up_to(expected[i]) > i);
      moments.sum += expected[i] - kept.shift();
      moments.squares += std::pow(expected[i] - kept.shift(), 2);
      REQUIRE(kept.prefix(i + 1).sum == Approx(moments.sum).margin(1e-9));
      REQUIRE(kept.prefix(i + 1).squares == Approx(moments.squares).margin(1e-9));
    }
  }
}

TEST_CASE("magnitudes by rank") {
  std::vector<float> values = bell(3001, 4);
  values[3] = 0.0f;
  values[5] = values[6] = -0.125f;
  values[7] = 0.125f;
  const SortedValues sorted(values);
  std::vector<float> magnitudes;
  for (const float value : values) {
    magnitudes.push_back(std::abs(value));
  }
  std::ranges::sort(magnitudes);
  CHECK(sorted.magnitude_of_rank(0) == 0.0f);
  for (std::size_t rank = 1; rank <= values.size(); ++rank) {
    REQUIRE(sorted.magnitude_of_rank(rank) == magnitudes[rank - 1]);
  }
  CHECK(SortedValues(std::span<const float>{}).magnitude_of_rank(0) == 0.0f);
}

TEST_CASE("thresholds for a count are the largest ones") {
  const std::vector<float> values{-4.0f, 1.0f, 2.0f, -2.0f, 3.0f};
  const SortedValues sorted(values);
  const auto above = [](float threshold) { return std::nextafter(threshold, HUGE_VALF); };
  CHECK(sorted.threshold_for_count(5) == 4.0f);
  CHECK(above(sorted.threshold_for_count(4)) == 4.0f);
  CHECK(above(sorted.threshold_for_count(2)) == 2.0f);  // the two 2s only together
  CHECK(above(sorted.threshold_for_count(0)) == 1.0f);
  CHECK(sorted.norm_squared() == Approx(34.0));
  CHECK(sorted.squares_within(2.0f) == Approx(9.0));
  const SortedValues none(std::span<const float>{});
  CHECK(none.threshold_for_count(0) == 0.0f);
  CHECK(none.norm_squared() == 0.0);
}
