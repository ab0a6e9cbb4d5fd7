#pragma once

#include <span>
#include <vector>

#include "model/decoding/next_tokens.h"
#include "model/layers/transformer.h"

namespace ltz {

// The token that a language model's texts begin with: </s>, or <s> with add_bos_token.
int start_token(const ModelConfig& config);

// Throws ConfigError unless the configuration is a language model's.
void require_language_model(const ModelConfig& config);
// The reverse.
void require_translation_model(const ModelConfig& config);

// Features of the last token that a language model has read, and what it remembers of all before:
// it goes on from there at the price of one token. A copy goes on independently.
class Continuation {
 public:
  // Of an empty text. The model outlives it. Throws ConfigError for a translation model.
  explicit Continuation(const Transformer& model);

  // Reads on. Throws ConfigError, and reads nothing, for ids outside of the vocabulary and when the
  // text becomes longer than max_target_positions - 1.
  void extend(std::span<const int> tokens);
  // Tokens read, without the start.
  std::size_t size() const { return history_.size() - 1; }
  // Tokens that it can still read.
  std::size_t room() const;

  // Log probabilities of all tokens as the next one, (vocabulary).
  std::vector<float> log_probabilities() const;
  // The same at a temperature: the logits of head and tails are divided by it.
  std::vector<float> log_probabilities(double temperature) const;
  // The likeliest next tokens, best first; `logit` is the log probability. <pad> is none of them.
  std::vector<ScoredToken> best(std::size_t count) const;

 private:
  void read(std::span<const int> tokens);

  const Transformer* model_;
  DecoderState state_;
  std::vector<std::int32_t> history_;  // 0, 1, …: rows of the state
  Matrix features_;                    // (1, channels)
};

}  // namespace ltz
