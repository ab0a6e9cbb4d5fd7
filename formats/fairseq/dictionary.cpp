#include "formats/fairseq/dictionary.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <system_error>
#include <unordered_set>
#include <utility>
#include <vector>

#include "formats/bytes/text_lines.h"
#include "formats/bytes/utf8.h"
#include "model/base/context.h"
#include "model/base/error.h"
#include "model/text/white_space.h"

namespace ltz::formats {
namespace {

constexpr std::string_view kVersionMark = "#version:";

// Without the blank lines at the end, which people and editors leave there.
std::vector<std::string_view> written_lines(std::string_view text) {
  std::vector<std::string_view> lines = text_lines(text);
  while (!lines.empty() && strip(lines.back()).empty()) {
    lines.pop_back();
  }
  return lines;
}

// Calls parse(line) for the lines from `first` on; its errors get the file and the line number.
template <typename Parse>
void for_each_line(const std::vector<std::string_view>& lines, std::size_t first,
                   const std::string& name, Parse parse) {
  for (std::size_t i = first; i < lines.size(); ++i) {
    in_context(fmt::format("{}:{}", name, i + 1), [&] {
      if (!is_valid_utf8(lines[i])) {
        throw FormatError("expected UTF-8, found other bytes");
      }
      parse(lines[i]);
    });
  }
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// What Python's int() takes: any number of digits, with a sign or not, and single underscores
// between them.
bool is_integer(std::string_view text) {
  if (text.starts_with('+') || text.starts_with('-')) {
    text.remove_prefix(1);
  }
  bool digit_before = false;
  for (const char c : text) {
    if (!is_digit(c) && !(c == '_' && digit_before)) {
      return false;
    }
    digit_before = is_digit(c);
  }
  return digit_before;
}

// Splits a line at its last space, as rsplit(" ", 1) does.
std::optional<std::pair<std::string_view, std::string_view>> split_last(std::string_view line) {
  const std::size_t space = line.rfind(' ');
  if (space == std::string_view::npos) {
    return std::nullopt;
  }
  return std::pair(line.substr(0, space), line.substr(space + 1));
}

// The word of a line "word count" or "word count #fairseq:overwrite".
std::string_view dictionary_word(std::string_view line) {
  auto parts = split_last(strip_end(line));
  if (parts && parts->second == "#fairseq:overwrite") {
    parts = split_last(parts->first);
  }
  if (!parts || !is_integer(strip(parts->second))) {
    throw FormatError(fmt::format("expected \"word count\", found \"{}\"", line));
  }
  return parts->first;
}

// The columns of a line of codes.
std::vector<std::string_view> columns(std::string_view line) {
  constexpr std::string_view kStripped = "\r\n ";
  line.remove_prefix(std::min(line.find_first_not_of(kStripped), line.size()));
  line = line.substr(0, line.find_last_not_of(kStripped) + 1);
  std::vector<std::string_view> found;
  for (std::size_t start = 0; start <= line.size();) {
    const std::size_t end = std::min(line.find(' ', start), line.size());
    found.push_back(line.substr(start, end - start));
    start = end + 1;
  }
  return found;
}

// fastBPE's codes have no version; the third column of its lines is how often it saw the pair.
bool is_fast_bpe(std::string_view line) {
  const auto found = columns(line);
  return found.size() == 3 && is_integer(found[2]);
}

// Whether the line says "0.2", in any of the ways that subword-nmt takes for it ("0.2.0", "0.02").
bool is_version_0_2(std::string_view line) {
  if (!line.starts_with(kVersionMark)) {
    return false;
  }
  const auto words = unicode_words(line.substr(kVersionMark.size()));
  std::string_view version = words.empty() ? std::string_view() : words.back();
  std::vector<int> numbers;
  while (true) {
    int number = 0;
    const auto [stop, error] =
        std::from_chars(version.data(), version.data() + version.size(), number);
    if (error != std::errc() || number < 0) {
      return false;
    }
    numbers.push_back(number);
    version.remove_prefix(static_cast<std::size_t>(stop - version.data()));
    if (version.empty()) {
      break;
    }
    if (version.front() != '.') {
      return false;
    }
    version.remove_prefix(1);
  }
  while (numbers.size() > 2 && numbers.back() == 0) {
    numbers.pop_back();
  }
  return numbers == std::vector{0, 2};
}

}  // namespace

Vocabulary parse_dictionary(std::string_view text, const std::string& name) {
  const std::vector<std::string_view> lines = written_lines(text);
  if (lines.empty()) {
    throw FormatError(name + ": expected a dictionary, found an empty file");
  }
  std::vector<std::string> words;
  for_each_line(lines, 0, name,
                [&](std::string_view line) { words.emplace_back(dictionary_word(line)); });
  return in_context(name, [&] { return Vocabulary(std::move(words)); });
}

BpeMerges parse_bpe_codes(std::string_view text, const std::string& name, std::string_view kind) {
  const std::vector<std::string_view> lines = written_lines(text);
  const bool fast_bpe = !lines.empty() && is_fast_bpe(lines[0]);
  if (!fast_bpe && (lines.empty() || !is_version_0_2(lines[0]))) {
    throw FormatError(
        fmt::format("{}:1: expected \"#version: 0.2\", or fastBPE's \"left right count\", found "
                    "\"{}\"; code files of version 0.1 (also those without a version) end words "
                    "otherwise and are not supported",
                    name, lines.empty() ? "" : lines[0].substr(0, 80)));
  }
  if (!kind.empty() && (kind == "fastbpe") != fast_bpe) {
    throw FormatError(fmt::format("{}: expected codes of {}, found those of {}", name, kind,
                                  fast_bpe ? "fastBPE" : "subword-nmt"));
  }
  const std::size_t expected = fast_bpe ? 3 : 2;
  BpeMerges merges;
  std::unordered_set<std::string> seen;
  for_each_line(lines, fast_bpe ? 0 : 1, name, [&](std::string_view line) {
    const auto found = columns(line);
    if (found.size() != expected || found[0].empty() || found[1].empty()) {
      throw FormatError(fmt::format("expected two symbols{}, found \"{}\"",
                                    fast_bpe ? " and a count" : "", line));
    }
    if (seen.insert(fmt::format("{} {}", found[0], found[1])).second) {
      merges.emplace_back(found[0], found[1]);
    }
  });
  return merges;
}

}  // namespace ltz::formats
