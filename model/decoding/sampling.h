#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include "model/decoding/beam_search.h"
#include "model/decoding/next_tokens.h"

namespace ltz {

// What the next token of a text is drawn from.
struct SamplingOptions {
  int top_k = 0;             // so many of the likeliest tokens; 0: all
  double top_p = 1.0;        // no more of the likeliest than it takes to reach this probability
  double temperature = 1.0;  // divides the logits: above 1 evens the odds
  std::uint64_t seed = 1;
};

inline constexpr double kLowestTemperature = 0.001;
inline constexpr double kHighestTemperature = 1000.0;

// The tokens that may be drawn, with their log probabilities: as fairseq's --sampling-topk and
// --sampling-topp choose them; with both options, those that both allow. What is impossible (minus
// infinity) is never among them. log_probabilities: (vocabulary).
std::vector<ScoredToken> candidates(std::span<const float> log_probabilities,
                                    const SamplingOptions& options);

// One of them, in proportion to their probabilities. candidates: at least one. uniform: a random
// number in [0, 1).
int draw(std::span<const ScoredToken> candidates, double uniform);

// Random numbers that are the same on every platform.
class RandomStream {
 public:
  // Streams of different numbers have nothing in common.
  RandomStream(std::uint64_t seed, std::uint64_t text, std::uint64_t sample);

  double uniform();  // in [0, 1)

 private:
  std::mt19937_64 generator_;
};

// Goes on from a language model's prompts at random, token by token. <s> and <pad> are never drawn.
class Sampler {
 public:
  // limits: lengths and n-grams, as in beam search; its beam and lenpen count for nothing. The
  // model outlives the sampler. Throws ConfigError for options out of range and a translation
  // model.
  Sampler(const Transformer& model, const BeamOptions& limits, const SamplingOptions& options);

  // The text: the prompt, what was drawn, </s>. Scores are the model's own log probabilities,
  // whatever the temperature, and their mean. text, sample: numbers of the prompt and of the sample
  // of it, which with the seed decide what is drawn. Throws ConfigError as check_prompt does.
  Hypothesis sample(const TokenIds& prompt, std::uint64_t text, std::uint64_t sample = 0) const;

 private:
  const Transformer& model_;
  BeamOptions limits_;
  SamplingOptions options_;
};

}  // namespace ltz
