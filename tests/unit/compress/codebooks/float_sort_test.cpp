#include "compress/codebooks/float_sort.h"

#include <algorithm>
#include <bit>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

using namespace ltz::compress;

namespace {

// Of all magnitudes that floats have, both infinities among them, but no NaN.
std::vector<float> any_floats(std::size_t count, unsigned seed) {
  std::mt19937 generator(seed);
  std::vector<float> values;
  while (values.size() < count) {
    const auto value = std::bit_cast<float>(static_cast<std::uint32_t>(generator()));
    if (!std::isnan(value)) {
      values.push_back(value);
    }
  }
  for (std::size_t i = 0; i + 4 < count; i += 50) {
    values[i] = 0.0f;
    values[i + 1] = -0.0f;
    values[i + 2] = HUGE_VALF;
    values[i + 3] = -HUGE_VALF;
  }
  return values;
}

std::vector<std::uint32_t> bits_of(const std::vector<float>& values) {
  std::vector<std::uint32_t> bits;
  for (const float value : values) {
    bits.push_back(std::bit_cast<std::uint32_t>(value));
  }
  return bits;
}

}  // namespace

TEST_CASE("floats are sorted, few and many, negative zeros in front") {
  for (const std::size_t count : {0, 1, 2, 999, 1023, 1024, 1025, 70000}) {
    CAPTURE(count);
    std::vector<float> values = any_floats(count, 7);
    std::vector<float> expected = values;
    std::ranges::sort(expected, [](float a, float b) {
      return a < b || (a == b && std::signbit(a) && !std::signbit(b));
    });
    sort_floats(values);
    CHECK(bits_of(values) == bits_of(expected));
  }
}

TEST_CASE("equal floats, and such that differ in one digit only, are sorted") {
  std::vector<float> equal(5000, -0.25f);
  sort_floats(equal);
  CHECK(equal == std::vector<float>(5000, -0.25f));
  for (const int shift : {0, 11, 22}) {
    std::vector<float> values;
    for (std::uint32_t i = 0; i < 2000; ++i) {
      values.push_back(std::bit_cast<float>((i * 7 % 510) << shift));
    }
    std::vector<float> expected = values;
    std::ranges::sort(expected);
    sort_floats(values);
    CHECK(values == expected);
  }
}
