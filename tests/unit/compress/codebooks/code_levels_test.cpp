#include "compress/codebooks/code_levels.h"

#include <array>
#include <catch2/catch.hpp>
#include <cmath>

using namespace ltz::compress;

TEST_CASE("a level is how large codes are in the row and in the column, four to a doubling") {
  constexpr std::size_t kRows = 4;
  constexpr std::size_t kColumns = 6;
  CodeLevels levels(kRows, kColumns);
  CHECK(levels(3, 5) == levels(0, 0));
  std::vector<std::uint8_t> magnitudes;
  for (unsigned r = 0; r < kRows; ++r) {
    for (unsigned c = 0; c < kColumns; ++c) {
      magnitudes.push_back(static_cast<std::uint8_t>(1u << (r + c % 2)));
    }
  }
  levels.learn(magnitudes);
  for (std::size_t r = 0; r < kRows; ++r) {
    for (std::size_t c = 0; c < kColumns; ++c) {
      CHECK(levels(r, c) == levels(0, 0) + 4 * (r + c % 2));
    }
  }
  std::size_t next = 3;
  levels.each(3, 20, [&](std::size_t i, std::size_t level) {
    CHECK(i == next++);
    CHECK(level == levels(i / kColumns, i % kColumns));
  });
  CHECK(next == 20);
  CodeLevels restored(kRows, kColumns);
  restored.restore(levels.rows(), levels.columns());
  CHECK(restored(2, 1) == levels(2, 1));
}

TEST_CASE("a vector has one level") {
  for (const auto& [rows, columns] : {std::pair(1, 4), std::pair(4, 1)}) {
    CodeLevels levels(static_cast<std::size_t>(rows), static_cast<std::size_t>(columns));
    levels.learn(std::vector<std::uint8_t>{1, 200, 0, 7});
    levels.each(0, 4, [&](std::size_t /*i*/, std::size_t level) { CHECK(level == levels(0, 0)); });
  }
}

TEST_CASE("lengths are those of the frequencies in a level, where it has many codes") {
  std::vector<std::int64_t> counts(CodeLevels::kLevels * 2);
  counts[0] = 3'000'000;
  counts[1] = 1'000'000;
  counts[2] = 1'000'000;
  counts[3] = 3'000'000;
  const std::vector<float> lengths = level_lengths(counts, 2);
  REQUIRE(lengths.size() == counts.size());
  CHECK(lengths[0] == Approx(std::log2(4.0 / 3.0)).epsilon(1e-4));
  CHECK(lengths[1] == Approx(2.0).epsilon(1e-4));
  CHECK(lengths[2] == Approx(2.0).epsilon(1e-4));
  // An empty one has those of all.
  CHECK(lengths[4] == Approx(1.0).epsilon(1e-4));
}

TEST_CASE("bits are those of an adaptive coder") {
  // Two symbols, of which the first is three times as frequent among all; levels of few codes.
  std::vector<std::int64_t> counts(CodeLevels::kLevels * 2);
  counts[0] = 2;
  counts[1] = 1;
  counts[2] = 7;
  counts[3] = 2;
  const double all = 12.0 + 2 * 0.5;
  double bits = 0.0;
  for (const std::size_t first : {0u, 2u}) {
    std::array<double, 2> seen = {16.0 * 9.5 / all, 16.0 * 3.5 / all};
    for (std::size_t symbol = 0; symbol < 2; ++symbol) {
      for (std::int64_t i = 0; i < counts[first + symbol]; ++i) {
        bits += std::log2((seen[0] + seen[1]) / seen[symbol]);
        seen[symbol] += 1.0;
      }
    }
  }
  CHECK(level_bits(counts, 2) == Approx(bits));
  // With many codes, their entropy.
  counts[0] = 3'000'000;
  counts[1] = 1'000'000;
  counts[2] = 1'000'000;
  counts[3] = 3'000'000;
  CHECK(level_bits(counts, 2) == Approx(8e6 * (2.0 - 0.75 * std::log2(3.0))).epsilon(1e-4));
}
