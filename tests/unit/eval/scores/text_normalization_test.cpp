#include "eval/scores/text_normalization.h"

#include <catch2/catch.hpp>

namespace ltz::eval {
namespace {

// The tokens of 13a, with one space between them.
std::string tokens(std::string_view line) {
  const std::string text = tokenize_13a(line);
  std::string joined;
  for (const std::string_view word : split_at_unicode_space(text)) {
    joined += (joined.empty() ? "" : " ") + std::string(word);
  }
  return joined;
}

}  // namespace

TEST_CASE("13a: punctuation stands alone, but not apostrophe and hyphen") {
  CHECK(tokens("Hello, world! (It's a well-known \"test\".)") ==
        "Hello , world ! ( It's a well-known \" test \" . )");
  CHECK(tokens("a/b@c#d_e~f") == "a / b @ c # d _ e ~ f");
  CHECK(tokens("") == "");
  CHECK(tokens(" \t ") == "");
}

TEST_CASE("13a: stops between digits stay, a hyphen after a digit leaves") {
  CHECK(tokens("1,000.5 is 3.") == "1,000.5 is 3 .");
  CHECK(tokens(".5 a.5 5.a") == ". 5 a . 5 5 . a");
  CHECK(tokens("1990-95, mid-1990s") == "1990 - 95 , mid-1990s");
  CHECK(tokens("1..2 a...b") == "1 . . 2 a . . . b");
  CHECK(tokens("3-4-a") == "3 - 4 - a");
}

TEST_CASE("13a: entities, and what a line break splits") {
  CHECK(tokens("&quot;a&quot; &amp;lt; &lt;b&gt;") == "\" a \" < < b >");
  CHECK(tokens("a<skipped>b") == "ab");
  CHECK(tokens("com-\nputer\nscience") == "computer science");
}

TEST_CASE("13a: letters beyond ASCII are no punctuation, spaces beyond ASCII are spaces") {
  CHECK(tokens("\u00e9t\u00e9. \u201cd\u00e9j\u00e0\u201d") ==
        "\u00e9t\u00e9 . \u201cd\u00e9j\u00e0\u201d");
  CHECK(tokens("a\u00a0b\u3000c\u2009d\x1f"
               "e") == "a b c d e");
  CHECK(tokens("\xff.\xc3") == "\xff . \xc3");
}

TEST_CASE("compounds are split as by the Perl script") {
  CHECK(split_compounds("rich-text format") == "rich ##AT##-##AT## text format");
  // Checked with perl 5.36: a match consumes the character behind the hyphen.
  CHECK(split_compounds("a-b-c-d") == "a ##AT##-##AT## b-c ##AT##-##AT## d");
  CHECK(split_compounds("aa-bb-cc") == "aa ##AT##-##AT## bb ##AT##-##AT## cc");
  CHECK(split_compounds("x--y") == "x ##AT##-##AT## -y");
  CHECK(split_compounds("\u00e9-\u00e0") == "\u00e9 ##AT##-##AT## \u00e0");
  for (const char* unchanged : {"", "-", "a-", "-a", "a - b", "a- b", "a -b"}) {
    CHECK(split_compounds(unchanged) == unchanged);
  }
}

TEST_CASE("lower case is Unicode's") {
  CHECK(lower_case("ABC \u00c9\u00c0\u0152 \u0416 \u00df 12") ==
        "abc \u00e9\u00e0\u0153 \u0436 \u00df 12");
  CHECK(lower_case("\u0130") == "i\u0307");
  CHECK(lower_case("A\xff\xc3Z") == "a\xff\xc3z");
  CHECK(lower_case("") == "");
}

TEST_CASE("a capital sigma at the end of a word has its own form") {
  CHECK(lower_case("\u039f\u0394\u039f\u03a3") == "\u03bf\u03b4\u03bf\u03c2");
  CHECK(lower_case("\u03a3\u0391\u03a3\u0391") == "\u03c3\u03b1\u03c3\u03b1");
  // Alone it does not end a word; a full stop belongs to a word if a letter follows.
  CHECK(lower_case("\u03a3") == "\u03c3");
  CHECK(lower_case("\u0391\u03a3. \u0391\u03a3.\u0391") == "\u03b1\u03c2. \u03b1\u03c3.\u03b1");
}

}  // namespace ltz::eval
