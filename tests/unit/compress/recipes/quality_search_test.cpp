#include "compress/recipes/quality_search.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

#include "compress/recipes/size_search.h"

using namespace ltz::compress;

namespace {

// A bit per weight fewer for every two of strength, a loss that grows fourfold.
QualityTrial smooth(double strength) {
  return {.strength = strength, .bytes = 1e6 - 5e4 * strength, .loss = std::exp2(strength)};
}

constexpr StrengthRange kRange{.mildest = -10.0, .strongest = 10.0};

}  // namespace

TEST_CASE("the smallest file of an accepted loss is found from either side") {
  for (const double start : {-9.0, -3.0, 1.9, 2.1, 6.0, 9.0}) {
    int trials = 0;
    const QualityTrial found = quality_search(
        [&](double strength) {
          ++trials;
          return smooth(strength);
        },
        {.most_loss = 4.0, .start = start, .range = kRange, .most_trials = 12});
    CHECK(found.loss <= 4.0);
    CHECK(found.bytes <= 1.02 * smooth(2.0).bytes);
    CHECK(found.strength >= 1.5);
    CHECK(trials <= 12);
  }
}

TEST_CASE("trials are few, and no strength is tried twice") {
  std::vector<double> tried;
  const QualityTrial found = quality_search(
      [&](double strength) {
        CHECK(std::ranges::find(tried, strength) == tried.end());
        tried.push_back(strength);
        return smooth(strength);
      },
      {.most_loss = 4.0, .start = 1.0, .range = kRange});
  CHECK(tried.size() <= 6);
  CHECK(found.loss <= 4.0);
  CHECK(found.strength > 1.0);
}

TEST_CASE("noise never makes a refused trial win") {
  for (int seed = 0; seed < 50; ++seed) {
    bool any = false;
    double smallest = 1e9;
    const QualityTrial found = quality_search(
        [&](double strength) {
          QualityTrial trial = smooth(strength);
          trial.loss += 2.0 * std::sin(1e3 * (strength + 0.1 * seed));
          if (trial.loss <= 4.0) {
            any = true;
            smallest = std::min(smallest, trial.bytes);
          }
          return trial;
        },
        {.most_loss = 4.0, .start = 0.0, .range = kRange});
    REQUIRE(any);
    CHECK(found.loss <= 4.0);
    CHECK(found.bytes == smallest);
  }
}

TEST_CASE("the ends of the range are the end") {
  // Nothing is good enough: the best there is.
  const QualityTrial mildest =
      quality_search(smooth, {.most_loss = 1e-9, .start = 0.0, .range = kRange, .most_trials = 20});
  CHECK(mildest.strength == kRange.mildest);
  // All of it is.
  const QualityTrial strongest =
      quality_search(smooth, {.most_loss = 1e9, .start = 0.0, .range = kRange, .most_trials = 20});
  CHECK(strongest.strength == kRange.strongest);
  // One trial is one trial.
  const QualityTrial only =
      quality_search(smooth, {.most_loss = 1e-9, .start = 3.0, .range = kRange, .most_trials = 1});
  CHECK(only.strength == 3.0);
}

TEST_CASE("a size is found by slopes other than the expected one") {
  // Bits per weight as entropy goes: flat at one end, steep at the other.
  const auto bits = [](double strength) {
    return 4.0 * std::log2(1.0 + std::exp2(-strength / 4.0));
  };
  for (const double wanted : {0.5, 2.0, 3.0, 6.0}) {
    for (const double start : {-8.0, 0.0, 8.0}) {
      int trials = 0;
      const SizeSearchResult found = size_search(
          [&](double strength) {
            ++trials;
            return bits(strength) - wanted;
          },
          {.start = start, .range = {-20.0, 20.0}, .most_trials = 10, .close_enough = 0.02});
      CHECK(found.fits);
      CHECK(bits(found.strength) <= wanted);
      CHECK(bits(found.strength) >= wanted - 0.02);
      CHECK(trials < 10);
    }
  }
}

TEST_CASE("the mildest that fits, or else the strongest that was tried") {
  const auto bits = [](double strength) { return -strength / 2.0; };
  const auto none = size_search([&](double strength) { return bits(strength) + 100.0; },
                                {.start = 0.0, .range = kRange});
  CHECK_FALSE(none.fits);
  CHECK(none.strength == kRange.strongest);
  // There is room everywhere: as mild as can be.
  const auto all = size_search([&](double strength) { return bits(strength) - 100.0; },
                               {.start = 0.0, .range = kRange});
  CHECK(all.fits);
  CHECK(all.strength == kRange.mildest);
  // A step that nothing lies on: the strongest side of it, in spite of the trials used up.
  const auto step = size_search([](double strength) { return strength < 1.0 ? 1.0 : -1.0; },
                                {.start = 0.0, .range = kRange, .most_trials = 8});
  CHECK(step.fits);
  CHECK(step.strength >= 1.0);
  CHECK(step.strength < 1.1);
}
