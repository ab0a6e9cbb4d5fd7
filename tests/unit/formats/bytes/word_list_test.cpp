#include "formats/bytes/word_list.h"

#include <catch2/catch.hpp>
#include <string>

#include "model/base/error.h"

using namespace ltz;
using namespace ltz::formats;
using Catch::Matchers::Contains;

TEST_CASE("words of any kind come back from lines") {
  const std::vector<std::string> words = {"a", "", "new york", "a", "\u00A0", "<pad>"};
  CHECK(vocabulary_from_lines(join_lines(words), 10).words() == words);
  CHECK_THROWS_AS(vocabulary_from_lines("a\nb", 6), FormatError);
  CHECK_THROWS_AS(vocabulary_from_lines("a\n", 6), ConfigError);
}

TEST_CASE("few words of a vocabulary may be there twice") {
  std::string text;
  for (int i = 0; i < 1000; ++i) {
    text += "a\n";
  }
  CHECK(vocabulary_from_lines(text + "a\n", 1005).id("a") == 1004);
  CHECK_THROWS_WITH(vocabulary_from_lines(text + "a\na\n", 1006), Contains("more than 1000"));
}

TEST_CASE("merges come back from lines, with all that subword-nmt takes for characters") {
  const BpeMerges merges = {{"a", "b</w>"}, {"\u00A0", "\t"}};
  CHECK(merges_from_lines(merge_lines(merges)) == merges);
  for (const BpeMerges& bad :
       {BpeMerges{{"a", ""}}, BpeMerges{{"a b", "c"}}, BpeMerges{{"a", "\n"}}}) {
    CHECK_THROWS_AS(merge_lines(bad), FormatError);
  }
}
