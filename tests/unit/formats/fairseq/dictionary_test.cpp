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
  refuses_dictionary(" 1\n", "d.txt:1:");
  refuses_dictionary("a -1\n", "d.txt:1:");
  refuses_dictionary("a 1.5\n", "d.txt:1:");
  refuses_dictionary("a 99999999999999999999999\n", "d.txt:1:");
  refuses_dictionary("a 1\nb 1\na 2\n", "d.txt:3: the word \"a\" is there twice");
  refuses_dictionary("a b 1\n", "d.txt: ");
  refuses_dictionary("<pad> 1\n", "<pad>");
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
  refuses_codes("#version: 0.1\na b\n", "version 0.1");
  refuses_codes("a b\n", "bpe.codes:1:");
  refuses_codes("#version: 0.2\na\n", "bpe.codes:2: expected two symbols");
  refuses_codes("#version: 0.2\na b c\n", "bpe.codes:2:");
  refuses_codes("#version: 0.2\na b\n\nc d\n", "bpe.codes:3:");
  refuses_codes("#version: 0.2\na \n", "bpe.codes:2:");
}
