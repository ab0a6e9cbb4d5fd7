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

TEST_CASE("a merge is made everywhere before a better one that it makes possible") {
  const BpeMerges merges = {{"ab", "a"}, {"a", "b"}, {"ab", "ab"}};
  CHECK(encode(merges, "ababx") == Subwords{"abab@@", "x"});
  CHECK(encode(merges, "abax") == Subwords{"aba@@", "x"});
}

TEST_CASE(
    "a word of 200,000 letters takes no time to speak of, and what it is merged into is right") {
  BpeMerges merges;
  for (std::string symbol = "a"; symbol.size() < 100'000; symbol += symbol) {
    merges.emplace_back(symbol, symbol);
  }
  const Subwords subwords = encode(merges, std::string(200'000, 'a'));
  std::size_t letters = 0;
  for (const std::string& subword : subwords) {
    letters += subword.size() - (subword.ends_with("@@") ? 2 : 0);
  }
  CHECK(letters == 200'000);
  CHECK(subwords.front().size() == 131'072 + 2);
  CHECK(subwords.size() == 12);  // ones in 199,999 as a binary number, and the last letter
}

TEST_CASE("spaces end words; other white space is a character of one, and ends tokens afterwards") {
  const BpeEncoder encoder({{"a", "b</w>"}, {"\u00A0", "c"}});
  const auto line = [&](std::string_view text) { return encoder.encode_line(text); };
  CHECK(line("  ab  ab ") == Subwords{"ab", "ab"});
  CHECK(line("ab\u00A0x") == Subwords{"a@@", "b@@", "@@", "x"});
  CHECK(line("x\tab") == Subwords{"x@@", "@@", "ab"});
  CHECK(line("x\u00A0cd") == Subwords{"x@@", "c@@", "d"});
  CHECK(line("\u3000ab\u2028\r\n") == Subwords{"ab"});
  CHECK(line("ab \u2009 ab") == Subwords{"ab", "ab"});
  CHECK(line("\u00A0 \t").empty());
  CHECK(line("").empty());
}

TEST_CASE("without merges all white space ends words") {
  CHECK(BpeEncoder().encode_line(" ab\u00A0x@@\tc ") == Subwords{"ab", "x@@", "c"});
}

TEST_CASE("subwords are joined again") {
  CHECK(remove_bpe({"lo@@", "w@@", "er", "tide"}) == "lower tide");
  CHECK(remove_bpe({"a", "open@@"}) == "a open");
  CHECK(remove_bpe({"a", "@@"}) == "a");
  CHECK(remove_bpe({"a", "@@", "b", "@@", "@@"}) == "a b");
  CHECK(remove_bpe({"@@@@", "b"}) == "@@b");
  CHECK(remove_bpe({"a@@ b", "c@@\u00A0"}) == "ab c@@");
  CHECK(remove_bpe({"", "a", ""}) == " a");
  CHECK(remove_bpe({}).empty());
}

}  // namespace ltz
