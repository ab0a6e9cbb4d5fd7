#include "formats/word_list.h"

#include "model/error.h"

namespace ltz::formats {
namespace {

bool is_symbol(std::string_view text) {
  return !text.empty() && text.find_first_of(" \t\r\n\v\f") == std::string_view::npos;
}

}  // namespace

std::vector<std::string> merge_lines(const BpeMerges& merges) {
  std::vector<std::string> lines;
  lines.reserve(merges.size());
  for (const auto& [left, right] : merges) {
    lines.push_back(left + " " + right);
    if (!is_symbol(left) || !is_symbol(right)) {
      throw FormatError("merges: expected two symbols without white space, found \"" +
                        lines.back() + "\"");
    }
  }
  return lines;
}

BpeMerges merges_from_lines(std::span<const std::string> lines) {
  BpeMerges merges;
  merges.reserve(lines.size());
  for (const std::string& line : lines) {
    const std::size_t space = line.find(' ');
    if (space == std::string::npos || !is_symbol(line.substr(0, space)) ||
        !is_symbol(line.substr(space + 1))) {
      throw FormatError("merges: expected \"left right\", found \"" + line + "\"");
    }
    merges.emplace_back(line.substr(0, space), line.substr(space + 1));
  }
  return merges;
}

std::string join_lines(std::span<const std::string> lines) {
  std::string text;
  for (const std::string& line : lines) {
    text += line;
    text += '\n';
  }
  return text;
}

std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) {
      throw FormatError("the last line has no end");
    }
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  return lines;
}

}  // namespace ltz::formats
