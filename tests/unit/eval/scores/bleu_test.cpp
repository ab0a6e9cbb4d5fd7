#include "eval/scores/bleu.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "eval/scores/sacrebleu.h"
#include "model/base/error.h"

namespace ltz::eval {
namespace {

// Of sacreBLEU's own documentation and tests.
const Lines kSystem = {"The dog bit the man.", "It wasn't surprising.",
                       "The man had just bitten him."};
const std::vector<Lines> kReferences = {
    {"The dog bit the man.", "It was not unexpected.", "The man bit him first."},
    {"The dog had bit the man.", "No one was surprised.", "The man had bitten the dog."}};

Bleu bleu_of(const Lines& hypotheses, const std::vector<Lines>& references,
             const BleuOptions& options) {
  return score(sum(bleu_statistics(hypotheses, references, options)), options.smoothing);
}

}  // namespace

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

TEST_CASE("sacreBLEU's published scores") {
  CHECK(bleu_of(kSystem, kReferences, kSacreBleu).score == Approx(48.530827).epsilon(1e-8));
  BleuOptions untokenized = kSacreBleu;
  untokenized.tokenizer = BleuTokenizer::kNone;
  CHECK(bleu_of(kSystem, kReferences, untokenized).score == Approx(49.1919566).epsilon(1e-8));
  CHECK(bleu_of({"", "", ""}, kReferences, kSacreBleu).score == 0.0);
  const BleuStatistics statistics{.matches = {9, 7, 5, 3},
                                  .totals = {10, 8, 6, 4},
                                  .hypothesis_length = 11,
                                  .reference_length = 11};
  CHECK(score(statistics, BleuSmoothing::kNone).score == Approx(83.75922397).epsilon(1e-8));
}

TEST_CASE("statistics of sentences add up to the corpus's") {
  const auto sentences = bleu_statistics(kSystem, kReferences, kSacreBleu);
  REQUIRE(sentences.size() == 3);
  // "The man had just bitten him ." against "The man bit him first ." and "The man had bitten the
  // dog .": The, man, had, bitten, him, . / "The man", "man had" / "The man had".
  CHECK(sentences[2].matches == std::array<std::int64_t, 4>{6, 2, 1, 0});
  CHECK(sentences[2].totals == std::array<std::int64_t, 4>{7, 6, 5, 4});
  CHECK(sentences[2].hypothesis_length == 7);
  const BleuStatistics corpus = sum(sentences);
  CHECK(corpus.hypothesis_length == 17);
  CHECK(corpus.reference_length == 18);
}

TEST_CASE("a word counts as often as the reference that has it most often") {
  const auto once = bleu_statistics({"a a a b"}, std::vector<Lines>{{"a a"}, {"a b b b b b"}});
  // Not three times: the references' counts are not added up.
  CHECK(once[0].matches == std::array<std::int64_t, 4>{3, 2, 0, 0});
}

TEST_CASE("the closest reference counts for brevity, the shorter of two") {
  const auto length = [](const std::vector<Lines>& references) {
    return bleu_statistics({"a b c d"}, references)[0].reference_length;
  };
  CHECK(length({{"a b c d e f"}, {"a b c"}}) == 3);
  CHECK(length({{"a b c d e"}, {"a b c"}}) == 3);
  CHECK(length({{"a b c"}, {"a b c d e"}}) == 3);
  // An empty line is a reference of no words, among several as well.
  CHECK(length({{""}, {"a b c d e f g h i j"}}) == 0);
  CHECK(length({{""}}) == 0);
}

TEST_CASE("exponential smoothing halves with each order without a match") {
  // 1-grams 2/4, 2-grams 0/3, 3-grams 0/2, 4-grams 0/1: the latter count 1/2, 1/4 and 1/8 matches.
  const BleuOptions smooth{.smoothing = BleuSmoothing::kExp};
  const Bleu result = bleu({"a x b y"}, {"a b c d"}, smooth);
  CHECK(result.precisions[1] == Approx(100.0 / 2 / 3));
  CHECK(result.precisions[2] == Approx(100.0 / 4 / 2));
  CHECK(result.precisions[3] == Approx(100.0 / 8 / 1));
  CHECK(result.score == Approx(100.0 * std::pow(0.5 / 6 / 8 / 8, 0.25)));
  CHECK(bleu({"a x b y"}, {"a b c d"}).score == 0.0);
  CHECK(bleu({"x y z w"}, {"a b c d"}, smooth).score == 0.0);
  // No 4-gram at all.
  CHECK(bleu({"a b c"}, {"a b c"}, smooth).score == 0.0);
}

TEST_CASE("compounds are split, then case is dropped, then tokens are found") {
  const Bleu compounds =
      bleu({"A-B c d"}, {"a-b c x"}, {.compound_split = true, .lowercase = true});
  CHECK(compounds.precisions[0] == Approx(80.0));  // a ##at##-##at## b c
  CHECK(compounds.hypothesis_length == 5);
  CHECK(bleu({"\xC3\x89T\xC3\x89 , 1.5 % !"}, {"\xC3\xA9t\xC3\xA9, 1.5%!"},
             {.lowercase = true, .tokenizer = BleuTokenizer::k13a})
            .score == Approx(100.0));
}

TEST_CASE("each reference needs as many lines as the hypothesis, and there must be one") {
  CHECK_THROWS_WITH(bleu_statistics({"a", "b"}, std::vector<Lines>{{"a", "b"}, {"a"}}),
                    "expected as many hypotheses as references, found 2 and 1");
  CHECK_THROWS_AS(bleu_statistics({"a"}, std::vector<Lines>{}), ConfigError);
}

TEST_CASE("case is dropped of as many letters as the original drops it of") {
  const Lines upper = {"\u00c9T\u00c9 \u00c0 LA MER"};
  const Lines lower = {"\u00e9t\u00e9 \u00e0 la mer"};
  const auto precision = [&](const BleuOptions& options) {
    return bleu(upper, lower, options).precisions[0];
  };
  CHECK(precision({.lowercase = true}) == Approx(50.0));  // la, mer
  CHECK(precision({.lowercase = true, .unicode = true}) == Approx(100.0));
  CHECK(precision({.lowercase = true, .tokenizer = BleuTokenizer::k13a}) == Approx(100.0));
  CHECK(precision({.unicode = true}) == 0.0);
  CHECK(case_name({}) == "mixed");
  CHECK(case_name({.lowercase = true}) == "lc-ascii");
  CHECK(case_name({.lowercase = true, .unicode = true}) == "lc");
}

TEST_CASE("sacreBLEU's line says everything") {
  SacreBleu result{
      .bleu = bleu_of(kSystem, kReferences, kSacreBleu),
      .options = kSacreBleu,
      .basis = {
          .references = kReferences.size(), .confidence = {}, .bootstrap = {}, .version = "1.2"}};
  CHECK(to_string(result) ==
        "BLEU|nrefs:2|case:mixed|eff:no|tok:13a|smooth:exp|version:ltz-1.2 = 48.53 "
        "82.4/50.0/45.5/37.5 (BP = 0.943 ratio = 0.944 hyp_len = 17 ref_len = 18)");
  result.basis.confidence = Confidence{.mean = 44.5, .half_width = 0.68};
  result.options = {.compound_split = true, .lowercase = true};
  CHECK(signature_line(signature(result)) ==
        "nrefs:2|bs:1000|seed:12345|case:lc-ascii|eff:no|tok:none|smooth:none|compounds:split|"
        "version:ltz-1.2");
  CHECK(to_string(result).find(" = 48.53 (\u03bc = 44.50 \u00b1 0.68) 82.4/") != std::string::npos);
}

}  // namespace ltz::eval
