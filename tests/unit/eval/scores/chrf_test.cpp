#include "eval/scores/chrf.h"

#include <catch2/catch.hpp>

#include "eval/scores/bootstrap.h"
#include "eval/scores/sacrebleu.h"
#include "model/base/error.h"

namespace ltz::eval {
namespace {

double chrf(const Lines& hypotheses, const std::vector<Lines>& references,
            const ChrfOptions& options = {}) {
  return score(sum(chrf_statistics(hypotheses, references, options)), options);
}

}  // namespace

// test/test_chrf.py of sacreBLEU 2, the cases without smoothing.
TEST_CASE("chrF of sacreBLEU's tests") {
  const ChrfOptions options{.beta = 3};
  CHECK(chrf({"a"}, {{"a"}}, options) == Approx(100.0));
  CHECK(chrf({""}, {{"reference"}}, options) == 0.0);
  CHECK(chrf({"a b c"}, {{"a b c"}}, options) == Approx(100.0));
  CHECK(chrf({"a b c"}, {{"abc"}}, options) == Approx(100.0));
  CHECK(chrf({""}, {{"c"}}, options) == 0.0);
  CHECK(chrf({"a", "b"}, {{"a", "c"}}, options) == Approx(50.0));
  CHECK(chrf({"aa"}, {{"ab"}}, options) == Approx(25.0));
  CHECK(chrf({"abcdefg"}, {{"hijklmnop"}}, options) == 0.0);
  CHECK(chrf({"Niemand hat die Absicht, eine Mauer zu errichten"},
             {{"Niemand hat die Absicht, eine Mauer zu errichten"}}, options) == Approx(100.0));
}

TEST_CASE("chrF weighs recall by beta, over characters") {
  // Characters 3 of 4 and 3 of 5, pairs 2 of 3 and 2 of 4, triples 1 of 2 and 1 of 3, fours 0.
  const double precision = (3.0 / 4 + 2.0 / 3 + 1.0 / 2 + 0.0) / 4;
  const double recall = (3.0 / 5 + 2.0 / 4 + 1.0 / 3 + 0.0) / 4;
  CHECK(chrf({"\u00e9bcx"}, {{"\u00e9 bcde"}}) ==
        Approx(100.0 * 5.0 * precision * recall / (4.0 * precision + recall)));
  CHECK(chrf({"\u00c9"}, {{"\u00e9"}}) == 0.0);
  CHECK(chrf({"\u00c9"}, {{"\u00e9"}}, {.lowercase = true}) == Approx(100.0));
  CHECK(chrf({"a\u00a0b\u3000c"}, {{"abc"}}) == Approx(100.0));
}

TEST_CASE("chrF++ has words and pairs of words, punctuation apart") {
  const ChrfOptions plus{.word_order = 2};
  const auto words = [&](const std::string& line) {
    return chrf_statistics({line}, std::vector<Lines>{{"x"}}, plus)[0].hypothesis[6];
  };
  CHECK(words("a, (b) c.") == 6);  // a , (b ) c .
  CHECK(words("(a") == 2);
  CHECK(words("\u00e9 .") == 2);
  CHECK(chrf({"a b c"}, {{"abc"}}, plus) < 100.0);
  CHECK(chrf({"a b c"}, {{"a b c"}}, plus) == Approx(100.0));
  CHECK(name(plus) == "chrF2++");
}

TEST_CASE("of several references, the best one of each sentence counts") {
  CHECK(chrf({"ab", "cd"}, {{"ab", "x"}, {"y", "cd"}}) == Approx(100.0));
  CHECK_THROWS_AS(chrf({"a"}, {}), ConfigError);
  CHECK_THROWS_AS(chrf({"a"}, {{"a", "b"}}), ConfigError);
}

TEST_CASE("chrF in sacreBLEU's words") {
  const SacreChrf result{.score = 59.734,
                         .options = {},
                         .basis = {.references = 1,
                                   .confidence = Confidence{.mean = 59.7, .half_width = 1.2},
                                   .bootstrap = {},
                                   .version = "1.2"}};
  CHECK(to_string(result) ==
        "chrF2|nrefs:1|bs:1000|seed:12345|case:mixed|eff:yes|nc:6|nw:0|space:no|version:ltz-1.2 = "
        "59.73 (\u03bc = 59.70 \u00b1 1.20)");
  const auto sample =
      chrf_of_sample(chrf_statistics({"ab", "c"}, std::vector<Lines>{{"ab", "d"}}), ChrfOptions{});
  const std::vector<std::size_t> first = {0, 0};
  CHECK(sample(first) == Approx(100.0));
}

}  // namespace ltz::eval
