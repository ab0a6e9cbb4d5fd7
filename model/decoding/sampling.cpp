// Facts: fairseq/search.py, class Sampling.

#include "model/decoding/sampling.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>

#include "model/base/error.h"
#include "model/decoding/beams.h"
#include "model/decoding/continuation.h"
#include "model/decoding/language_scoring.h"

namespace ltz {
namespace {

constexpr float kImpossible = -std::numeric_limits<float>::infinity();

double probability(const ScoredToken& token) {
  return std::exp(static_cast<double>(token.logit));
}

bool likelier(const ScoredToken& a, const ScoredToken& b) {
  return a.logit > b.logit || (a.logit == b.logit && a.token < b.token);
}

void validate(const SamplingOptions& options) {
  if (options.top_k < 0) {
    throw ConfigError("top-k must not be negative, found " + std::to_string(options.top_k));
  }
  if (!(options.top_p > 0.0 && options.top_p <= 1.0)) {
    throw ConfigError("top-p must be above 0 and at most 1, found " +
                      std::to_string(options.top_p));
  }
  if (!(options.temperature >= kLowestTemperature && options.temperature <= kHighestTemperature)) {
    throw ConfigError("the temperature must be from 0.001 to 1000, found " +
                      std::to_string(options.temperature));
  }
}

// The text with the model's log probabilities, which end with that of </s>.
Hypothesis scored(const Transformer& model, TokenIds tokens) {
  TextBlock block{.inputs = {start_token(model.config())}, .targets = tokens};
  block.inputs.insert(block.inputs.end(), tokens.begin(), tokens.end() - 1);
  Hypothesis hypothesis{.tokens = std::move(tokens),
                        .positional_scores = log_probabilities(model, {&block, 1}).front()};
  const std::vector<float>& scores = hypothesis.positional_scores;
  hypothesis.score =
      std::accumulate(scores.begin(), scores.end(), 0.0) / static_cast<double>(scores.size());
  return hypothesis;
}

}  // namespace

std::vector<ScoredToken> candidates(std::span<const float> log_probabilities,
                                    const SamplingOptions& options) {
  std::vector<ScoredToken> tokens;
  for (std::size_t i = 0; i < log_probabilities.size(); ++i) {
    if (log_probabilities[i] != kImpossible) {
      tokens.push_back({log_probabilities[i], static_cast<int>(i)});
    }
  }
  if (options.top_k == 0 && options.top_p >= 1.0) {
    return tokens;
  }
  const std::size_t most = options.top_k == 0
                               ? tokens.size()
                               : std::min(tokens.size(), static_cast<std::size_t>(options.top_k));
  // Sorted a piece at a time: a few tokens have most of the probability.
  constexpr std::size_t kFirstPiece = 64;
  std::size_t sorted = 0;
  std::size_t count = 0;
  double sum = 0.0;
  while (count < most && (options.top_p >= 1.0 || sum < options.top_p)) {
    if (count == sorted) {
      sorted = std::min(most, std::max(kFirstPiece, 2 * sorted));
      const auto begin = tokens.begin();
      std::partial_sort(begin + static_cast<std::ptrdiff_t>(count),
                        begin + static_cast<std::ptrdiff_t>(sorted), tokens.end(), likelier);
    }
    sum += probability(tokens[count++]);
  }
  tokens.resize(count);
  return tokens;
}

int draw(std::span<const ScoredToken> candidates, double uniform) {
  double sum = 0.0;
  for (const ScoredToken& candidate : candidates) {
    sum += probability(candidate);
  }
  double rest = uniform * sum;
  for (const ScoredToken& candidate : candidates.first(candidates.size() - 1)) {
    rest -= probability(candidate);
    if (rest < 0.0) {
      return candidate.token;
    }
  }
  return candidates.back().token;
}

RandomStream::RandomStream(std::uint64_t seed, std::uint64_t text, std::uint64_t sample) {
  // Of 32 bits each.
  std::seed_seq numbers{seed, seed >> 32, text, text >> 32, sample, sample >> 32};
  generator_.seed(numbers);
}

double RandomStream::uniform() {
  // The standard fixes the generator to the bit, but leaves its distributions to the library.
  return static_cast<double>(generator_() >> 11) * 0x1p-53;
}

Sampler::Sampler(const Transformer& model, const BeamOptions& limits,
                 const SamplingOptions& options)
    : model_(model), limits_(limits), options_(options) {
  require_language_model(model.config());
  validate(limits);
  validate(options);
}

Hypothesis Sampler::sample(const TokenIds& prompt, std::uint64_t text, std::uint64_t sample) const {
  check_prompt(model_, prompt, limits_);
  const auto longest = static_cast<std::size_t>(
      max_hypothesis_length(limits_, model_.config(), static_cast<int>(prompt.size()) + 1));
  RandomStream random(options_.seed, text, sample);
  Continuation read(model_);
  read.extend(prompt);
  TokenIds tokens = prompt;
  std::vector<int> forbidden;
  while (tokens.size() < longest) {
    std::vector<float> next = read.log_probabilities(options_.temperature);
    find_forbidden(tokens, limits_, forbidden);
    forbidden.push_back(Vocabulary::kBos);
    for (const int token : forbidden) {
      next[static_cast<std::size_t>(token)] = kImpossible;
    }
    const std::vector<ScoredToken> possible = candidates(next, options_);
    const int token = possible.empty() ? Vocabulary::kEos : draw(possible, random.uniform());
    if (token == Vocabulary::kEos) {
      break;
    }
    tokens.push_back(token);
    read.extend({&token, 1});
  }
  tokens.push_back(Vocabulary::kEos);
  return scored(model_, std::move(tokens));
}

}  // namespace ltz
