#include "model/decoding/beams.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>
#include <utility>

#include "model/base/error.h"

namespace ltz {
namespace {

constexpr float kImpossible = -std::numeric_limits<float>::infinity();

struct Candidate {
  float score;
  std::size_t beam;
  int token;
};

Hypothesis finish(const Beam& beam, float score, double lenpen) {
  Hypothesis hypothesis;
  hypothesis.tokens = beam.tokens;
  hypothesis.tokens.push_back(Vocabulary::kEos);
  std::vector<float> cumulative = beam.scores;
  cumulative.push_back(score);
  std::adjacent_difference(cumulative.begin(), cumulative.end(),
                           std::back_inserter(hypothesis.positional_scores));
  hypothesis.score = score / std::pow(static_cast<double>(hypothesis.tokens.size()), lenpen);
  return hypothesis;
}

// Adds every token that would end an n-gram which the beam has already. The reference counts the
// </s> that the decoder starts from as a token. As no other </s> follows, an n-gram of two tokens
// or more with it cannot come twice; and with n = 1 no hypothesis could ever end. So it is left
// out.
void forbid_repeats(const TokenIds& tokens, int ngram_size, std::vector<int>& forbidden) {
  const auto size = static_cast<std::size_t>(ngram_size);
  if (size == 0 || tokens.size() < size) {
    return;
  }
  const std::span<const int> seen = tokens;
  const auto tail = seen.last(size - 1);
  for (std::size_t start = 0; start + size <= seen.size(); ++start) {
    if (std::ranges::equal(tail, seen.subspan(start, size - 1))) {
      forbidden.push_back(seen[start + size - 1]);
    }
  }
}

// The best 2 x beam continuations of all beams, best first; of equals, that of the first beam.
std::vector<Candidate> best_candidates(const Sentence& sentence, const NextTokens& next,
                                       std::size_t first_row, const BeamOptions& options) {
  std::vector<Candidate> candidates;
  for (std::size_t b = 0; b < sentence.beams.size(); ++b) {
    const std::size_t row = first_row + b;
    const float offset = sentence.beams[b].score() - next.normalizer(row);
    if (sentence.step() >= sentence.max_len) {
      candidates.push_back({next.end(row) + offset, b, Vocabulary::kEos});
      continue;
    }
    for (const ScoredToken& token : next.best(row)) {
      candidates.push_back({token.logit + offset, b, token.token});
    }
  }
  std::erase_if(candidates, [](const Candidate& c) { return c.score == kImpossible; });
  std::ranges::sort(candidates, [](const Candidate& a, const Candidate& b) {
    return std::tuple(-a.score, a.beam, a.token) < std::tuple(-b.score, b.beam, b.token);
  });
  candidates.resize(std::min(candidates.size(), 2 * static_cast<std::size_t>(options.beam)));
  return candidates;
}

// Ends every beam of a sentence that cannot go on.
void finish_all(Sentence& sentence, const NextTokens& next, std::size_t first_row,
                const BeamOptions& options) {
  for (std::size_t b = 0; b < sentence.beams.size(); ++b) {
    if (sentence.finished.size() < static_cast<std::size_t>(options.beam)) {
      const std::size_t row = first_row + b;
      const float offset = sentence.beams[b].score() - next.normalizer(row);
      sentence.finished.push_back(
          finish(sentence.beams[b], next.end(row) + offset, options.lenpen));
    }
  }
  sentence.beams.clear();
}

}  // namespace

void validate(const BeamOptions& options) {
  if (options.beam < 1) {
    throw ConfigError("beam must be at least 1, found " + std::to_string(options.beam));
  }
  if (!std::isfinite(options.lenpen)) {
    throw ConfigError("the length penalty must be finite");
  }
  if (options.max_len_b < 0 || !(options.max_len_a >= 0.0)) {
    throw ConfigError("the maximum length must not be negative");
  }
  if (options.min_len < 0) {
    throw ConfigError("the minimum length must not be negative, found " +
                      std::to_string(options.min_len));
  }
  if (options.no_repeat_ngram_size < 0) {
    throw ConfigError("the size of n-grams must not be negative, found " +
                      std::to_string(options.no_repeat_ngram_size));
  }
}

int max_hypothesis_length(const BeamOptions& options, const ModelConfig& config,
                          int source_length) {
  const double wanted = options.max_len_a * source_length + options.max_len_b;
  const int longest = static_cast<int>(std::min<double>(wanted, config.max_target_positions - 1));
  if (options.min_len > std::max(longest, 1)) {
    throw ConfigError("the minimum length " + std::to_string(options.min_len) +
                      " is above the maximum length " + std::to_string(longest) +
                      " of a sentence of " + std::to_string(source_length) + " tokens");
  }
  return longest;
}

void find_forbidden(const TokenIds& tokens, const BeamOptions& options,
                    std::vector<int>& forbidden) {
  forbidden.assign(1, Vocabulary::kPad);
  if (static_cast<int>(tokens.size()) < options.min_len) {
    forbidden.push_back(Vocabulary::kEos);
  }
  forbid_repeats(tokens, options.no_repeat_ngram_size, forbidden);
}

void advance(Sentence& sentence, const NextTokens& next, std::size_t first_row,
             const BeamOptions& options) {
  const std::vector<Candidate> candidates = best_candidates(sentence, next, first_row, options);
  if (candidates.empty()) {
    finish_all(sentence, next, first_row, options);
    return;
  }
  const auto beam_size = static_cast<std::size_t>(options.beam);
  std::vector<Beam> beams;
  beams.reserve(beam_size);
  for (std::size_t c = 0; c < candidates.size(); ++c) {
    const Candidate& candidate = candidates[c];
    const Beam& from = sentence.beams[candidate.beam];
    if (candidate.token == Vocabulary::kEos) {
      if (c < beam_size && sentence.finished.size() < beam_size) {
        sentence.finished.push_back(finish(from, candidate.score, options.lenpen));
      }
    } else if (beams.size() < beam_size) {
      Beam& beam = beams.emplace_back(from);
      beam.tokens.push_back(candidate.token);
      beam.scores.push_back(candidate.score);
    }
  }
  sentence.beams = std::move(beams);
}

bool done(const Sentence& sentence, const BeamOptions& options) {
  return sentence.beams.empty() ||
         sentence.finished.size() == static_cast<std::size_t>(options.beam);
}

}  // namespace ltz
