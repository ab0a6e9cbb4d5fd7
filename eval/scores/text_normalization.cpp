#include "eval/scores/text_normalization.h"

#include <utf8proc.h>

#include <algorithm>
#include <cstdint>
#include <span>

namespace ltz::eval {
namespace {

constexpr std::int32_t kCapitalIWithDot = 0x130;
constexpr std::int32_t kCombiningDot = 0x307;
constexpr std::int32_t kCapitalSigma = 0x3A3;
constexpr std::int32_t kFinalSigma = 0x3C2;

// A character of a line; a byte that is no UTF-8 is a character of its own, with no code point.
struct Character {
  std::int32_t code = -1;
  std::string_view bytes;
};

std::vector<Character> characters(std::string_view line) {
  std::vector<Character> result;
  while (!line.empty()) {
    Character character;
    const auto read = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(line.data()),
                                       static_cast<utf8proc_ssize_t>(line.size()), &character.code);
    const std::size_t size = read < 1 ? 1 : static_cast<std::size_t>(read);
    character.bytes = line.substr(0, size);
    result.push_back(character);
    line.remove_prefix(size);
  }
  return result;
}

void append(std::string& out, std::int32_t code) {
  utf8proc_uint8_t bytes[4];
  const auto size = utf8proc_encode_char(code, bytes);
  out.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
}

bool is_cased(const Character& c) {
  const auto category = c.code < 0 ? UTF8PROC_CATEGORY_CN : utf8proc_category(c.code);
  return category == UTF8PROC_CATEGORY_LU || category == UTF8PROC_CATEGORY_LL ||
         category == UTF8PROC_CATEGORY_LT;
}

// Unicode's Case_Ignorable: marks, modifiers, formats, and the punctuation that is found in words.
bool is_case_ignorable(const Character& c) {
  constexpr std::int32_t kInWords[] = {'\'',   '.',    ':',    0xB7,   0x387,  0x55F,
                                       0x5F4,  0x2018, 0x2019, 0x2024, 0x2027, 0xFE13,
                                       0xFE52, 0xFE55, 0xFF07, 0xFF0E, 0xFF1A};
  if (c.code < 0) {
    return false;
  }
  switch (utf8proc_category(c.code)) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_SK:
      return true;
    default:
      return std::ranges::find(kInWords, c.code) != std::end(kInWords);
  }
}

// Unicode's condition Final_Sigma: a cased letter before, none after, ignorable ones aside.
bool ends_word(std::span<const Character> line, std::size_t position) {
  std::size_t before = position;
  while (before > 0 && is_case_ignorable(line[before - 1])) {
    --before;
  }
  std::size_t after = position + 1;
  while (after < line.size() && is_case_ignorable(line[after])) {
    ++after;
  }
  return before > 0 && is_cased(line[before - 1]) &&
         (after == line.size() || !is_cased(line[after]));
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at)) {
    text.replace(at, from.size(), to);
    at += to.size();
  }
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_not_digit(char c) {
  return !is_digit(c);
}

bool is_stop(char c) {
  return c == '.' || c == ',';
}

bool is_hyphen(char c) {
  return c == '-';
}

// ASCII punctuation and symbols, but for apostrophe, comma, hyphen and full stop.
bool stands_alone(char c) {
  return (c >= '{' && c <= '~') || (c >= '[' && c <= '`') || (c >= ' ' && c <= '&') ||
         (c >= '(' && c <= '+') || (c >= ':' && c <= '@') || c == '/';
}

// What a regular expression of two character classes does: from left to right, spaces are put
// around the parts of a pair, and the search goes on behind it. Works on bytes: with classes of
// ASCII characters (or all but some of them) this is the same as on characters.
struct PairRule {
  bool (*first)(char);
  bool (*second)(char);
  std::string_view before;  // the first
  std::string_view after;   // the second

  std::string apply(std::string_view text) const {
    std::string result;
    result.reserve(text.size() + text.size() / 4);
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (i + 1 < text.size() && first(text[i]) && second(text[i + 1])) {
        result.append(before).append(1, text[i]).append(1, ' ').append(1, text[i + 1]);
        result.append(after);
        ++i;
      } else {
        result += text[i];
      }
    }
    return result;
  }
};

bool is_ascii_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

bool is_unicode_space(std::int32_t code) {
  return (code >= 0x09 && code <= 0x0D) || (code >= 0x1C && code <= 0x20) || code == 0x85 ||
         code == 0xA0 || code == 0x1680 || (code >= 0x2000 && code <= 0x200A) || code == 0x2028 ||
         code == 0x2029 || code == 0x202F || code == 0x205F || code == 0x3000;
}

}  // namespace

std::string split_compounds(std::string_view line) {
  std::string result;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (i + 2 < line.size() && !is_ascii_space(line[i]) && line[i + 1] == '-' &&
        !is_ascii_space(line[i + 2])) {
      result.append(1, line[i]).append(" ##AT##-##AT## ").append(1, line[i + 2]);
      i += 2;
    } else {
      result += line[i];
    }
  }
  return result;
}

std::string lower_case(std::string_view line) {
  const std::vector<Character> all = characters(line);
  std::string result;
  result.reserve(line.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::int32_t code = all[i].code;
    if (code < 0) {
      result += all[i].bytes;
    } else if (code == kCapitalIWithDot) {
      append(result, 'i');
      append(result, kCombiningDot);
    } else if (code == kCapitalSigma && ends_word(all, i)) {
      append(result, kFinalSigma);
    } else {
      append(result, utf8proc_tolower(code));
    }
  }
  return result;
}

std::string lower_ascii(std::string line) {
  std::ranges::for_each(
      line, [](char& c) { c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return line;
}

std::string tokenize_13a(std::string_view line) {
  std::string text(line);
  replace_all(text, "<skipped>", "");
  replace_all(text, "-\n", "");
  replace_all(text, "\n", " ");
  replace_all(text, "&quot;", "\"");
  replace_all(text, "&amp;", "&");
  replace_all(text, "&lt;", "<");
  replace_all(text, "&gt;", ">");
  std::string spaced = " ";
  for (const char c : text) {
    if (stands_alone(c)) {
      spaced.append(1, ' ').append(1, c).append(1, ' ');
    } else {
      spaced += c;
    }
  }
  spaced += ' ';
  constexpr PairRule kRules[] = {{is_not_digit, is_stop, "", " "},
                                 {is_stop, is_not_digit, " ", ""},
                                 {is_digit, is_hyphen, "", " "}};
  for (const PairRule& rule : kRules) {
    spaced = rule.apply(spaced);
  }
  return spaced;
}

std::vector<std::string_view> split_at_unicode_space(std::string_view line) {
  std::vector<std::string_view> words;
  std::size_t start = 0;
  std::size_t end = 0;
  const auto close = [&] {
    if (end > start) {
      words.push_back(line.substr(start, end - start));
    }
  };
  for (const Character& character : characters(line)) {
    if (is_unicode_space(character.code)) {
      close();
      start = end + character.bytes.size();
    }
    end += character.bytes.size();
  }
  close();
  return words;
}

std::vector<std::string_view> split_characters(std::string_view text) {
  std::vector<std::string_view> result;
  for (const Character& character : characters(text)) {
    result.push_back(character.bytes);
  }
  return result;
}

}  // namespace ltz::eval
