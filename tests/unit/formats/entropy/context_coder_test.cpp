#include "formats/entropy/context_coder.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <numeric>
#include <random>

#include "formats/bytes/crc32c.h"
#include "formats/entropy/rans.h"
#include "model/base/error.h"

namespace ltz::formats {
namespace {

using Catch::Matchers::Contains;
using Codes = std::vector<std::uint8_t>;
using Bytes = std::vector<std::byte>;

Codes random_codes(unsigned seed, std::size_t count, int alphabet) {
  std::mt19937 random(seed);
  Codes codes(count);
  for (std::uint8_t& code : codes) {
    code = static_cast<std::uint8_t>(random() % static_cast<unsigned>(alphabet));
  }
  return codes;
}

// Laplace values on a grid; scale(row, column): their mean magnitude in steps. 2 x limit + 1
// symbols.
template <typename Scale>
Codes laplace(unsigned seed, std::size_t rows, std::size_t columns, int limit, Scale scale) {
  std::mt19937 random(seed);
  Codes codes;
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t column = 0; column < columns; ++column) {
      const double uniform = (static_cast<double>(random() >> 1) + 0.5) / 0x1p31;
      const double sign = (random() & 1U) != 0 ? 1.0 : -1.0;
      const auto value = std::lround(-sign * scale(row, column) * std::log(uniform));
      codes.push_back(static_cast<std::uint8_t>(std::clamp<long>(value, -limit, limit) + limit));
    }
  }
  return codes;
}

// Order-0 entropy in bytes.
double entropy(const Codes& codes) {
  std::vector<double> counts(256, 0.0);
  for (const std::uint8_t code : codes) {
    counts[code] += 1.0;
  }
  double bits = 0.0;
  for (const double count : counts) {
    bits -= count == 0.0 ? 0.0 : count * std::log2(count / static_cast<double>(codes.size()));
  }
  return bits / 8.0;
}

double size_of(const Codes& codes, const CodeLayout& layout) {
  return static_cast<double>(context_encode(codes, layout).size());
}

void check_round_trip(const Codes& codes, const CodeLayout& layout) {
  const Bytes bytes = context_encode(codes, layout);
  CHECK(context_decode(bytes, codes.size(), layout) == codes);
}

}  // namespace

TEST_CASE("contexts: codes come back") {
  check_round_trip({}, {1, 1, 0});
  check_round_trip({}, {5, 200, 100});
  check_round_trip({0}, {1, 1, 0});
  check_round_trip({0}, {1, 2, 0});
  check_round_trip({0, 1, 1, 0}, {1, 2, 1});
  for (const int alphabet : {2, 3, 7, 8, 9, 16, 255, 256}) {
    for (const int zero : {0, alphabet / 2, alphabet - 1}) {
      const Codes codes = random_codes(1, 35 * 12, alphabet);
      check_round_trip(codes, {1, alphabet, zero});
      check_round_trip(codes, {12, alphabet, zero});
      check_round_trip(codes, {codes.size(), alphabet, zero});
    }
  }
}

TEST_CASE("contexts: every magnitude comes back, alone and after zeros") {
  for (const int zero : {0, 1, 100, 127, 128, 255}) {
    Codes codes;
    for (int symbol = 0; symbol < 256; ++symbol) {
      codes.insert(codes.end(), 50, static_cast<std::uint8_t>(zero));
      codes.push_back(static_cast<std::uint8_t>(symbol));
    }
    check_round_trip(codes, {51, 256, zero});
    Codes all(256);
    std::iota(all.begin(), all.end(), std::uint8_t{0});
    check_round_trip(all, {16, 256, zero});
  }
}

TEST_CASE("contexts: long runs and sudden ends of them come back") {
  Codes codes(300000, 3);
  codes[0] = 6;
  codes[299999] = 0;
  check_round_trip(codes, {1000, 7, 3});
  CHECK(context_encode(Codes(300000, 3), {1000, 7, 3}).size() < 100);
  // As far from what was learned as can be: each row is the opposite of the one before.
  for (std::size_t i = 0; i < codes.size(); ++i) {
    codes[i] = (i / 5000) % 2 == 0 ? 3 : 6;
  }
  check_round_trip(codes, {5000, 7, 3});
}

