#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/decoding/beam_search.h"
#include "model/decoding/next_tokens.h"

// The rules of beam search: what becomes of the hypotheses of one sentence in a step.
namespace ltz {

// A hypothesis that is not finished.
struct Beam {
  TokenIds tokens;                    // without the one that the decoder starts from
  std::vector<float> scores;          // cumulative log probability after each token
  std::vector<std::int32_t> history;  // rows of the decoder's memory, one a step

  float score() const { return scores.empty() ? 0.0f : scores.back(); }
  // start: what the decoder starts from.
  int last_token(int start) const { return tokens.empty() ? start : tokens.back(); }
};

// A sentence that is not finished.
struct Sentence {
  std::size_t index;                      // what the caller calls it
  int max_len;                            // tokens before </s>
  std::vector<std::int32_t> source_rows;  // of the decoder's memory
  std::vector<Beam> beams;
  std::vector<Hypothesis> finished;

  // All beams have as many tokens.
  int step() const { return static_cast<int>(beams.front().tokens.size()); }
};

// Throws ConfigError for options out of range.
void validate(const BeamOptions& options);

// The most tokens that a hypothesis has before its </s>. source_length: with </s>. Throws
// ConfigError where options.min_len is more.
int max_hypothesis_length(const BeamOptions& options, const ModelConfig& config, int source_length);

// The tokens that a hypothesis of these must not continue with; the limit of its length is not
// considered.
void find_forbidden(const TokenIds& tokens, const BeamOptions& options,
                    std::vector<int>& forbidden);

// Turns what the beams may go on with into finished hypotheses and the beams of the next step.
// first_row: of the sentence's beams in `next`.
void advance(Sentence& sentence, const NextTokens& next, std::size_t first_row,
             const BeamOptions& options);

bool done(const Sentence& sentence, const BeamOptions& options);

}  // namespace ltz
