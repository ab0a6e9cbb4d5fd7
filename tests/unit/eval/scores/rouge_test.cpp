#include "eval/scores/rouge.h"

#include <catch2/catch.hpp>

#include "eval/scores/subsequence.h"
#include "model/base/error.h"

namespace ltz::eval {
namespace {

void check(const RougeScore& score, double precision, double recall, double f1) {
  CHECK(score.precision == Approx(precision));
  CHECK(score.recall == Approx(recall));
  CHECK(score.f1 == Approx(f1));
}

std::vector<bool> marked(const Words& reference, const Words& other) {
  std::vector<bool> marks(reference.size());
  mark_common_subsequence(reference, other, marks);
  return marks;
}

}  // namespace

TEST_CASE("ROUGE of the examples of Google's rouge_score") {
  check(rouge("testing", "testing one two").rouge1, 1.0, 1.0 / 3, 0.5);
  check(rouge("testing one", "testing one two").rouge2, 1.0, 0.5, 2.0 / 3);
  check(rouge("testing one", "testing one two").rouge_l, 1.0, 2.0 / 3, 0.8);
  check(rouge("testing two", "testing one two").rouge_l, 1.0, 2.0 / 3, 0.8);
}

TEST_CASE("ROUGE-L of a summary is the union over its sentences") {
  // Lin 2004, section 3.2: the union of "w1 w2" and "w1 w3 w5" has 4 of 5 words.
  const Rouge result = rouge("w1 w2 w6 w7 w8 . w1 w3 w8 w9 w5", "w1 w2 w3 w4 w5");
  check(result.rouge_lsum, 0.4, 0.8, 2 * 0.4 * 0.8 / 1.2);
  // As one sentence: w1 w2 w3 w5 as well.
  check(result.rouge_l, 0.4, 0.8, 2 * 0.4 * 0.8 / 1.2);
  // In the order of sentences no subsequence has more than two of the words.
  const Rouge swapped = rouge("c d . a b .", "a b . c d .");
  check(swapped.rouge_l, 0.5, 0.5, 0.5);
  check(swapped.rouge_lsum, 1.0, 1.0, 1.0);
}

TEST_CASE("a word of the union counts at most as often as the summary has it") {
  // Both sentences of the reference have "a" in common with the summary's only one.
  check(rouge("a b", "a . a").rouge_lsum, 0.5, 0.5, 0.5);
}

TEST_CASE("a space and a full stop end a sentence, whatever follows") {
  for (const char* end : {" . ", " .. ", " .", " ... ", " .5 "}) {
    CAPTURE(end);
    const std::string stop(end);
    CHECK(rouge("one two" + stop + "three four", "three four" + stop + "one two").rouge_lsum.f1 >
          0.99);
  }
  check(rouge("a.b c", "c a b").rouge_lsum, 2.0 / 3, 2.0 / 3, 2.0 / 3);
  check(rouge(" . . ", "a . b").rouge_lsum, 0.0, 0.0, 0.0);
}

TEST_CASE("by the older rule only a token that is a full stop ends a sentence") {
  const RougeOptions token{.sentences = RougeSentences::kFullStopToken};
  // With another end of sentence "b a" would be found in parts.
  check(rouge("a.b ... c", "c a b", token).rouge_lsum, 2.0 / 3, 2.0 / 3, 2.0 / 3);
  check(rouge(" . . ", "a . b", token).rouge_lsum, 0.0, 0.0, 0.0);
  check(rouge(". a . . b", "a . b", token).rouge_lsum, 1.0, 1.0, 1.0);
}

TEST_CASE("what follows a < is not seen in its sentence") {
  check(rouge("a <unk> b . c", "a c").rouge1, 1.0, 1.0, 1.0);
  check(rouge("<unk> a b . c", "c").rouge1, 1.0, 1.0, 1.0);
}

TEST_CASE("words are what a-z and 0-9 are made of") {
  check(rouge("Don't STOP-at 3.5", "don t stop at 3 5").rouge2, 1.0, 1.0, 1.0);
  // Letters with accents separate: "caf", not "cafe".
  check(rouge("caf\u00e9", "caf").rouge1, 1.0, 1.0, 1.0);
  check(rouge("a_b\xff"
              "c",
              "a b c")
            .rouge1,
        1.0, 1.0, 1.0);
}

TEST_CASE("ROUGE counts an n-gram at most as often as the reference has it") {
  check(rouge("a a a", "a b a").rouge1, 2.0 / 3, 2.0 / 3, 2.0 / 3);
  check(rouge("a a a", "a b a").rouge2, 0.0, 0.0, 0.0);
}

TEST_CASE("an empty side scores 0") {
  for (const auto& [summary, reference] :
       {std::pair("", ""), std::pair("a", ""), std::pair("", "a"), std::pair("!?", "\u00e9")}) {
    const Rouge result = rouge(summary, reference);
    for (const RougeMeasure& measure : kRougeMeasures) {
      check(result.*measure.score, 0.0, 0.0, 0.0);
    }
  }
  // One word has no pair.
  check(rouge("a", "a").rouge2, 0.0, 0.0, 0.0);
}

TEST_CASE("stems are compared, of words longer than three letters") {
  const RougeOptions words{.stem = false};
  check(rouge("relational motoring ponies", "relate motor poni", words).rouge1, 0, 0, 0);
  check(rouge("relational motoring ponies", "relate motor poni").rouge1, 1, 1, 1);
  check(rouge("Cats", "cat", words).rouge1, 0, 0, 0);
  check(rouge("Cats", "cat").rouge1, 1, 1, 1);
  check(rouge("ads", "ad").rouge1, 0, 0, 0);
}

TEST_CASE("a corpus has the mean of its lines") {
  const auto lines = rouge_of_lines({"a b", "c", ""}, {"a b", "c d", "e"});
  REQUIRE(lines.size() == 3);
  const Rouge corpus = mean(lines);
  check(corpus.rouge1, 2.0 / 3, 0.5, (1.0 + 2.0 / 3) / 3);
  CHECK(to_string(corpus) == "R-1 55.56, R-2 33.33, R-L 55.56, R-Lsum 55.56");
  CHECK_THROWS_WITH(rouge_of_lines({"a"}, {"a", "b"}),
                    "expected as many summaries as references, found 1 and 2");
  CHECK_THROWS_AS(rouge_of_lines({}, {}), ConfigError);
}

TEST_CASE("the longest common subsequence") {
  CHECK(common_subsequence_length({"a", "b", "c", "d"}, {"b", "x", "d"}) == 2);
  CHECK(common_subsequence_length({"b", "x", "d"}, {"a", "b", "c", "d"}) == 2);
  CHECK(common_subsequence_length({}, {"a"}) == 0);
  CHECK(common_subsequence_length({"a", "a"}, {"a", "a", "a"}) == 2);
  CHECK(marked({"a", "b", "c", "d"}, {"b", "x", "d"}) == std::vector<bool>{0, 1, 0, 1});
  CHECK(marked({"a"}, {}) == std::vector<bool>{0});
  // "a" or "b": from the end, a word of the reference is left out first.
  CHECK(marked({"a", "b"}, {"b", "a"}) == std::vector<bool>{1, 0});
}

}  // namespace ltz::eval
