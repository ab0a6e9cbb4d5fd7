#include "model/text/bpe.h"

#include <catch2/catch.hpp>

namespace ltz {
namespace {

std::vector<std::string> encode(const BpeMerges& merges, std::string_view word) {
  std::vector<std::string> subwords;
  BpeEncoder(merges).encode(word, subwords);
  return subwords;
}

using Subwords = std::vector<std::string>;

}  // namespace

TEST_CASE("merges are applied best first, and the end of a word is a symbol of its own") {
  const BpeMerges merges = {{"l", "o"}, {"lo", "w</w>"}, {"e", "r</w>"}};
  CHECK(encode(merges, "low") == Subwords{"low"});
  CHECK(encode(merges, "lower") == Subwords{"lo@@", "w@@", "er"});
  CHECK(encode(merges, "xyz") == Subwords{"x@@", "y@@", "z"});
  CHECK(encode(merges, "l") == Subwords{"l"});
}

TEST_CASE("every occurrence of a pair is merged, from the left") {
  CHECK(encode({{"a", "a"}}, "aaaab") == Subwords{"aa@@", "aa@@", "b"});
  CHECK(encode({{"a", "a"}}, "aaab") == Subwords{"aa@@", "a@@", "b"});
}

TEST_CASE("of two equal merges the first counts") {
  const BpeMerges merges = {{"a", "b"}, {"b", "c</w>"}, {"a", "b"}};
  CHECK(encode(merges, "abc") == Subwords{"ab@@", "c"});
}

TEST_CASE("characters are code points") {
  CHECK(encode({{"x", "y"}}, "é€") == Subwords{"é@@", "€"});
  CHECK(encode({{"é", "€</w>"}}, "é€") == Subwords{"é€"});
}

TEST_CASE("without merges words stay whole") {
  CHECK(encode({}, "low@@") == Subwords{"low@@"});
}

TEST_CASE("white space separates words, however much of it") {
  CHECK(split_words(" a  b\tc\r\n") == std::vector<std::string_view>{"a", "b", "c"});
  CHECK(split_words("").empty());
  CHECK(split_words(" \t ").empty());
}

TEST_CASE("subwords are joined again") {
  CHECK(remove_bpe({"lo@@", "w@@", "er", "tide"}) == "lower tide");
  CHECK(remove_bpe({"a", "open@@"}) == "a open");
  CHECK(remove_bpe({}).empty());
}

}  // namespace ltz
