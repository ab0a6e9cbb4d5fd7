#include <CLI/CLI.hpp>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "cli/options/options.h"

using namespace ltz::cli;
using Values = std::vector<double>;

TEST_CASE("a range has its first and last number") {
  CHECK(parse_range("2:5") == Values{2, 3, 4, 5});
  CHECK(parse_range("0.5:2:0.5") == Values{0.5, 1, 1.5, 2});
  CHECK(parse_range("3:3") == Values{3});
  CHECK(parse_range("-1:1") == Values{-1, 0, 1});
}

TEST_CASE("rounding neither loses the last number of a range nor leaves digits behind") {
  CHECK(parse_range("0.1:0.9:0.1") == Values{0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9});
}

TEST_CASE("a step that does not meet the last number ends near it") {
  CHECK(parse_range("0:1:0.3") == Values{0, 0.3, 0.6, 0.9});
  CHECK(parse_range("0:1:0.7") == Values{0, 0.7});
}

TEST_CASE("a list is taken as it is") {
  CHECK(parse_range("0.3,0.5") == Values{0.3, 0.5});
  CHECK(parse_range("8,2,2") == Values{8, 2, 2});
  CHECK(parse_range("4") == Values{4});
}

TEST_CASE("what is neither a range nor a list is refused") {
  const std::string text = GENERATE("", "a", "1,b", "1:b", "1:2:x", "0.9:0.1", "0:1:0", "0:1:-0.1",
                                    "1:2:3:4", "1,,2", "1,", ",1", "1:2:", ":2");
  CAPTURE(text);
  CHECK_THROWS_AS(parse_range(text), CLI::ValidationError);
}

TEST_CASE("a range has at most 1001 numbers") {
  CHECK(parse_range("0:1000").size() == 1001);
  CHECK_THROWS_AS(parse_range("0:1001"), CLI::ValidationError);
}
