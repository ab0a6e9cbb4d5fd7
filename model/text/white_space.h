#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace ltz {

// White space as Python's str.isspace, str.split and \s have it, and so fairseq: besides the six
// characters of C also U+001C to U+001F, U+0085, U+00A0, U+1680, U+2000 to U+200A, U+2028, U+2029,
// U+202F, U+205F and U+3000, in UTF-8. Other bytes may be anything.

// Bytes of the white-space character that the text begins with; 0: it begins with none.
std::size_t white_space_length(std::string_view text);

// Without the white space at its end, or at both ends.
std::string_view strip_end(std::string_view text);
std::string_view strip(std::string_view text);

// What is between white space, as str.split has it.
std::vector<std::string_view> unicode_words(std::string_view line);

// The same with the six characters of C only: what multi-bleu.perl and ROUGE-1.5.5 see, which read
// bytes.
std::vector<std::string_view> split_words(std::string_view line);

}  // namespace ltz
