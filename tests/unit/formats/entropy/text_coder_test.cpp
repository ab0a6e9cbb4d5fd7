#include "formats/entropy/text_coder.h"

#include <catch2/catch.hpp>
#include <random>
#include <string>

#include "formats/ltz/block.h"
#include "model/base/error.h"

namespace ltz::formats {
namespace {

using Catch::Matchers::Contains;
using Bytes = std::vector<std::byte>;

Bytes bytes_of(const std::string& text) {
  const auto view = std::as_bytes(std::span(text));
  return {view.begin(), view.end()};
}

Bytes random_bytes(unsigned seed, std::size_t count) {
  std::mt19937 random(seed);
  Bytes bytes(count);
  for (std::byte& byte : bytes) {
    byte = static_cast<std::byte>(random() & 0xFFU);
  }
  return bytes;
}

// Lines of made-up words, as in a vocabulary: syllables that come back, in random order.
std::string words(unsigned seed, int count) {
  constexpr const char* kSyllables[] = {"ta", "re", "mi", "son", "el", "qu", "ver", "nen",
                                        "o",  "as", "ti", "on",  "é",  "lu", "cha", "gr"};
  std::mt19937 random(seed);
  std::string text;
  for (int i = 0; i < count; ++i) {
    for (unsigned k = 1 + random() % 4; k > 0; --k) {
      text += kSyllables[random() % 16];
    }
    text += random() % 3 == 0 ? "@@\n" : "\n";
  }
  return text;
}

}  // namespace

TEST_CASE("coded text: bytes come back") {
  const auto check = [](const Bytes& text) {
    CHECK(text_decode(text_encode(text), text.size()) == text);
  };
  check({});
  check(Bytes(1, std::byte{0}));
  check(Bytes(1, std::byte{0xFF}));
  check(Bytes(100000, std::byte{'a'}));
  check(bytes_of(words(1, 3000)));
  for (const std::size_t size : {2, 3, 15, 16, 17, 1000, 70000}) {
    check(random_bytes(2, size));
  }
}

TEST_CASE("coded text: words take less than deflated, noise hardly more than itself") {
  const std::string text = words(3, 4000);
  const Bytes block = pack_block(text);
  CHECK(block[0] == std::byte{2});
  CHECK(block.size() == 5 + text_encode(bytes_of(text)).size());
  CHECK(unpack_block(block) == bytes_of(text));
  // Two bits say how many syllables, four which one, 0.92 whether the word ends: per word, 12.92.
  const double entropy = 4000 * (2.0 + 2.5 * 4.0 + 0.92) / 8.0;
  CHECK(static_cast<double>(block.size()) < 1.15 * entropy);
  CHECK(text_encode(random_bytes(4, 10000)).size() < 10600);
  CHECK(pack_block(random_bytes(4, 10000)).size() == 10005);
}

TEST_CASE("coded text: the bytes are those of version 1") {
  const Bytes text = bytes_of("le chat\nle chien\nle chat\n");
  Bytes expected;
  for (const int value : {0x10, 0x0C, 0x95, 0x93, 0x55, 0x45, 0xF1, 0x8C, 0xF8, 0x46, 0x07, 0xE3,
                          0x2C, 0x3C, 0x72, 0x23}) {
    expected.push_back(static_cast<std::byte>(value));
  }
  CHECK(text_encode(text) == expected);
  CHECK(text_decode(expected, text.size()) == text);
}

TEST_CASE("coded text: every truncation and every trailing byte is refused") {
  const Bytes text = bytes_of(words(5, 40));
  Bytes bytes = text_encode(text);
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    CHECK_THROWS_AS(text_decode(std::span(bytes).first(length), text.size()), FormatError);
  }
  bytes.push_back(std::byte{0});
  CHECK_THROWS_WITH(text_decode(bytes, text.size()), Contains("trailing"));
  CHECK_THROWS_WITH(text_decode(bytes, 0), Contains("trailing"));
}

TEST_CASE("coded text: damaged streams are refused or decode to something else") {
  const Bytes text = bytes_of(words(6, 40));
  const Bytes bytes = text_encode(text);
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    Bytes damaged = bytes;
    damaged[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    try {
      const Bytes decoded = text_decode(damaged, text.size());
      CHECK(decoded != text);
    } catch (const FormatError&) {
      // Expected of nearly all.
    }
  }
}

TEST_CASE("coded text: what is too large is refused") {
  CHECK_THROWS_WITH(text_encode(Bytes(kMaxTextSize + 1)), Contains("at most 4194304"));
  CHECK_THROWS_WITH(text_decode(Bytes(1 << 17), kMaxTextSize + 1), Contains("at most 4194304"));
  // A block that expands too far is not coded: 64 is the most that a reader accepts.
  CHECK(pack_block(Bytes(100000, std::byte{'a'}))[0] == std::byte{0});
  Bytes block = {std::byte{2}, std::byte{0}, std::byte{4}, std::byte{0}, std::byte{0}};  // 1024
  block.resize(5 + 8);
  CHECK_THROWS_WITH(unpack_block(block), Contains("8 bytes cannot decode to 1024"));
}

}  // namespace ltz::formats
