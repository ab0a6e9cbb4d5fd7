#include "model/text/white_space.h"

#include <algorithm>
#include <array>

namespace ltz {
namespace {

constexpr std::string_view kAsciiSpace = " \t\r\n\v\f";

// Beyond one byte. U+2000 to U+200A are a range of the last byte.
constexpr std::array<std::string_view, 8> kWideSpaces = {
    "\xC2\x85",     "\xC2\xA0",     "\xE1\x9A\x80", "\xE2\x80\xA8",
    "\xE2\x80\xA9", "\xE2\x80\xAF", "\xE2\x81\x9F", "\xE3\x80\x80"};
constexpr std::string_view kQuads = "\xE2\x80";

bool is_space_byte(unsigned char byte) {
  return byte == ' ' || (byte >= '\t' && byte <= '\r') || (byte >= 0x1C && byte <= 0x1F);
}

}  // namespace

std::size_t white_space_length(std::string_view text) {
  if (text.empty()) {
    return 0;
  }
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x80) {
    return is_space_byte(first) ? 1 : 0;
  }
  if (text.size() > kQuads.size() && text.starts_with(kQuads)) {
    const auto last = static_cast<unsigned char>(text[kQuads.size()]);
    if (last >= 0x80 && last <= 0x8A) {
      return kQuads.size() + 1;
    }
  }
  for (const std::string_view space : kWideSpaces) {
    if (text.starts_with(space)) {
      return space.size();
    }
  }
  return 0;
}

std::string_view strip_end(std::string_view text) {
  constexpr std::size_t kLongest = 3;  // bytes of such a character
  for (bool found = true; found;) {
    found = false;
    for (std::size_t length = 1; !found && length <= std::min(kLongest, text.size()); ++length) {
      found = white_space_length(text.substr(text.size() - length)) == length;
      if (found) {
        text.remove_suffix(length);
      }
    }
  }
  return text;
}

std::string_view strip(std::string_view text) {
  while (const std::size_t length = white_space_length(text)) {
    text.remove_prefix(length);
  }
  return strip_end(text);
}

std::vector<std::string_view> unicode_words(std::string_view line) {
  std::vector<std::string_view> words;
  std::size_t start = 0;
  for (std::size_t i = 0; i <= line.size();) {
    const std::size_t space = i < line.size() ? white_space_length(line.substr(i)) : 1;
    if (space != 0 && i > start) {
      words.push_back(line.substr(start, i - start));
    }
    i += std::max<std::size_t>(space, 1);
    if (space != 0) {
      start = i;
    }
  }
  return words;
}

std::vector<std::string_view> split_words(std::string_view line) {
  std::vector<std::string_view> words;
  std::size_t start = line.find_first_not_of(kAsciiSpace);
  while (start != std::string_view::npos) {
    const std::size_t end = std::min(line.find_first_of(kAsciiSpace, start), line.size());
    words.push_back(line.substr(start, end - start));
    start = line.find_first_not_of(kAsciiSpace, end);
  }
  return words;
}

}  // namespace ltz
