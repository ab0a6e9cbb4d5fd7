#pragma once

#include <span>

#include "model/layers/transformer.h"

namespace ltz {

struct TokenLoss {
  double nats = 0.0;  // sum of the negative log-likelihoods
  std::int64_t tokens = 0;

  double mean() const { return tokens == 0 ? 0.0 : nats / static_cast<double>(tokens); }
};

// Whether a target counts: all but the <s> in front of the texts of some language models.
bool is_counted(const ModelConfig& config, int token);

// Added up in this order, so that the last bits do not depend on the threads that made them.
TokenLoss total(std::span<const TokenLoss> losses);

// Negative log-likelihood of the target sentences given the source sentences, teacher-forced: the
// decoder reads </s> and then the target without its last token. Both have their </s>, which
// counts. For a language model the sources are empty. Throws ConfigError for a sentence that is too
// long for the model. padded_length: see Transformer::encode.
TokenLoss negative_log_likelihood(const Transformer& model, std::span<const TokenIds> sources,
                                  std::span<const TokenIds> targets, int padded_length = 0);

// Log probability of one token a row; an adaptive softmax computes only the bands that these tokens
// are in. features: (tokens, channels).
std::vector<float> log_probabilities(const Transformer& model, MatrixView features,
                                     std::span<const int> tokens);

// The same of features that are there already. features: (target tokens of all sentences,
// channels), see teacher_forced_features.
TokenLoss negative_log_likelihood(const Transformer& model, MatrixView features,
                                  std::span<const TokenIds> targets);

// The decoder's features for these targets, (target tokens of all sentences, channels), in the same
// teacher-forced way; Transformer::logits makes distributions of them.
Matrix teacher_forced_features(const Transformer& model, std::span<const TokenIds> sources,
                               std::span<const TokenIds> targets, int padded_length = 0);

}  // namespace ltz
