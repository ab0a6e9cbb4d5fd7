#include "model/text/sentence_piece_normalizer.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace ltz {
namespace {

constexpr std::string_view kSpaceMark = "\xE2\x96\x81";
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // of a byte that is no UTF-8

std::size_t length_by_first_byte(char first) {
  const auto byte = static_cast<unsigned char>(first);
  return byte < 0xC0 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

// Whether the text begins with a character in well-formed UTF-8.
bool begins_with_character(std::string_view text) {
  const std::size_t length = length_by_first_byte(text.front());
  if (length > text.size()) {
    return false;
  }
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (length == 1) {
    return at(0) < 0x80;
  }
  char32_t value = at(0) & (0xFFu >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((at(i) & 0xC0) != 0x80) {
      return false;
    }
    value = (value << 6) | (at(i) & 0x3Fu);
  }
  constexpr std::array<char32_t, 5> kFirst = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
  return at(0) < 0xF8 && value >= kFirst[length] && value <= 0x10FFFF && !surrogate;
}

}  // namespace

std::size_t character_length(std::string_view text) {
  return std::min(length_by_first_byte(text.front()), text.size());
}

SentencePieceNormalizer::SentencePieceNormalizer(const SentencePieceModel& model)
    : model_(model), user_defined_(model.pieces, {SentencePieceModel::Type::kUserDefined}) {}

std::size_t SentencePieceNormalizer::user_defined_length(std::string_view text) const {
  std::size_t longest = 0;
  user_defined_.for_each_beginning(text,
                                   [&](std::size_t length, std::size_t) { longest = length; });
  return longest;
}

// A double array as Darts-clone has it: a unit has the label that leads to it, the offset to what
// follows it, and whether a value does.
std::pair<std::size_t, std::size_t> SentencePieceNormalizer::longest_rule(
    std::string_view text) const {
  const auto& units = model_.trie;
  const auto offset = [](std::uint32_t unit) {
    return std::size_t{unit >> 10} << ((unit & (1u << 9)) >> 6);
  };
  std::pair<std::size_t, std::size_t> longest{0, 0};
  if (units.empty()) {
    return longest;
  }
  std::size_t node = offset(units[0]);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    node ^= byte;
    if (node >= units.size() || (units[node] & (1u << 31 | 0xFFu)) != byte) {
      break;
    }
    const std::uint32_t unit = units[node];
    node ^= offset(unit);
    if ((unit >> 8 & 1) != 0 && node < units.size()) {
      longest = {i + 1, units[node] & ~(1u << 31)};
    }
  }
  return longest;
}

std::pair<std::string_view, std::size_t> SentencePieceNormalizer::replacement(
    std::string_view text) const {
  if (const std::size_t length = user_defined_length(text)) {
    return {text.substr(0, length), length};
  }
  const auto [length, start] = longest_rule(text);
  if (length > 0) {
    const std::string_view rest =
        std::string_view(model_.replacements).substr(std::min(start, model_.replacements.size()));
    return {rest.substr(0, rest.find('\0')), length};
  }
  if (!begins_with_character(text)) {
    return {kReplacement, 1};
  }
  return {text.substr(0, character_length(text)), character_length(text)};
}

std::string SentencePieceNormalizer::normalize(std::string_view text) const {
  const std::string_view space = model_.escape_spaces ? kSpaceMark : " ";
  bool after_space = model_.remove_extra_spaces;
  while (after_space && !text.empty()) {
    const auto [part, length] = replacement(text);
    if (part != " ") {
      break;
    }
    text.remove_prefix(length);
  }
  std::string out;
  if (text.empty()) {
    return out;
  }
  if (model_.add_space && !model_.space_behind_words) {
    out += space;
  }
  while (!text.empty()) {
    auto [part, length] = replacement(text);
    text.remove_prefix(length);
    while (after_space && part.starts_with(' ')) {
      part.remove_prefix(1);
    }
    for (const char c : part) {
      out += c == ' ' ? space : std::string_view(&c, 1);
    }
    if (!part.empty()) {
      after_space = model_.remove_extra_spaces && part.ends_with(' ');
    }
  }
  while (model_.remove_extra_spaces && out.ends_with(space)) {
    out.erase(out.size() - space.size());
  }
  if (model_.add_space && model_.space_behind_words) {
    out += space;
  }
  return out;
}

}  // namespace ltz
