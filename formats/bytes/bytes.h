#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "model/base/error.h"

namespace ltz::formats {

// Little-endian integers, one byte at a time: the same on every machine.
template <typename Unsigned>
void put_integer(std::vector<std::byte>& out, Unsigned value) {
  for (std::size_t i = 0; i < sizeof(Unsigned); ++i) {
    out.push_back(static_cast<std::byte>((value >> (8 * i)) & 0xFF));
  }
}

// bytes: at least sizeof(Unsigned).
template <typename Unsigned>
Unsigned get_integer(const std::byte* bytes) {
  Unsigned value = 0;
  for (std::size_t i = 0; i < sizeof(Unsigned); ++i) {
    value = static_cast<Unsigned>(value | (static_cast<Unsigned>(bytes[i]) << (8 * i)));
  }
  return value;
}

// LEB128: seven bits a byte, low ones first; all bytes but the last have the top bit set.
inline void put_varint(std::vector<std::byte>& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) {
    out.push_back(static_cast<std::byte>(0x80 | (value & 0x7F)));
  }
  out.push_back(static_cast<std::byte>(value));
}

inline void put_bytes(std::vector<std::byte>& out, std::span<const std::byte> bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

// Takes values off the front of a span and throws FormatError, "<what>: ...", where there are too
// few bytes. The span must outlive the reader.
class ByteReader {
 public:
  ByteReader(std::span<const std::byte> bytes, std::string what)
      : bytes_(bytes), what_(std::move(what)) {}

  std::size_t remaining() const { return bytes_.size(); }

  // count: as the file says it, of 64 bits on every machine.
  std::span<const std::byte> take(std::uint64_t count) {
    if (count > bytes_.size()) {
      fail("truncated: expected " + std::to_string(count) + " more bytes, found " +
           std::to_string(bytes_.size()));
    }
    const auto front = bytes_.first(static_cast<std::size_t>(count));
    bytes_ = bytes_.subspan(front.size());
    return front;
  }

  template <typename Unsigned>
  Unsigned integer() {
    return get_integer<Unsigned>(take(sizeof(Unsigned)).data());
  }

  // Refuses numbers above 64 bits and longer spellings than necessary, so that a value has one.
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 70; shift += 7) {
      const auto byte = integer<std::uint8_t>();
      const std::uint64_t low = byte & 0x7FU;
      if (shift == 63 && low > 1) {
        break;
      }
      value |= low << shift;
      if ((byte & 0x80U) == 0) {
        if (low == 0 && shift != 0) {
          break;
        }
        return value;
      }
    }
    fail("malformed variable-length integer");
  }

  std::string text(std::uint64_t length) {
    const auto bytes = take(length);
    return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }

  void expect_end() const {
    if (!bytes_.empty()) {
      fail(std::to_string(bytes_.size()) + " unexpected trailing bytes");
    }
  }

  [[noreturn]] void fail(const std::string& reason) const {
    throw FormatError(what_ + ": " + reason);
  }

 private:
  std::span<const std::byte> bytes_;
  std::string what_;
};

}  // namespace ltz::formats
