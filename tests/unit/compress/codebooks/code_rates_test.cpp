#include "compress/codebooks/code_rates.h"

#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <random>

using namespace ltz::compress;

namespace {

using Indices = std::vector<std::int16_t>;

constexpr std::size_t kSize = 128;  // rows and columns

double total(const CodeRates& rates, const Indices& indices) {
  double bits = 0.0;
  for (std::size_t i = 0; i < indices.size(); ++i) {
    bits += rates(i / kSize, i % kSize, indices[i]);
  }
  return bits;
}

double learned_total(const Indices& indices) {
  CodeRates rates(kSize, kSize);
  rates.learn(indices);
  return total(rates, indices);
}

double entropy(const Indices& indices) {
  std::array<double, 2 * kLargestIndex + 1> counts = {};
  for (const std::int16_t index : indices) {
    counts[static_cast<std::size_t>(index + kLargestIndex)] += 1.0;
  }
  double bits = 0.0;
  for (const double count : counts) {
    bits -= count == 0.0 ? 0.0 : count * std::log2(count / static_cast<double>(indices.size()));
  }
  return bits;
}

// Even in -limit, …, limit.
std::int16_t draw(std::mt19937& random, int limit) {
  return static_cast<std::int16_t>(
      static_cast<int>(random() % static_cast<unsigned>(2 * limit + 1)) - limit);
}

// Rows of two sorts in turn.
Indices uneven_rows(unsigned seed) {
  std::mt19937 random(seed);
  Indices indices;
  for (std::size_t i = 0; i < kSize * kSize; ++i) {
    indices.push_back(draw(random, i / kSize % 2 == 0 ? 1 : 40));
  }
  return indices;
}

Indices transposed(const Indices& indices) {
  Indices result;
  for (std::size_t i = 0; i < indices.size(); ++i) {
    result.push_back(indices[i % kSize * kSize + i / kSize]);
  }
  return result;
}

}  // namespace

TEST_CASE("k indices that are equally frequent everywhere cost log2 k bits") {
  for (const std::size_t k : {2, 4, 16}) {
    CAPTURE(k);
    Indices indices;
    for (std::size_t i = 0; i < kSize * kSize; ++i) {
      const auto number = static_cast<int>((i / kSize + i % kSize) % k);
      indices.push_back(static_cast<std::int16_t>(number - static_cast<int>(k / 2)));
    }
    CodeRates rates(kSize, kSize);
    rates.learn(indices);
    for (const std::size_t place : {std::size_t{0}, std::size_t{77}, kSize - 1}) {
      CHECK(rates(place, 5, indices[place * kSize + 5]) ==
            Approx(std::log2(static_cast<double>(k))).epsilon(0.01));
    }
  }
}

TEST_CASE("nothing but zeros costs next to nothing") {
  const Indices zeros(kSize * kSize, 0);
  CHECK(learned_total(zeros) < 0.02 * static_cast<double>(zeros.size()));
}

TEST_CASE("rows and columns of different scale are told apart") {
  const Indices rows = uneven_rows(1);
  const Indices columns = transposed(rows);
  const auto half = static_cast<double>(rows.size() / 2);
  const double known = half * (std::log2(3.0) + std::log2(81.0));
  for (const Indices& indices : {rows, columns}) {
    CHECK(learned_total(indices) < 0.85 * entropy(indices));
    CHECK(learned_total(indices) == Approx(known).epsilon(0.03));
  }
  // Where nothing is to be told, nothing is gained.
  std::mt19937 random(2);
  Indices even;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    even.push_back(draw(random, 3));
  }
  CHECK(learned_total(even) == Approx(entropy(even)).epsilon(0.005));
}

TEST_CASE("an index that did not occur can come back") {
  Indices indices(kSize * kSize, 0);
  indices[7] = 1;
  CodeRates rates(kSize, kSize);
  rates.learn(indices);
  for (int index = -kLargestIndex; index <= kLargestIndex; ++index) {
    CHECK(std::isfinite(rates(0, 0, index)));
    CHECK(rates(0, 0, index) > 0.0);
  }
  CHECK(rates(0, 0, 2) > 8.0);
  CHECK(rates(0, 0, 2) > rates(0, 0, 1));
  CHECK(rates(0, 0, kLargestIndex) == rates(0, 0, -kLargestIndex));
}

TEST_CASE("rates are those of the last indices alone") {
  CodeRates rates(kSize, kSize);
  const Indices indices = uneven_rows(3);
  CHECK(total(rates, indices) == 0.0);
  rates.learn(transposed(uneven_rows(4)));
  rates.learn(indices);
  CHECK(total(rates, indices) == learned_total(indices));
}
