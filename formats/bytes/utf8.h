#pragma once

#include <string>
#include <string_view>

namespace ltz::formats {

// True when the text is well-formed UTF-8 (Unicode 15, table 3-7): no overlong forms, no
// surrogates, nothing above U+10FFFF.
bool is_valid_utf8(std::string_view text);

// Appends the UTF-8 form of a code point, which is at most U+10FFFF; surrogates are encoded as they
// are, so that is_valid_utf8 refuses the result.
void append_utf8(std::string& out, char32_t code_point);

}  // namespace ltz::formats
