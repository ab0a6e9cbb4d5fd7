#pragma once

#include <optional>
#include <span>

#include "model/checkpoint/gradients.h"
#include "model/decoding/scoring.h"
#include "model/layers/transformer.h"

namespace ltz {

// What a model is trained to: a distribution over the vocabulary for every target token, and the
// loss is the cross-entropy with it.
struct Objective {
  // Of the probability of the reference's token, so much is spread over all tokens alike (Szegedy
  // et al. 2016, section 7, as fairseq has it).
  double label_smoothing = 0.1;
  // So much of everything is what the teacher says (Hinton et al. 2015, at temperature 1).
  double distillation = 0.0;
};

// Sums over target tokens, in nats.
struct TrainingLoss {
  double objective = 0.0;
  TokenLoss reference;  // negative log-likelihood of the targets

  void add(const TrainingLoss& other);
};

// Reads the sentences, and adds the gradients of the objective by all parameters. sources, targets:
// as of Transformer::start_reading. teacher: of the same target vocabulary, or null with no
// distillation. One thread computes it all; what matters is in double or in a fixed order, so that
// it comes out the same every time.
TrainingLoss backward(const Transformer& model, const Transformer* teacher,
                      std::span<const TokenIds> sources, std::span<const TokenIds> targets,
                      const Objective& objective, Gradients& gradients);

}  // namespace ltz
