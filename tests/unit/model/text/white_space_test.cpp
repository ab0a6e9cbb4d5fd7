#include "model/text/white_space.h"

#include <catch2/catch.hpp>
#include <string>

#include "formats/bytes/utf8.h"

namespace ltz {
namespace {

using Words = std::vector<std::string_view>;

// Those that str.isspace() of Python is true for: all of Unicode was tried.
constexpr char32_t kSpaces[] = {0x09,   0x0A,   0x0B,   0x0C,   0x0D,   0x1C,   0x1D,   0x1E,
                                0x1F,   0x20,   0x85,   0xA0,   0x1680, 0x2000, 0x2001, 0x2002,
                                0x2003, 0x2004, 0x2005, 0x2006, 0x2007, 0x2008, 0x2009, 0x200A,
                                0x2028, 0x2029, 0x202F, 0x205F, 0x3000};

std::string utf8(char32_t code_point) {
  std::string text;
  formats::append_utf8(text, code_point);
  return text;
}

}  // namespace

TEST_CASE("white space is what Python takes for it, and nothing else") {
  std::size_t found = 0;
  for (char32_t c = 0; c <= 0x10FFFF; ++c) {
    const std::size_t length = white_space_length(utf8(c) + "x");
    if (length != 0) {
      CAPTURE(static_cast<unsigned>(c));
      REQUIRE(found < std::size(kSpaces));
      CHECK(kSpaces[found++] == c);
      CHECK(length == utf8(c).size());
    }
  }
  CHECK(found == std::size(kSpaces));
}

TEST_CASE("words are what is between white space, however much of it") {
  CHECK(unicode_words(" a  b\tc\r\n") == Words{"a", "b", "c"});
  CHECK(unicode_words("").empty());
  CHECK(unicode_words(" \t \u00A0\u2028 ").empty());
  for (const char32_t space : kSpaces) {
    const std::string s = utf8(space);
    CAPTURE(static_cast<unsigned>(space));
    CHECK(unicode_words("a" + s + "b" + s + s + "c") == Words{"a", "b", "c"});
    CHECK(unicode_words(s + "a" + s) == Words{"a"});
    CHECK(strip(s + s + "a" + s + "b" + s) == "a" + s + "b");
    CHECK(strip_end(s + "a" + s + s) == s + "a");
  }
}

TEST_CASE("what only resembles white space is part of a word") {
  // A zero-width space, a word joiner, a byte order mark, a Mongolian vowel separator, and bytes
  // that are cut off.
  for (const std::string other :
       {"\u200B", "\u2060", "\uFEFF", "\u180E", "\xE2\x80", "\xC2", "\xA0", "\x85", "\xE3\x80"}) {
    CAPTURE(other);
    const std::string word = "a" + other + "b";
    CHECK(unicode_words(word) == Words{word});
    CHECK(strip(other + "a" + other) == other + "a" + other);
  }
}

TEST_CASE("programs that read bytes see the white space of ASCII only") {
  CHECK(split_words(" a  b\tc\r\n") == Words{"a", "b", "c"});
  CHECK(split_words("a\u00A0b\x1C\u3000") == Words{"a\u00A0b\x1C\u3000"});
  CHECK(split_words(" \t ").empty());
}

}  // namespace ltz
