#pragma once

#include <optional>
#include <span>

#include "model/checkpoint/gradients.h"
#include "model/decoding/scoring.h"
#include "model/layers/transformer.h"

namespace ltz {

// The target of training: a distribution over the vocabulary for every target token. The loss is
// the cross-entropy with it.
struct Objective {
  // Share of the reference token's probability that is spread evenly over all tokens (Szegedy
  // et al. 2016, section 7, as fairseq has it).
  double label_smoothing = 0.1;
  // Weight of the teacher's distribution (Hinton et al. 2015, at temperature 1).
  double distillation = 0.0;
};

// Sums over target tokens, in nats.
struct TrainingLoss {
  double objective = 0.0;
  TokenLoss reference;  // negative log-likelihood of the targets

  void add(const TrainingLoss& other);
};

// Reads the sentences, and adds the gradients of the objective by all parameters. sources, targets:
// as for Transformer::start_reading. teacher: has the same target vocabulary; null without
// distillation. Runs on one thread; sums are in double or in a fixed order, so that the result is
// the same every time.
TrainingLoss backward(const Transformer& model, const Transformer* teacher,
                      std::span<const TokenIds> sources, std::span<const TokenIds> targets,
                      const Objective& objective, Gradients& gradients);

}  // namespace ltz
