#include "formats/bytes/text_lines.h"

#include <algorithm>

namespace ltz::formats {

std::vector<std::string_view> text_lines(std::string_view text, LineEnds ends) {
  if (text.starts_with(kByteOrderMark)) {
    text.remove_prefix(kByteOrderMark.size());
  }
  const std::string_view stops = ends == LineEnds::kUniversal ? "\r\n" : "\n";
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(stops), text.size());
    std::string_view line = text.substr(0, end);
    const bool pair = text.substr(end).starts_with("\r\n");
    text.remove_prefix(std::min(end + (pair ? 2 : 1), text.size()));
    if (line.ends_with('\r')) {
      line.remove_suffix(1);
    }
    lines.push_back(line);
  }
  return lines;
}

}  // namespace ltz::formats
