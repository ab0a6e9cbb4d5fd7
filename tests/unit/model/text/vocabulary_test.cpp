#include "model/text/vocabulary.h"

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "model/base/error.h"

using Catch::Matchers::Contains;

namespace ltz {

TEST_CASE("words follow the four special tokens in their order") {
  const Vocabulary vocabulary({"the", "a@@", "Zürich"});
  CHECK(vocabulary.size() == 7);
  CHECK(vocabulary.id("the") == 4);
  CHECK(vocabulary.id("a@@") == 5);
  CHECK(vocabulary.id("Zürich") == 6);
  CHECK(vocabulary.words() == std::vector<std::string>{"the", "a@@", "Zürich"});
  for (int id = 0; id < vocabulary.size(); ++id) {
    CAPTURE(id);
    CHECK(vocabulary.id(vocabulary.word(id)) == id);
  }
}

TEST_CASE("special tokens have the ids of fairseq, also as words of a text") {
  const Vocabulary vocabulary =
      GENERATE(Vocabulary({"the"}), Vocabulary(std::vector<std::string>{}));
  CHECK(vocabulary.id("<s>") == Vocabulary::kBos);
  CHECK(vocabulary.id("<pad>") == Vocabulary::kPad);
  CHECK(vocabulary.id("</s>") == Vocabulary::kEos);
  CHECK(vocabulary.id("<unk>") == Vocabulary::kUnk);
  CHECK(vocabulary.word(Vocabulary::kBos) == "<s>");
  CHECK(vocabulary.word(Vocabulary::kUnk) == "<unk>");
}

TEST_CASE("a word that is not there is unknown") {
  const Vocabulary vocabulary({"the"});
  for (const char* word : {"The", "th", "thee", "", "the "}) {
    CAPTURE(word);
    CHECK(vocabulary.id(word) == Vocabulary::kUnk);
  }
}

TEST_CASE("a vocabulary takes words that no text can have, but no line ends") {
  const Vocabulary vocabulary({"the", "", "new york", "a\t"});
  CHECK(vocabulary.size() == 8);
  CHECK(vocabulary.word(5).empty());
  CHECK(vocabulary.id("new york") == 6);
  for (const char* word : {"\n", "a\r"}) {
    CAPTURE(word);
    CHECK_THROWS_AS(Vocabulary({"the", word}), FormatError);
  }
  CHECK_THROWS_WITH(Vocabulary({"the", "a\n"}), Contains("\"a\n\""));
}

TEST_CASE("of a word that comes twice, texts get the last id") {
  const Vocabulary vocabulary({"the", "a", "the", "<pad>"});
  CHECK(vocabulary.size() == 8);
  CHECK(vocabulary.id("the") == 6);
  CHECK(vocabulary.id("a") == 5);
  CHECK(vocabulary.id("<pad>") == 7);
  CHECK(vocabulary.word(4) == "the");
  CHECK(vocabulary.word(6) == "the");
}

TEST_CASE("vocabularies are equal when their words are, in the same order") {
  const Vocabulary vocabulary({"the", "a"});
  CHECK(vocabulary == Vocabulary({"the", "a"}));
  CHECK_FALSE(vocabulary == Vocabulary({"a", "the"}));
  CHECK_FALSE(vocabulary == Vocabulary({"the"}));
}

TEST_CASE("a copy of a vocabulary outlives it") {
  auto original = std::make_unique<Vocabulary>(std::vector<std::string>{"the"});
  const Vocabulary copy = *original;
  original.reset();
  CHECK(copy.word(4) == "the");
  CHECK(copy.id("the") == 4);
}

}  // namespace ltz
