#pragma once

#include <string_view>
#include <vector>

namespace ltz::formats {

// What some editors put in front of a text in UTF-8; it does not belong to the text.
inline constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

enum class LineEnds {
  kUniversal,  // LF, CR or CR LF: what Python reads, and so fairseq and subword-nmt
  kLineFeed,   // LF or CR LF: what Perl and sacreBLEU read
};

// The lines of a text without their ends and without a byte order mark. An end of line at the end
// of the text does not begin another line.
std::vector<std::string_view> text_lines(std::string_view text,
                                         LineEnds ends = LineEnds::kUniversal);

}  // namespace ltz::formats
