#include "formats/fairseq/dictionary.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdint>
#include <system_error>
#include <unordered_set>
#include <utility>
#include <vector>

#include "formats/bytes/utf8.h"
#include "model/base/context.h"
#include "model/base/error.h"

namespace ltz::formats {
namespace {

// Without the line feeds, and without the carriage returns of Windows in front of them. A line feed
// at the end of the text does not begin another line.
std::vector<std::string_view> split_lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t length = text.find('\n');
    std::string_view line = text.substr(0, length);
    text.remove_prefix(length == std::string_view::npos ? text.size() : length + 1);
    if (line.ends_with('\r')) {
      line.remove_suffix(1);
    }
    lines.push_back(line);
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

bool is_count(std::string_view text) {
  std::uint64_t count = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, count);
  return error == std::errc() && stop == end;
}

}  // namespace

Vocabulary parse_dictionary(std::string_view text, const std::string& name) {
  const std::vector<std::string_view> lines = split_lines(text);
  if (lines.empty()) {
    throw FormatError(name + ": expected a dictionary, found an empty file");
  }
  std::vector<std::string> words;
  std::unordered_set<std::string_view> seen;
  for_each_line(lines, 0, name, [&](std::string_view line) {
    const std::size_t space = line.rfind(' ');
    if (space == std::string_view::npos || space == 0 || !is_count(line.substr(space + 1))) {
      throw FormatError(fmt::format("expected \"word count\", found \"{}\"", line));
    }
    const std::string_view word = line.substr(0, space);
    if (!seen.insert(word).second) {
      throw FormatError(fmt::format("the word \"{}\" is there twice", word));
    }
    words.emplace_back(word);
  });
  return in_context(name, [&] { return Vocabulary(std::move(words)); });
}

BpeMerges parse_bpe_codes(std::string_view text, const std::string& name) {
  const std::vector<std::string_view> lines = split_lines(text);
  if (lines.empty() || lines[0] != "#version: 0.2") {
    throw FormatError(
        fmt::format("{}:1: expected \"#version: 0.2\", found \"{}\"; code files of version 0.1 "
                    "(also those without a version) end words otherwise and are not supported",
                    name, lines.empty() ? "" : lines[0].substr(0, 80)));
  }
  BpeMerges merges;
  std::unordered_set<std::string> seen;
  for_each_line(lines, 1, name, [&](std::string_view line) {
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos || space == 0 || space + 1 == line.size() ||
        line.find_first_of(" \t", space + 1) != std::string_view::npos) {
      throw FormatError(fmt::format("expected two symbols, found \"{}\"", line));
    }
    if (seen.emplace(line).second) {
      merges.emplace_back(line.substr(0, space), line.substr(space + 1));
    }
  });
  return merges;
}

}  // namespace ltz::formats
