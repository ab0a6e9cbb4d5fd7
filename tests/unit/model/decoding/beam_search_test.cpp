#include "model/decoding/beam_search.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "model/base/error.h"
#include "tests/support/plain_model.h"
#include "tests/support/tiny_checkpoint.h"

namespace ltz {
namespace {

constexpr double kImpossible = -std::numeric_limits<double>::infinity();

std::vector<TokenIds> some_sources(const ModelConfig& config) {
  std::vector<TokenIds> sentences;
  for (int length = 0; length < 6; ++length) {
    TokenIds& sentence = sentences.emplace_back();
    for (int i = 0; i < length; ++i) {
      sentence.push_back(Vocabulary::kUnk +
                         (5 * length + 3 * i) % (config.source_vocabulary_size - Vocabulary::kUnk));
    }
    sentence.push_back(Vocabulary::kEos);
  }
  return sentences;
}

// Whether some n tokens in a row are there twice, the </s> in front included, that at the end not.
bool repeats_ngram(TokenIds tokens, int n) {
  if (tokens.back() == Vocabulary::kEos) {
    tokens.pop_back();
  }
  tokens.insert(tokens.begin(), Vocabulary::kEos);
  std::set<TokenIds> seen;
  for (auto ngram = tokens.begin(); tokens.end() - ngram >= n; ++ngram) {
    if (!seen.insert(TokenIds(ngram, ngram + n)).second) {
      return true;
    }
  }
  return false;
}

// The search once more with whole sentences through the plain model, and with the rules written as
// questions about the whole hypothesis.
class PlainSearch {
 public:
  PlainSearch(const Checkpoint& checkpoint, const BeamOptions& options)
      : model_(checkpoint), options_(options) {}

  std::vector<Hypothesis> operator()(const TokenIds& source) {
    struct Partial {
      TokenIds tokens;
      double score;
    };
    std::vector<Partial> beams = {{{}, 0.0}};
    std::vector<Hypothesis> finished;
    const auto beam = static_cast<std::size_t>(options_.beam);
    while (!beams.empty() && finished.size() < beam) {
      std::vector<Partial> candidates;
      for (const Partial& from : beams) {
        const std::vector<double> scores = log_probabilities(source, from.tokens);
        for (int token = 0; token < static_cast<int>(scores.size()); ++token) {
          TokenIds tokens = from.tokens;
          tokens.push_back(token);
          if (allowed(tokens)) {
            candidates.push_back({tokens, from.score + scores[static_cast<std::size_t>(token)]});
          }
        }
      }
      std::ranges::stable_sort(candidates, std::greater(), &Partial::score);
      candidates.resize(std::min(candidates.size(), 2 * beam));
      beams.clear();
      for (std::size_t c = 0; c < candidates.size(); ++c) {
        const bool ends = candidates[c].tokens.back() == Vocabulary::kEos;
        if (ends && c < beam && finished.size() < beam) {
          const auto length = static_cast<double>(candidates[c].tokens.size());
          finished.push_back(
              {candidates[c].tokens, {}, candidates[c].score / std::pow(length, options_.lenpen)});
        } else if (!ends && beams.size() < beam) {
          beams.push_back(candidates[c]);
        }
      }
    }
    std::ranges::stable_sort(finished, std::greater(), &Hypothesis::score);
    return finished;
  }

 private:
  std::vector<double> log_probabilities(const TokenIds& source, const TokenIds& tokens) const {
    TokenIds target = tokens;
    target.push_back(Vocabulary::kEos);  // only how many there are matters of the last one
    std::vector<double> scores = model_.logits(source, target).back();
    double sum = 0.0;
    for (const double score : scores) {
      sum += std::exp(score);
    }
    for (double& score : scores) {
      score -= std::log(sum);
    }
    return scores;
  }

  bool allowed(const TokenIds& tokens) const {
    const int before = static_cast<int>(tokens.size()) - 1;
    if (tokens.back() == Vocabulary::kEos) {
      return before >= std::min(options_.min_len, options_.max_len_b);
    }
    return tokens.back() != Vocabulary::kPad && before < options_.max_len_b &&
           (options_.no_repeat_ngram_size == 0 ||
            !repeats_ngram(tokens, options_.no_repeat_ngram_size));
  }

