#include "cli/options/values.h"

#include <catch2/catch.hpp>

namespace ltz::cli {
namespace {

TEST_CASE("Bytes are a whole number, or a number with a unit of 1000 or 1024") {
  CHECK(parse_bytes("0") == 0);
  CHECK(parse_bytes("900000") == 900'000);
  CHECK(parse_bytes("12B") == 12);
  CHECK(parse_bytes("900KB") == 900'000);
  CHECK(parse_bytes("1mb") == 1'000'000);
  CHECK(parse_bytes("2GB") == 2'000'000'000);
  CHECK(parse_bytes("1KiB") == 1024);
  CHECK(parse_bytes("1.5MiB") == 1'572'864);
  CHECK(parse_bytes("1GiB") == 1'073'741'824);
}

TEST_CASE("A fraction of a byte is left out where there is a unit") {
  CHECK(parse_bytes("0.0015KB") == 1);
}

TEST_CASE("What is no number of bytes is refused") {
  const auto* text = GENERATE("", "KB", "1M", "1K", "1 MB", "1.5", "-1", "-1KB", "1,000", "1e30GB",
                              "nan", "inf", "0x10", "1MBs", "MB1");
  CAPTURE(text);
  CHECK_THROWS_AS(parse_bytes(text), CLI::ValidationError);
}

TEST_CASE("Limits of numbers are inclusive, but for `above`") {
  std::string edge = "8";
  CHECK(between(1, 8)(edge).empty());
  CHECK(at_least(8)(edge).empty());
  CHECK(above(8)(edge) == "expected a number above 8, found 8");
  edge = "8.1";
  CHECK(between(1, 8)(edge) == "expected a number from 1 to 8, found 8.1");
  CHECK(at_least(9)(edge) == "expected a number of at least 9, found 8.1");
  edge = "nan";
  CHECK_FALSE(between(1, 8)(edge).empty());
  CHECK_FALSE(above(0)(edge).empty());
}

TEST_CASE("The values of a list are checked one by one") {
  CHECK_NOTHROW(require_range("--sparsity", {0.0, 0.5, 1.0}, {0.0, 1.0}));
  CHECK_THROWS_WITH(require_range("--sparsity", {0.5, 1.5}, {0.0, 1.0}),
                    "--sparsity: expected numbers from 0 to 1, found 1.5");
}

}  // namespace
}  // namespace ltz::cli
