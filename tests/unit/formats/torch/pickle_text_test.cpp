#include "formats/torch/pickle_text.h"

#include <catch2/catch.hpp>
#include <limits>

namespace ltz::formats {
namespace {

using namespace std::string_literals;

constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
constexpr auto kLeast = std::numeric_limits<std::int64_t>::min();

}  // namespace

TEST_CASE("pickle text: quoted strings as repr writes them") {
  CHECK(decode_quoted_string("''") == ""s);
  CHECK(decode_quoted_string("'a\"b'") == "a\"b"s);
  CHECK(decode_quoted_string("\"it's\"") == "it's"s);
  CHECK(decode_quoted_string(R"('\\ \' \" \n \r \t \a \b \f \v')") ==
        "\\ ' \" \n \r \t \a \b \f \v"s);
  CHECK(decode_quoted_string(R"('\x00\x7f\xe9')") == "\0\x7f\xe9"s);
  CHECK(decode_quoted_string(R"('\0')") == "\0"s);
}

TEST_CASE("pickle text: quoted strings that Python would not read") {
  for (const char* bad : {"", "'", "a", "'a", "a'", "'a\"", R"('\')", R"('\x')", R"('\x1')",
                          R"('\xg1')", R"('\x-1')", R"('\q')"}) {
    CAPTURE(bad);
    CHECK(decode_quoted_string(bad) == std::nullopt);
  }
}

TEST_CASE("pickle text: raw unicode is Latin-1 with escapes") {
  CHECK(decode_raw_unicode("") == ""s);
  CHECK(decode_raw_unicode("caf\xe9") == "caf\xc3\xa9"s);
  CHECK(decode_raw_unicode(R"(\u20ac \U0001f600)") == "\xe2\x82\xac \xf0\x9f\x98\x80"s);
  CHECK(decode_raw_unicode(R"(\n \ \)") == R"(\n \ \)"s);  // no other escapes
  for (const char* bad : {R"(\u)", R"(\u20a)", R"(\u20ag)", R"(\U0001f60)", R"(\U00110000)",
                          R"(\Uffffffff)", R"(\u-123)"}) {
    CAPTURE(bad);
    CHECK(decode_raw_unicode(bad) == std::nullopt);
  }
}

TEST_CASE("pickle text: decimal numbers") {
  CHECK(decode_decimal("0") == 0);
  CHECK(decode_decimal("-17") == -17);
  CHECK(decode_decimal("+17") == 17);
  CHECK(decode_decimal("9223372036854775807") == kMost);
  CHECK(decode_decimal("-9223372036854775808") == kLeast);
  for (const char* bad : {"", "+", "-", "+-1", "1.5", "0x10", " 1", "1 ", "9223372036854775808",
                          "-9223372036854775809"}) {
    CAPTURE(bad);
    CHECK(decode_decimal(bad) == std::nullopt);
  }
}

TEST_CASE("pickle text: floats as repr writes them") {
  CHECK(decode_float("0.1") == 0.1);
  CHECK(decode_float("-1e-05") == -1e-05);
  CHECK(decode_float("1e+300") == 1e+300);
  CHECK(decode_float("inf") == std::numeric_limits<double>::infinity());
  for (const char* bad : {"", "one", "1.5 ", "1,5"}) {
    CAPTURE(bad);
    CHECK(decode_float(bad) == std::nullopt);
  }
}

TEST_CASE("pickle text: integers in two's complement, short or long") {
  CHECK(decode_long("") == 0);
  CHECK(decode_long("\x7f") == 127);
  CHECK(decode_long("\x80") == -128);
  CHECK(decode_long("\xff\0"s) == 255);
  CHECK(decode_long("\xff\xff\xff") == -1);
  CHECK(decode_long(std::string(7, '\xff') + "\x7f") == kMost);
  CHECK(decode_long(std::string(7, '\0') + "\x80") == kLeast);
  CHECK(decode_long(std::string(7, '\xff') + "\x7f\0\0"s) == kMost);   // longer than necessary
  CHECK(decode_long(std::string(8, '\xff') + "\0"s) == std::nullopt);  // 2^64 - 1
  CHECK(decode_long(std::string(8, '\0') + "\xff") == std::nullopt);   // -2^64
  CHECK(decode_long(std::string(8, '\0') + "\x01") == std::nullopt);   // 2^64
}

}  // namespace ltz::formats