  PlainModel model_;
  BeamOptions options_;
};

}  // namespace

TEST_CASE("beam search finds what a plain search finds", "[beam]") {
  const auto seed = GENERATE(range(0U, 4U));
  const BeamOptions options =
      GENERATE(BeamOptions{.beam = 1, .max_len_b = 7}, BeamOptions{.beam = 4, .max_len_b = 7},
               BeamOptions{.beam = 3, .lenpen = 2.0, .max_len_b = 8, .min_len = 5},
               BeamOptions{.beam = 3, .max_len_b = 9, .min_len = 0, .no_repeat_ngram_size = 1},
               BeamOptions{.beam = 3, .max_len_b = 9, .no_repeat_ngram_size = 2},
               BeamOptions{.beam = 2, .max_len_b = 12, .min_len = 12, .no_repeat_ngram_size = 3},
               BeamOptions{.beam = 20, .max_len_b = 4, .min_len = 3, .no_repeat_ngram_size = 2});
  CAPTURE(seed, options.beam, options.min_len, options.max_len_b, options.no_repeat_ngram_size);
  const Checkpoint checkpoint = tiny_checkpoint(seed);
  const Transformer model(checkpoint);
  const std::vector<TokenIds> sources = some_sources(checkpoint.config);
  const auto found = beam_search(model, sources, options);
  PlainSearch search(checkpoint, options);
  for (std::size_t s = 0; s < sources.size(); ++s) {
    CAPTURE(s);
    const std::vector<Hypothesis> expected = search(sources[s]);
    REQUIRE(found[s].size() == expected.size());
    REQUIRE_FALSE(expected.empty());
    for (std::size_t h = 0; h < expected.size(); ++h) {
      CHECK(found[s][h].tokens == expected[h].tokens);
      CHECK(found[s][h].score == Approx(expected[h].score).margin(1e-4));
    }
  }
}

TEST_CASE("sentences that come later are translated as if they were alone", "[beam]") {
  const Checkpoint checkpoint = tiny_checkpoint(2);
  const Transformer model(checkpoint);
  const std::vector<TokenIds> sources = some_sources(checkpoint.config);
  const BeamOptions options{.beam = 3, .max_len_b = 40, .min_len = 30};
  BeamSearch search(model, options);
  std::map<std::size_t, std::vector<Hypothesis>> found;
  // Enough steps for the rows of sentences that are gone to be dropped from the memories.
  constexpr std::size_t kSentences = 600;
  std::size_t added = 0;
  for (int step = 0; added < kSentences || search.sentences() > 0; ++step) {
    if (step % 3 == 0 && added < kSentences) {
      std::vector<TokenIds> batch;
      std::vector<std::size_t> indices;
      for (int i = 0; i < 12; ++i, ++added) {
        batch.push_back(sources[added % sources.size()]);
        indices.push_back(added);
      }
      search.add(batch, indices);
    }
    search.step([&](std::size_t sentence, std::vector<Hypothesis> hypotheses) {
      CHECK(found.emplace(sentence, std::move(hypotheses)).second);
    });
  }
  REQUIRE(found.size() == kSentences);
  const auto alone = beam_search(model, sources, options);
  for (const auto& [sentence, hypotheses] : found) {
    const std::vector<Hypothesis>& expected = alone[sentence % sources.size()];
    REQUIRE(hypotheses.size() == expected.size());
    for (std::size_t h = 0; h < expected.size(); ++h) {
      CHECK(hypotheses[h].tokens == expected[h].tokens);
      CHECK(hypotheses[h].score == expected[h].score);
    }
  }
}

TEST_CASE("no hypothesis repeats an n-gram or ends early", "[beam]") {
  const Checkpoint checkpoint = tiny_checkpoint(3);
  const Transformer model(checkpoint);
  const std::vector<TokenIds> sources = some_sources(checkpoint.config);
  BeamOptions options{.beam = 4, .max_len_b = 40, .min_len = 20};
  const auto repeating = [](const std::vector<std::vector<Hypothesis>>& results, int n) {
    return std::ranges::any_of(results, [&](const auto& hypotheses) {
      return std::ranges::any_of(hypotheses,
                                 [&](const Hypothesis& h) { return repeats_ngram(h.tokens, n); });
    });
  };
  REQUIRE(repeating(beam_search(model, sources, options), 3));  // so there is something to prevent
  for (const int n : {2, 3, 4}) {
    CAPTURE(n);
    options.no_repeat_ngram_size = n;
    const auto results = beam_search(model, sources, options);
    CHECK_FALSE(repeating(results, n));
    for (const auto& hypotheses : results) {
      REQUIRE(hypotheses.size() == 4);
      for (const Hypothesis& hypothesis : hypotheses) {
        CHECK(hypothesis.tokens.size() > 20);
        CHECK(hypothesis.tokens.size() <= 41);
        CHECK(std::ranges::count(hypothesis.tokens, Vocabulary::kEos) == 1);
      }
    }
  }
}

TEST_CASE("a sentence that cannot go on ends", "[beam]") {
  const Checkpoint checkpoint = tiny_checkpoint(1);
  const Transformer model(checkpoint);
  const std::vector<TokenIds> sources = some_sources(checkpoint.config);
  // Every word once; but </s> only after more words than there are.
  const int words = checkpoint.config.target_vocabulary_size - 2;  // without </s> and <pad>
  const auto results =
      beam_search(model, sources,
                  {.beam = 3, .max_len_b = 50, .min_len = words + 5, .no_repeat_ngram_size = 1});
  for (const auto& hypotheses : results) {
    REQUIRE_FALSE(hypotheses.empty());
    CHECK(hypotheses.size() <= 3);
    for (const Hypothesis& hypothesis : hypotheses) {
      CHECK(hypothesis.tokens.size() == static_cast<std::size_t>(words) + 1);
      CHECK(hypothesis.tokens.back() == Vocabulary::kEos);
      CHECK(std::isfinite(hypothesis.score));
      CHECK_FALSE(repeats_ngram(hypothesis.tokens, 1));
    }
  }
}

TEST_CASE("lengths that contradict each other are refused", "[beam]") {
  Checkpoint checkpoint = tiny_checkpoint(1);
  const Transformer model(checkpoint);
  const std::vector<TokenIds> source = {{Vocabulary::kUnk, Vocabulary::kEos}};
  CHECK_THROWS_AS(beam_search(model, source, {.max_len_b = 5, .min_len = 6}), ConfigError);
  CHECK_THROWS_AS(beam_search(model, source, {.max_len_b = 500, .min_len = 64}), ConfigError);
  CHECK_THROWS_AS(beam_search(model, source, {.min_len = -1}), ConfigError);
  CHECK_THROWS_AS(beam_search(model, source, {.no_repeat_ngram_size = -1}), ConfigError);
  CHECK(beam_search(model, source, {.max_len_b = 5, .min_len = 5})[0][0].tokens.size() == 6);
  CHECK(beam_search(model, source, {.max_len_b = 500, .min_len = 63})[0][0].tokens.size() == 64);
  CHECK(beam_search(model, source, {.max_len_b = 0})[0][0].tokens == TokenIds{Vocabulary::kEos});
}

}  // namespace ltz
