#include "eval/bleu.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "model/error.h"

namespace ltz::eval {

TEST_CASE("a text scores 100 against itself") {
  const std::vector<std::string> text = {"the cat sat on the mat", "a b c d"};
  CHECK(bleu(text, text).score == Approx(100.0));
  CHECK(bleu(text, text).brevity_penalty == 1.0);
}

TEST_CASE("n-grams count at most as often as in the reference") {
  // Papineni et al. 2002, section 2.1: clipped unigram precision 2/7.
  const Bleu result = bleu({"the the the the the the the"}, {"the cat is on the mat"});
  CHECK(result.precisions[0] == Approx(200.0 / 7.0));
  CHECK(result.precisions[1] == 0.0);
  CHECK(result.score == 0.0);
}

TEST_CASE("counts are summed over sentences before they are divided") {
  const Bleu result = bleu({"a b c d e", "x y z"}, {"a b c d f", "x y w v"});
  // 1-grams 6/8, 2-grams 4/6, 3-grams 2/4, 4-grams 1/2; 8 words against 9.
  CHECK(result.precisions[0] == Approx(75.0));
  CHECK(result.precisions[1] == Approx(100.0 * 4 / 6));
  CHECK(result.precisions[2] == Approx(50.0));
  CHECK(result.precisions[3] == Approx(50.0));
  CHECK(result.brevity_penalty == Approx(std::exp(1.0 - 9.0 / 8.0)));
  const double expected =
      100.0 * std::exp(1.0 - 9.0 / 8.0) * std::pow(0.75 * 4.0 / 6.0 * 0.5 * 0.5, 0.25);
  CHECK(result.score == Approx(expected));
  CHECK(to_string(result) ==
        "BLEU = 52.47, 75.0/66.7/50.0/50.0 (BP=0.882, ratio=0.889, hyp_len=8, ref_len=9)");
}

TEST_CASE("case matters, and only white space separates tokens") {
  CHECK(bleu({"The cat sat on it"}, {"the cat sat on it"}).precisions[0] == Approx(80.0));
  CHECK(bleu({"a  b\tc d"}, {"a b c d"}).score == Approx(100.0));
}

TEST_CASE("an empty translation scores 0, no sentence is an error") {
  CHECK(bleu({""}, {"a b"}).score == 0.0);
  CHECK(bleu({"", "a b c d"}, {"", "a b c d"}).score == Approx(100.0));
  CHECK_THROWS_AS(bleu({}, {}), ConfigError);
  CHECK_THROWS_WITH(bleu({"a"}, {"a", "b"}),
                    "expected as many hypotheses as references, found 1 and 2");
}

}  // namespace ltz::eval
