#include "cli/options/suggest.h"

#include <catch2/catch.hpp>

namespace ltz::cli {
namespace {

TEST_CASE("An edit distance counts insertions, deletions, replacements and swaps") {
  CHECK(edit_distance("", "") == 0);
  CHECK(edit_distance("", "bits") == 4);
  CHECK(edit_distance("bits", "") == 4);
  CHECK(edit_distance("bits", "bits") == 0);
  CHECK(edit_distance("bit", "bits") == 1);
  CHECK(edit_distance("bits", "bats") == 1);
  CHECK(edit_distance("bist", "bits") == 1);
  CHECK(edit_distance("kitten", "sitting") == 3);
  CHECK(edit_distance("abcdef", "badcfe") == 3);
}

TEST_CASE("The nearest word is suggested, if it is near enough") {
  CHECK(did_you_mean("quantise", {"quantize", "prune"}) == "; did you mean quantize?");
  CHECK(did_you_mean("--outptu", {"--output"}) == "; did you mean --output?");
  CHECK(did_you_mean("pak", {"pack", "unpack"}) == "; did you mean pack?");
  CHECK(did_you_mean("squeeze", {"quantize", "prune"}).empty());
  CHECK(did_you_mean("anything", {}).empty());
}

TEST_CASE("The beginning of a word stands for the word") {
  CHECK(did_you_mean("sens", {"sensitivity", "score"}) == "; did you mean sensitivity?");
  CHECK(did_you_mean("s", {"sensitivity", "score"}).empty());
}

}  // namespace
}  // namespace ltz::cli
