#include "formats/fairseq/dictionary.h"

#include <catch2/catch.hpp>
#include <string>

#include "model/base/error.h"

using namespace ltz;
using namespace ltz::formats;
using Catch::Matchers::Contains;

namespace {

void refuses_dictionary(const std::string& text, const std::string& reason) {
  CAPTURE(text);
  REQUIRE_THROWS_AS(parse_dictionary(text, "d.txt"), FormatError);
  CHECK_THROWS_WITH(parse_dictionary(text, "d.txt"), Contains(reason));
}

void refuses_codes(const std::string& text, const std::string& reason) {
  CAPTURE(text);
  REQUIRE_THROWS_AS(parse_bpe_codes(text, "bpe.codes"), FormatError);
  CHECK_THROWS_WITH(parse_bpe_codes(text, "bpe.codes"), Contains(reason));
}

}  // namespace

TEST_CASE("words of a dictionary follow the special tokens") {
  const Vocabulary vocabulary = parse_dictionary("the 10\n\xc3\xa9t@@ 3\r\nlast 0", "d.txt");
  CHECK(vocabulary.size() == 7);
  CHECK(vocabulary.id("the") == 4);
  CHECK(vocabulary.id("\xc3\xa9t@@") == 5);
  CHECK(vocabulary.word(6) == "last");
}

TEST_CASE("a dictionary that is none is refused with the line") {
  refuses_dictionary("", "d.txt: expected a dictionary, found an empty file");
  refuses_dictionary("a 1\nword\n", "d.txt:2: expected \"word count\"");
  refuses_dictionary("a 1\n\nb 2\n", "d.txt:2:");
  for (const char* count : {"1.5", "+", "-", "--1", "_1", "1_", "1__0", "0x1", "one", ""}) {
    refuses_dictionary("a 1\nb " + std::string(count) + "\n", "d.txt:2: expected \"word count\"");
  }
  refuses_dictionary("a\t1\n", "d.txt:1:");
  refuses_dictionary("a #fairseq:overwrite\n", "d.txt:1:");
  refuses_dictionary("\n\n", "d.txt: expected a dictionary, found an empty file");
}

TEST_CASE("a dictionary is read as leniently as by fairseq") {
  const auto words = [](const std::string& text) { return parse_dictionary(text, "d").words(); };
  using Words = std::vector<std::string>;
  CHECK(words("\xEF\xBB\xBF"
              "a 1\r\nb 2\rc 3") == Words{"a", "b", "c"});
  CHECK(words("a +5\nb -0\nc -12\nd 007\ne 99999999999999999999999\nf 1_000\n") ==
        Words{"a", "b", "c", "d", "e", "f"});
  CHECK(words("a 1 \nb 2\t\u00A0\nc \t3\n\n \n\r\n") == Words{"a", "b", "c"});
  CHECK(words("new york 3\n 4\nc  5\n\u00A0 6\n\u2028x 7\n") ==
        Words{"new york", "", "c ", "\u00A0", "\u2028x"});
  CHECK(words("a 1\na 2 #fairseq:overwrite\n<pad> 3 #fairseq:overwrite\na 4\n") ==
        Words{"a", "a", "<pad>", "a"});
  CHECK(words(std::string("a\0b 1\n", 6)) == Words{std::string("a\0b", 3)});
}

TEST_CASE("text that is not UTF-8 is refused") {
  for (const char* bad : {"\xff", "\xc3", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\x80"}) {
    refuses_dictionary("a 1\n" + std::string(bad) + " 1\n", "d.txt:2: expected UTF-8");
    refuses_codes("#version: 0.2\n" + std::string(bad) + " b\n", "bpe.codes:2: expected UTF-8");
  }
}

TEST_CASE("merges in the order of the file, the first of two equal ones") {
  const BpeMerges merges = parse_bpe_codes("#version: 0.2\nt h\nth e</w>\nt h\n", "bpe.codes");
  CHECK(merges == BpeMerges{{"t", "h"}, {"th", "e</w>"}});
  CHECK(parse_bpe_codes("#version: 0.2\n", "bpe.codes").empty());
}

TEST_CASE("codes of other versions and broken lines are refused") {
  refuses_codes("", "#version: 0.2");
  for (const char* version : {"0.1", "0.20", "0.2.1", "2", "1.0", "0.2a", "", "0.", "0..2"}) {
    refuses_codes("#version: " + std::string(version) + "\na b\n", "bpe.codes:1:");
  }
  refuses_codes("a b\n", "version 0.1");
  refuses_codes("#version: 0.2\na\n", "bpe.codes:2: expected two symbols");
  refuses_codes("#version: 0.2\na b c\n", "bpe.codes:2:");
  refuses_codes("#version: 0.2\na b\n\nc d\n", "bpe.codes:3:");
  refuses_codes("#version: 0.2\na \n", "bpe.codes:2:");
  refuses_codes("#version: 0.2\na  b\n", "bpe.codes:2:");
  refuses_codes("a b 3\na b\n", "bpe.codes:2: expected two symbols and a count");
}

TEST_CASE("codes are read as leniently as by subword-nmt") {
  const BpeMerges merges = {{"t", "h"}, {"th", "e</w>"}};
  for (const char* version :
       {"#version: 0.2", "#version:0.2", "#version: 0.2.0", "#version: 0.2 ", "#version: 0.02",
        "#version:\t0.2.0.0\r", "\xEF\xBB\xBF#version: 0.2"}) {
    CAPTURE(version);
    CHECK(parse_bpe_codes(version + std::string("\nt h\nth e</w>\n"), "c") == merges);
  }
  CHECK(parse_bpe_codes("#version: 0.2\n t h \r\nth e</w>\n\n \n\r\n", "c") == merges);
  // Other white space than spaces is a character.
  CHECK(parse_bpe_codes("#version: 0.2\n\u00A0 a\n\t b\n", "c") ==
        BpeMerges{{"\u00A0", "a"}, {"\t", "b"}});
}

TEST_CASE("fastBPE's codes have a count and no version") {
  const BpeMerges merges = {{"t", "h"}, {"th", "e</w>"}};
  CHECK(parse_bpe_codes("t h 12\nth e</w> 7\n", "c") == merges);
  CHECK(parse_bpe_codes("t h 12\r\nth e</w> 7\r\n\n", "c") == merges);
}
