#pragma once

#include <span>
#include <vector>

#include "model/transformer.h"

namespace ltz {

struct BeamOptions {
  int beam = 4;
  double lenpen = 0.6;
  // A hypothesis has at most max_len_a * source length + max_len_b tokens before its </s> (source
  // length with </s>), and never more than the model's max_target_positions - 1.
  double max_len_a = 0.0;
  int max_len_b = 200;
  int min_len = 1;  // tokens before </s>
};

struct Hypothesis {
  TokenIds tokens;                       // with the final </s>
  std::vector<float> positional_scores;  // log probability of each token
  double score = 0.0;                    // their sum / (number of tokens)^lenpen
};

// Translates one batch of sentences (each with its </s>) by beam search as fairseq's
// SequenceGenerator does it: 2 x beam candidates a step over all beams of a sentence, of which a
// finished one counts only among the first `beam`; a sentence ends when `beam` hypotheses are
// finished. Returns, per sentence, at most `beam` hypotheses, best score first. A sentence's result
// does not depend on the others in the batch.
// Throws ConfigError for options out of range and for a sentence that is too long for the model.
// padded_length: see Transformer::encode.
std::vector<std::vector<Hypothesis>> beam_search(const Transformer& model,
                                                 std::span<const TokenIds> sentences,
                                                 const BeamOptions& options, int padded_length = 0);

}  // namespace ltz
