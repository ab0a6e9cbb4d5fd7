#pragma once

#include <string>
#include <string_view>

namespace ltz::formats {

// Bytes as text (RFC 4648, section 4), with padding.
std::string base64(std::string_view bytes);
// The inverse. Throws FormatError for anything that base64 does not write.
std::string from_base64(std::string_view text);

}  // namespace ltz::formats
