#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ltz::formats {

// The textual arguments of protocol 0, without the line feed that ends them. std::nullopt where
// Python would raise an error.

// 'text' or "text" with the escapes that Python's repr writes.
std::optional<std::string> decode_quoted_string(std::string_view text);
// Latin-1 with \uXXXX and \UXXXXXXXX for the rest; to UTF-8.
std::optional<std::string> decode_raw_unicode(std::string_view text);
// Decimal, with sign; std::nullopt also beyond 64 bits.
std::optional<std::int64_t> decode_decimal(std::string_view text);
// As repr writes a float.
std::optional<double> decode_float(std::string_view text);

// Two's complement, little-endian, the shortest form or longer (LONG1, LONG4); std::nullopt beyond
// 64 bits.
std::optional<std::int64_t> decode_long(std::string_view bytes);

}  // namespace ltz::formats
