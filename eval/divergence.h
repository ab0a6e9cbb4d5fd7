#pragma once

#include <vector>

#include "model/translator.h"

namespace ltz::eval {

// How far a model's distributions over the next word are from another's: the mean over target
// tokens of KL(reference || model), in nats, teacher-forced. It is much less noisy than the loss of
// the references, and 0 only where both agree; small changes of a model have a small one.
class Divergence {
 public:
  // Keeps the reference's distributions on these sentences, 4 bytes for each target token and entry
  // of the vocabulary. Throws ConfigError when the numbers of sentences differ.
  Divergence(const Transformer& reference, std::vector<TokenIds> sources,
             std::vector<TokenIds> targets);

  // model: of the same vocabulary. The same for any number of threads.
  double of(const Transformer& model) const;

 private:
  // Log-probabilities of one batch, (target tokens, vocabulary).
  Matrix log_probabilities(const Transformer& model, const std::vector<std::size_t>& batch) const;

  std::vector<TokenIds> sources_;
  std::vector<TokenIds> targets_;
  std::vector<std::vector<std::size_t>> batches_;
  std::vector<Matrix> reference_;
};

}  // namespace ltz::eval
