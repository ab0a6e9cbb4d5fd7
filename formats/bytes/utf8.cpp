#include "formats/bytes/utf8.h"

#include <cstddef>
#include <cstdint>

namespace ltz::formats {
namespace {

struct Sequence {
  std::size_t length;  // 0: no character starts with this byte
  std::uint8_t second_min;
  std::uint8_t second_max;
};

// The second byte's range is what excludes overlong forms and surrogates.
Sequence sequence_of(std::uint8_t first) {
  if (first < 0x80) return {1, 0, 0};
  if (first < 0xc2) return {0, 0, 0};
  if (first < 0xe0) return {2, 0x80, 0xbf};
  if (first == 0xe0) return {3, 0xa0, 0xbf};
  if (first == 0xed) return {3, 0x80, 0x9f};
  if (first < 0xf0) return {3, 0x80, 0xbf};
  if (first == 0xf0) return {4, 0x90, 0xbf};
  if (first < 0xf4) return {4, 0x80, 0xbf};
  if (first == 0xf4) return {4, 0x80, 0x8f};
  return {0, 0, 0};
}

}  // namespace

bool is_valid_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const Sequence sequence = sequence_of(static_cast<std::uint8_t>(text[i]));
    if (sequence.length == 0 || sequence.length > text.size() - i) {
      return false;
    }
    for (std::size_t k = 1; k < sequence.length; ++k) {
      const auto byte = static_cast<std::uint8_t>(text[i + k]);
      const std::uint8_t low = k == 1 ? sequence.second_min : std::uint8_t{0x80};
      const std::uint8_t high = k == 1 ? sequence.second_max : std::uint8_t{0xbf};
      if (byte < low || byte > high) {
        return false;
      }
    }
    i += sequence.length;
  }
  return true;
}

void append_utf8(std::string& out, char32_t code_point) {
  const auto continuation = [&](int shift) {
    out += static_cast<char>(0x80 | ((code_point >> shift) & 0x3f));
  };
  if (code_point < 0x80) {
    out += static_cast<char>(code_point);
  } else if (code_point < 0x800) {
    out += static_cast<char>(0xc0 | (code_point >> 6));
    continuation(0);
  } else if (code_point < 0x10000) {
    out += static_cast<char>(0xe0 | (code_point >> 12));
    continuation(6);
    continuation(0);
  } else {
    out += static_cast<char>(0xf0 | (code_point >> 18));
    continuation(12);
    continuation(6);
    continuation(0);
  }
}

}  // namespace ltz::formats
