#include "formats/bytes/crc32c.h"

#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <vector>

namespace ltz::formats {
namespace {

std::vector<std::byte> bytes_of(const std::string& text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

}  // namespace

TEST_CASE("CRC-32C of published examples") {
  CHECK(crc32c({}) == 0);
  CHECK(crc32c(bytes_of("123456789")) == 0xE3069283U);
  // RFC 3720, appendix B.4.
  CHECK(crc32c(std::vector<std::byte>(32, std::byte{0x00})) == 0x8A9136AAU);
  CHECK(crc32c(std::vector<std::byte>(32, std::byte{0xFF})) == 0x62A8AB43U);
}

TEST_CASE("CRC-32C is the same with and without special instructions") {
  std::mt19937 random(7);
  std::vector<std::byte> bytes;
  for (int length = 0; length < 70; ++length) {
    CHECK(crc32c(bytes) == crc32c_portable(bytes));
    bytes.push_back(static_cast<std::byte>(random() & 0xFFU));
  }
}

}  // namespace ltz::formats
