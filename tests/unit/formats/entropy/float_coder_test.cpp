#include "formats/entropy/float_coder.h"

#include <catch2/catch.hpp>
#include <random>

#include "formats/bytes/float16.h"
#include "model/base/error.h"
#include "model/checkpoint/tensor.h"

namespace ltz::formats {
namespace {

using Catch::Matchers::Contains;
using Bits = std::vector<std::uint16_t>;
using Bytes = std::vector<std::byte>;

// float16 values around `centre`, bell-shaped.
Bits bell(unsigned seed, std::size_t count, float centre, float width) {
  std::mt19937 random(seed);
  Bits bits;
  for (std::size_t i = 0; i < count; ++i) {
    float sum = 0.0f;
    for (int k = 0; k < 8; ++k) {
      sum += static_cast<float>(random() % 2001) / 1000.0f - 1.0f;
    }
    bits.push_back(*float16_bits(round_to_float16(centre + width * sum / 4.0f)));
  }
  return bits;
}

}  // namespace

TEST_CASE("coded floats: bits come back") {
  const auto check = [](const Bits& bits) {
    CHECK(float_decode(float_encode(bits), bits.size()) == bits);
  };
  check({});
  check({0});
  check({0xFFFF});
  check({0x3C00, 0x8000, 0x7BFF, 1});
  check(Bits(5000, 0x3C00));
  check(bell(1, 500, 0.0f, 0.1f));
  Bits all(1 << 16);
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i] = static_cast<std::uint16_t>(i * 40503);
  }
  check(all);
}

TEST_CASE("coded floats: biases and gains take a tenth less, equal values next to nothing") {
  CHECK(float_encode(bell(2, 496, 0.0f, 0.1f)).size() < 2 * 496 * 9 / 10);
  CHECK(float_encode(bell(3, 496, 1.0f, 0.1f)).size() < 2 * 496 * 7 / 10);
  CHECK(float_encode(Bits(496, 0x3C00)).size() < 40);
}

TEST_CASE("coded floats: the bytes are those of version 1") {
  const Bits bits = {0x3C00, 0xB800, 0x3C01, 0x2E66};
  Bytes expected;
  for (const int value : {0xFC, 0x17, 0xFF, 0xC3, 0x66, 0x98, 0xCD, 0xF2}) {
    expected.push_back(static_cast<std::byte>(value));
  }
  CHECK(float_encode(bits) == expected);
  CHECK(float_decode(expected, bits.size()) == bits);
}

TEST_CASE("coded floats: every truncation and every trailing byte is refused") {
  const Bits bits = bell(4, 300, 0.0f, 1.0f);
  Bytes bytes = float_encode(bits);
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    CHECK_THROWS_AS(float_decode(std::span(bytes).first(length), bits.size()), FormatError);
  }
  bytes.push_back(std::byte{0});
  CHECK_THROWS_WITH(float_decode(bytes, bits.size()), Contains("trailing"));
  CHECK_THROWS_WITH(float_decode(bytes, 0), Contains("trailing"));
}

}  // namespace ltz::formats
