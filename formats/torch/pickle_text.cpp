#include "formats/torch/pickle_text.h"

#include <algorithm>
#include <charconv>
#include <system_error>

#include "formats/bytes/utf8.h"

namespace ltz::formats {
namespace {

// All of the text, or nothing.
template <typename Number, typename... Base>
std::optional<Number> parse_number(std::string_view text, Base... base) {
  Number number{};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number, base...);
  if (error != std::errc() || stop != end) {
    return std::nullopt;
  }
  return number;
}

std::optional<char> simple_escape(char letter) {
  static constexpr std::string_view kLetters = "\\'\"nrtabfv0";
  static constexpr std::string_view kMeanings{"\\'\"\n\r\t\a\b\f\v\0", 11};
  const std::size_t at = kLetters.find(letter);
  return at == std::string_view::npos ? std::nullopt : std::optional(kMeanings[at]);
}

}  // namespace

std::optional<std::string> decode_quoted_string(std::string_view text) {
  if (text.size() < 2 || text.front() != text.back() ||
      (text.front() != '\'' && text.front() != '"')) {
    return std::nullopt;
  }
  text = text.substr(1, text.size() - 2);
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    if (++i == text.size()) {
      return std::nullopt;
    }
    if (text[i] == 'x') {
      const auto code = text.size() - i > 2 ? parse_number<std::uint8_t>(text.substr(i + 1, 2), 16)
                                            : std::nullopt;
      if (!code) {
        return std::nullopt;
      }
      out += static_cast<char>(*code);
      i += 2;
    } else if (const auto letter = simple_escape(text[i])) {
      out += *letter;
    } else {
      return std::nullopt;
    }
  }
  return out;
}

std::optional<std::string> decode_raw_unicode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape =
        text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == 'u' || text[i + 1] == 'U');
    if (!escape) {
      append_utf8(out, static_cast<std::uint8_t>(text[i]));
      continue;
    }
    const std::size_t digits = text[i + 1] == 'u' ? 4 : 8;
    const auto code = text.size() - i - 2 >= digits
                          ? parse_number<std::uint32_t>(text.substr(i + 2, digits), 16)
                          : std::nullopt;
    if (!code || *code > 0x10ffff) {
      return std::nullopt;
    }
    append_utf8(out, static_cast<char32_t>(*code));
    i += 1 + digits;
  }
  return out;
}

std::optional<std::int64_t> decode_decimal(std::string_view text) {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) {
      return std::nullopt;
    }
  }
  return parse_number<std::int64_t>(text, 10);
}

std::optional<double> decode_float(std::string_view text) {
  return parse_number<double>(text);
}

std::optional<std::int64_t> decode_long(std::string_view bytes) {
  const auto byte_at = [&](std::size_t i) { return static_cast<std::uint8_t>(bytes[i]); };
  const bool negative = !bytes.empty() && byte_at(bytes.size() - 1) >= 0x80;
  const std::uint8_t extension = negative ? 0xff : 0x00;
  std::uint64_t value = negative ? ~std::uint64_t{0} : 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i >= 8) {
      if (byte_at(i) != extension) {
        return std::nullopt;
      }
    } else {
      value &= ~(std::uint64_t{0xff} << (8 * i));
      value |= std::uint64_t{byte_at(i)} << (8 * i);
    }
  }
  if (bytes.size() > 8 && ((value >> 63) != 0) != negative) {
    return std::nullopt;
  }
  return static_cast<std::int64_t>(value);
}

}  // namespace ltz::formats
