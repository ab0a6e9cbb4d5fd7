#include "golden_checks.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <regex>

namespace ltz::test {

double largest_difference(std::span<const float> found, const std::vector<float>& expected) {
  REQUIRE(found.size() == expected.size());
  double largest = 0.0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(found[i]) - expected[i]));
  }
  return largest;
}

BeamOptions parse_search(const std::string& name) {
  static const std::regex pattern(R"(beam(\d+)_lenpen([\d.]+)_maxlen([\d.]+)x\+(\d+))");
  std::smatch match;
  REQUIRE(std::regex_match(name, match, pattern));
  return {.beam = std::stoi(match[1]),
          .lenpen = std::stod(match[2]),
          .max_len_a = std::stod(match[3]),
          .max_len_b = std::stoi(match[4])};
}

void check_same(const Hypothesis& found, const GoldenHypothesis& expected) {
  CHECK(found.tokens == expected.tokens);
  const double tolerance = kTolerance * static_cast<double>(expected.tokens.size());
  CHECK(found.score == Approx(expected.score).margin(tolerance));
  CHECK(largest_difference(found.positional_scores, expected.positional_scores) < tolerance);
}

void check_same(const std::vector<Hypothesis>& found,
                const std::vector<GoldenHypothesis>& expected) {
  REQUIRE(found.size() == expected.size());
  for (std::size_t h = 0; h < expected.size(); ++h) {
    CAPTURE(h);
    check_same(found[h], expected[h]);
  }
}

void check_gradients(const Gradients& found, std::int64_t tokens, const GoldenFile& golden) {
  for (const auto& [name, sums] : found.values()) {
    CAPTURE(name);
    const std::vector<float> expected = golden.floats("gradients/" + name);
    REQUIRE(sums.size() == expected.size());
    double difference = 0.0;
    double length = 0.0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const double mean = sums[i] / static_cast<double>(tokens);
      difference += std::pow(mean - expected[i], 2);
      length += std::pow(expected[i], 2);
    }
    CHECK(std::sqrt(difference) <= 1e-3 * std::sqrt(length) + 1e-7);
  }
}

}  // namespace ltz::test