TEST_CASE("contexts: codes of one symbol, and no codes, take no bytes") {
  CHECK(context_encode({}, {3, 9, 4}).empty());
  CHECK(context_encode(Codes(12, 0), {3, 1, 0}).empty());
  CHECK(context_decode({}, 12, {3, 1, 0}) == Codes(12, 0));
  CHECK_THROWS_WITH(context_decode(Bytes(1), 12, {3, 1, 0}), Contains("trailing"));
  CHECK_THROWS_WITH(context_decode(Bytes(1), 0, {3, 9, 4}), Contains("trailing"));
}

// The format must never change under files that exist.
TEST_CASE("contexts: the bytes are those of version 1") {
  const auto check = [](const Codes& codes, const CodeLayout& layout, const std::vector<int>& all) {
    Bytes expected;
    for (const int value : all) {
      expected.push_back(static_cast<std::byte>(value));
    }
    CHECK(context_encode(codes, layout) == expected);
    CHECK(context_decode(expected, codes.size(), layout) == codes);
  };
  check({1, 1, 0, 1, 2, 1, 1, 0}, {4, 3, 1}, {0xC0, 0x23, 0x21, 0x98});
  check({128, 0, 255, 120, 131, 128, 127, 200, 122}, {3, 256, 128},
        {0xD1, 0x1A, 0x00, 0x80, 0xDE, 0xBF, 0x13, 0xAE, 0x7F, 0x06, 0x78, 0xE3});
}

// Long enough for every count of every adaptive bit, with each way through the model.
TEST_CASE("contexts: the bytes of a long stream are those of version 1") {
  const auto crc = [](int alphabet, int zero, unsigned most) {
    std::mt19937 random(10);
    Codes codes(400 * 300);
    for (std::size_t i = 0; i < codes.size(); ++i) {
      // Sums of throws of -1, 0 and 1: more of them in some columns and in some rows.
      int code = zero;
      for (std::size_t k = 0; k < 1 + (i % 300 * most / 300 + i / 300 % 3 * most) / 3; ++k) {
        code += static_cast<int>(random() % 3) - 1;
      }
      codes[i] = static_cast<std::uint8_t>(std::clamp(code, 0, alphabet - 1));
    }
    const CodeLayout layout{300, alphabet, zero};
    const Bytes bytes = context_encode(codes, layout);
    CHECK(context_decode(bytes, codes.size(), layout) == codes);
    return crc32c(bytes);
  };
  CHECK(crc(2, 0, 1) == 0xE047EE67U);
  CHECK(crc(3, 1, 3) == 0x6C0ABEC7U);
  CHECK(crc(15, 7, 15) == 0x5EEA85E9U);
  CHECK(crc(15, 12, 15) == 0x32110DF6U);
  CHECK(crc(256, 128, 900) == 0xB5E1F4CAU);
}

TEST_CASE("contexts: without structure, the size is the entropy") {
  const auto same = [](std::size_t, std::size_t) { return 1.2; };
  const Codes large = laplace(2, 500, 500, 7, same);
  CHECK(size_of(large, {500, 15, 7}) < 1.004 * entropy(large));
  const Codes small = laplace(3, 160, 160, 4, same);
  CHECK(size_of(small, {160, 9, 4}) < 1.01 * entropy(small));
  const Codes bytes = random_codes(4, 200 * 200, 256);
  CHECK(size_of(bytes, {200, 256, 128}) < 1.02 * entropy(bytes));
}

TEST_CASE("contexts: a codebook that is not symmetric costs nothing") {
  std::mt19937 random(5);
  Codes codes(200 * 200);
  constexpr Codes::value_type kSymbols[] = {0, 0, 0, 1, 2, 2, 3, 3, 3, 3, 3, 4, 5, 6, 6, 6};
  for (std::uint8_t& code : codes) {
    code = kSymbols[random() % 16];
  }
  CHECK(size_of(codes, {200, 7, 2}) < 1.005 * entropy(codes));
}

