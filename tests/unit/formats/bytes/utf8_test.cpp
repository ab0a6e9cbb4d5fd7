#include "formats/bytes/utf8.h"

#include <catch2/catch.hpp>

namespace ltz::formats {
namespace {

std::string encoded(char32_t code_point) {
  std::string text;
  append_utf8(text, code_point);
  return text;
}

}  // namespace

TEST_CASE("utf8: each length has its first and last code point") {
  CHECK(encoded(0) == std::string(1, '\0'));
  CHECK(encoded(0x7F) == "\x7F");
  CHECK(encoded(0x80) == "\xC2\x80");
  CHECK(encoded(0x7FF) == "\xDF\xBF");
  CHECK(encoded(0x800) == "\xE0\xA0\x80");
  CHECK(encoded(0xFFFF) == "\xEF\xBF\xBF");
  CHECK(encoded(0x10000) == "\xF0\x90\x80\x80");
  CHECK(encoded(0x10FFFF) == "\xF4\x8F\xBF\xBF");
}

TEST_CASE("utf8: every code point but the surrogates is valid") {
  std::string all;
  bool surrogate_passed = false;
  for (char32_t code_point = 0; code_point <= 0x10FFFF; ++code_point) {
    if (code_point < 0xD800 || code_point > 0xDFFF) {
      append_utf8(all, code_point);
    } else {
      surrogate_passed = surrogate_passed || is_valid_utf8(encoded(code_point));
    }
  }
  CHECK(is_valid_utf8(all));
  CHECK(!surrogate_passed);
}

TEST_CASE("utf8: what is malformed is refused, wherever it stands") {
  CHECK(is_valid_utf8(""));
  for (const std::string bad : {"\x80", "\xBF",                             // nothing before it
                                "\xC3", "\xE2\x82", "\xF0\x9F\x98",         // cut off
                                "\xC3(", "\xE2(\x82", "\xE2\x82(",          // cut off by a letter
                                "\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF",     // overlong
                                "\xF0\x8F\xBF\xBF",                         // overlong
                                "\xF4\x90\x80\x80", "\xF5\x80\x80\x80",     // above U+10FFFF
                                "\xF8\x88\x80\x80\x80", "\xFE", "\xFF"}) {  // no first bytes
    CAPTURE(bad);
    CHECK(!is_valid_utf8(bad));
    CHECK(!is_valid_utf8("before " + bad));
    CHECK(!is_valid_utf8(bad + " behind"));
  }
}

}  // namespace ltz::formats
