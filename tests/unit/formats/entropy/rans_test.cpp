#include "formats/entropy/rans.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <random>

#include "model/base/error.h"

namespace ltz::formats {
namespace {

using Catch::Matchers::Contains;
using Symbols = std::vector<std::uint8_t>;

// A sum of uniform numbers around `alphabet` / 2: bell-shaped, and the same on every machine.
Symbols bell(unsigned seed, std::size_t count, int alphabet) {
  std::mt19937 random(seed);
  Symbols symbols(count);
  for (std::uint8_t& symbol : symbols) {
    std::uint64_t sum = 0;
    for (int i = 0; i < 8; ++i) {
      sum += random() % static_cast<unsigned>(alphabet);
    }
    symbol = static_cast<std::uint8_t>(sum / 8);
  }
  return symbols;
}

std::vector<std::uint64_t> histogram(const Symbols& symbols) {
  std::vector<std::uint64_t> counts(256, 0);
  for (const std::uint8_t symbol : symbols) {
    ++counts[symbol];
  }
  return counts;
}

// Order-0 entropy in bytes.
double entropy(const Symbols& symbols) {
  double bits = 0;
  for (const std::uint64_t count : histogram(symbols)) {
    if (count != 0) {
      bits -= static_cast<double>(count) *
              std::log2(static_cast<double>(count) / static_cast<double>(symbols.size()));
    }
  }
  return bits / 8;
}

void check_round_trip(const Symbols& symbols, int alphabet) {
  const auto bytes = rans_encode(symbols, alphabet);
  CHECK(rans_decode(bytes, symbols.size(), alphabet) == symbols);
  CHECK(rans_encode(symbols, alphabet) == bytes);
  const auto counts = histogram(symbols);
  const double estimate = rans_size(std::span(counts).first(static_cast<std::size_t>(alphabet)));
  CHECK(estimate == Approx(static_cast<double>(bytes.size())).margin(16));
}

}  // namespace

TEST_CASE("rANS: symbols come back") {
  check_round_trip({}, 1);
  check_round_trip({0}, 1);
  check_round_trip({255}, 256);
  check_round_trip({3, 1, 2}, 4);
  Symbols all(256);
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i] = static_cast<std::uint8_t>(i);
  }
  check_round_trip(all, 256);
  Symbols skewed(100000, 7);
  skewed[500] = 200;
  check_round_trip(skewed, 201);
  for (std::size_t count = 1; count < 40; ++count) {
    check_round_trip(bell(1, count, 11), 11);
  }
  for (const int alphabet : {2, 3, 16, 255, 256}) {
    check_round_trip(bell(2, 5000, alphabet), alphabet);
  }
}

TEST_CASE("rANS: every rare symbol keeps its place in the table") {
  // The common symbol has far less than 255 units above its share to give away.
  Symbols symbols;
  for (int i = 0; i < 256; ++i) {
    symbols.insert(symbols.end(), i < 128 ? 4000 : 1, static_cast<std::uint8_t>(i));
  }
  check_round_trip(symbols, 256);
}

TEST_CASE("rANS: symbols that are all equal take two bytes") {
  CHECK(rans_encode({}, 256).empty());
  CHECK(rans_encode(Symbols(1, 9), 10).size() == 2);
  CHECK(rans_encode(Symbols(100000, 9), 10).size() == 2);
  CHECK(rans_size(histogram(Symbols(100000, 9))) == 2.0);
  CHECK(rans_size(histogram({})) == 0.0);
}

TEST_CASE("rANS: the size is close to the entropy") {
  const Symbols large = bell(3, 1000000, 256);
  CHECK(static_cast<double>(rans_encode(large, 256).size()) < 1.0005 * entropy(large));
  const Symbols matrix = bell(4, 248 * 248, 256);
  CHECK(static_cast<double>(rans_encode(matrix, 256).size()) < entropy(matrix) + 250);
  const Symbols small = bell(5, 1000, 16);
  CHECK(static_cast<double>(rans_encode(small, 16).size()) < entropy(small) + 40);
}

TEST_CASE("rANS: a symbol outside the alphabet is refused") {
  CHECK_THROWS_AS(rans_encode(Symbols{0, 4}, 4), FormatError);
}

TEST_CASE("rANS: every truncation and every trailing byte is refused") {
  for (const Symbols& symbols : {bell(6, 700, 30), Symbols(700, 3)}) {
    auto bytes = rans_encode(symbols, 30);
    for (std::size_t length = 0; length < bytes.size(); ++length) {
      CHECK_THROWS_AS(rans_decode(std::span(bytes).first(length), symbols.size(), 30), FormatError);
    }
    bytes.push_back(std::byte{0});
    CHECK_THROWS_WITH(rans_decode(bytes, symbols.size(), 30), Contains("trailing"));
    CHECK_THROWS_AS(rans_decode(bytes, 0, 30), FormatError);
  }
}

TEST_CASE("rANS: a damaged stream is refused or decodes within the alphabet") {
  const Symbols symbols = bell(7, 300, 20);
  const auto bytes = rans_encode(symbols, 20);
  int refused = 0;
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    auto damaged = bytes;
    damaged[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    try {
      const auto decoded = rans_decode(damaged, symbols.size(), 20);
      CHECK(std::ranges::all_of(decoded, [](std::uint8_t symbol) { return symbol < 20; }));
    } catch (const FormatError&) {
      ++refused;
    }
  }
  // Some bits of the table make another table under which the states come back, too.
  CHECK(refused > static_cast<int>(8 * bytes.size()) - 20);
}

TEST_CASE("rANS: random bytes never do harm") {
  std::mt19937 random(8);
  for (int round = 0; round < 3000; ++round) {
    std::vector<std::byte> bytes(random() % 200);
    for (std::byte& byte : bytes) {
      byte = static_cast<std::byte>(random() & 0xFFU);
    }
    if (bytes.size() > 1) {  // deep enough into the decoder
      bytes[0] = static_cast<std::byte>(random() % 17);
      bytes[1] = static_cast<std::byte>(random() % 9);
    }
    try {
      const Symbols symbols = rans_decode(bytes, 100, 8);
      CHECK(symbols.size() == 100);
    } catch (const FormatError&) {
      // Expected of nearly all.
    }
  }
}

TEST_CASE("rANS: bad tables have their own reasons") {
  const auto reason = [](std::vector<int> values, int alphabet) {
    std::vector<std::byte> bytes;
    for (const int value : values) {
      bytes.push_back(static_cast<std::byte>(value));
    }
    try {
      rans_decode(bytes, 10, alphabet);
    } catch (const FormatError& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  CHECK_THAT(reason({16, 0}, 2), Contains("precision"));
  CHECK_THAT(reason({0, 2}, 2), Contains("not in an alphabet of 2"));
  CHECK_THAT(reason({1}, 2), Contains("truncated"));
  CHECK_THAT(reason({1, 0, 0}, 2), Contains("malformed width"));
  // Width 15 (8 above the first comparison): 17 = 16 + 1 after four zeros; then 15 again.
  CHECK_THAT(reason({1, 0, 0x30, 0x02}, 3), Contains("add up to"));
  // Width 0: no symbol is left but the one that is not stored.
  CHECK_THAT(reason({1, 0, 0x68}, 2), Contains("add up to 0"));
}

}  // namespace ltz::formats