TEST_CASE("contexts: rows and columns of different scale cost less than the entropy") {
  const auto powers = [](std::size_t i) { return std::exp2(static_cast<double>(i % 5) - 2.0); };
  const auto by_row = [&](std::size_t row, std::size_t) { return powers(row); };
  const auto by_column = [&](std::size_t, std::size_t column) { return powers(column); };
  const CodeLayout layout{200, 41, 20};
  const Codes rows = laplace(6, 300, 200, 20, by_row);
  const Codes columns = laplace(7, 300, 200, 20, by_column);
  CHECK(size_of(rows, layout) < 0.92 * entropy(rows));
  CHECK(size_of(columns, layout) < 0.88 * entropy(columns));
  CHECK(size_of(columns, layout) <
        0.92 * static_cast<double>(rans_encode(columns, layout.alphabet).size()));
}

TEST_CASE("contexts: layouts and codes that do not fit are refused") {
  CHECK_THROWS_AS(context_encode(Codes(6), {4, 2, 0}), FormatError);
  CHECK_THROWS_AS(context_encode(Codes(6), {0, 2, 0}), FormatError);
  CHECK_THROWS_AS(context_encode(Codes(6), {3, 0, 0}), FormatError);
  CHECK_THROWS_AS(context_encode(Codes(6), {3, 257, 0}), FormatError);
  CHECK_THROWS_AS(context_encode(Codes(6), {3, 2, 2}), FormatError);
  CHECK_THROWS_AS(context_encode(Codes(6), {3, 2, -1}), FormatError);
  CHECK_THROWS_WITH(context_encode(Codes{0, 4, 1}, {3, 4, 2}),
                    Contains("code 4 is not in an alphabet of 4"));
  CHECK_THROWS_AS(context_decode(Bytes(8), 7, {2, 4, 2}), FormatError);
}

TEST_CASE("contexts: every truncation and every trailing byte is refused") {
  const CodeLayout layout{35, 30, 15};
  for (const Codes& codes : {random_codes(8, 700, 30), Codes(700, 15), Codes(700, 3)}) {
    Bytes bytes = context_encode(codes, layout);
    for (std::size_t length = 0; length < bytes.size(); ++length) {
      CHECK_THROWS_AS(context_decode(std::span(bytes).first(length), codes.size(), layout),
                      FormatError);
    }
    for (int more = 0; more < 9; ++more) {
      bytes.push_back(std::byte{0});
      CHECK_THROWS_AS(context_decode(bytes, codes.size(), layout), FormatError);
    }
  }
}

TEST_CASE("contexts: a damaged stream is refused or decodes within the alphabet") {
  const Codes codes = random_codes(9, 300, 20);
  const CodeLayout layout{20, 20, 12};
  const Bytes bytes = context_encode(codes, layout);
  int refused = 0;
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    Bytes damaged = bytes;
    damaged[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    try {
      const Codes decoded = context_decode(damaged, codes.size(), layout);
      CHECK(decoded != codes);
      CHECK(std::ranges::all_of(decoded, [](std::uint8_t code) { return code < 20; }));
    } catch (const FormatError&) {
      ++refused;
    }
  }
  CHECK(refused > static_cast<int>(8 * bytes.size()) - 40);
}

TEST_CASE("contexts: random bytes never do harm") {
  std::mt19937 random(10);
  for (int round = 0; round < 3000; ++round) {
    Bytes bytes(random() % 200);
    for (std::byte& byte : bytes) {
      byte = static_cast<std::byte>(round % 3 == 0   ? 0xFFU
                                    : round % 3 == 1 ? 0U
                                                     : random() & 0xFFU);
    }
    const int alphabet = 2 + static_cast<int>(random() % 255);
    const int zero = static_cast<int>(random() % static_cast<unsigned>(alphabet));
    try {
      const Codes codes = context_decode(bytes, 120, {12, alphabet, zero});
      CHECK(std::ranges::all_of(codes, [&](std::uint8_t code) { return code < alphabet; }));
    } catch (const FormatError&) {
      // Expected of nearly all.
    }
  }
}

}  // namespace ltz::formats
