#include "formats/bytes/base64.h"

#include <algorithm>
#include <cstdint>

#include "model/base/error.h"

namespace ltz::formats {
namespace {

constexpr std::string_view kDigits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

std::string base64(std::string_view bytes) {
  std::string text;
  for (; !bytes.empty(); bytes.remove_prefix(std::min<std::size_t>(bytes.size(), 3))) {
    const std::size_t count = std::min<std::size_t>(bytes.size(), 3);
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      group = group << 8 | (i < count ? static_cast<unsigned char>(bytes[i]) : 0u);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      text += i <= count ? kDigits[group >> (18 - 6 * i) & 63] : '=';
    }
  }
  return text;
}

std::string from_base64(std::string_view text) {
  std::string bytes;
  const std::size_t end = std::min(text.find('='), text.size());
  std::uint32_t group = 0;
  for (std::size_t i = 0; i < end; ++i) {
    const std::size_t digit = kDigits.find(text[i]);
    if (digit == std::string_view::npos) {
      throw FormatError("expected base64, found another character");
    }
    group = group << 6 | static_cast<std::uint32_t>(digit);
    if (i % 4 != 0) {
      bytes += static_cast<char>(group >> (6 - 2 * (i % 4)) & 0xFF);
    }
  }
  if (base64(bytes) != text) {
    throw FormatError("expected base64 as it is written, found a text of another form");
  }
  return bytes;
}

}  // namespace ltz::formats
