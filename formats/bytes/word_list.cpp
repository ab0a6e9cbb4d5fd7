#include "formats/bytes/word_list.h"

#include <algorithm>
#include <unordered_set>

#include "model/base/error.h"

namespace ltz::formats {
namespace {

// White space other than a space is a character for subword-nmt.
bool is_symbol(std::string_view text) {
  return !text.empty() && text.find_first_of(" \r\n") == std::string_view::npos;
}

void require_line_end(std::string_view text) {
  if (!text.empty() && text.back() != '\n') {
    throw FormatError("the last line has no end");
  }
}

// A dictionary has hardly any words twice. Takes memory only for the lines that differ: repetitions
// pack to next to nothing.
void limit_repetitions(std::string_view text) {
  constexpr std::size_t kMost = 1000;
  std::unordered_set<std::string_view> seen;
  std::size_t repeated = 0;
  for (std::size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    const std::string_view line = text.substr(0, end);
    if (!seen.insert(line).second && ++repeated > kMost) {
      throw FormatError("the vocabulary has more than " + std::to_string(kMost) +
                        " words that it has already: \"" + std::string(line) + "\"");
    }
    text.remove_prefix(end + 1);
  }
}

}  // namespace

std::vector<std::string> merge_lines(const BpeMerges& merges) {
  std::vector<std::string> lines;
  lines.reserve(merges.size());
  for (const auto& [left, right] : merges) {
    lines.push_back(left + " " + right);
    if (!is_symbol(left) || !is_symbol(right)) {
      throw FormatError("merges: expected two symbols without spaces, found \"" + lines.back() +
                        "\"");
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
  lines.reserve(static_cast<std::size_t>(std::ranges::count(text, '\n')));
  require_line_end(text);
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  return lines;
}

Vocabulary vocabulary_from_lines(std::string_view text, int entries) {
  require_line_end(text);
  const auto found = std::ranges::count(text, '\n') + Vocabulary::kSpecials;
  if (found != entries) {
    throw ConfigError("expected " + std::to_string(entries) +
                      " entries (rows of the embedding), found " + std::to_string(found) +
                      " (special tokens included)");
  }
  limit_repetitions(text);
  return Vocabulary(split_lines(text));
}

}  // namespace ltz::formats
