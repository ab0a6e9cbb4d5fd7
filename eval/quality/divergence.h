#pragma once

#include <vector>

#include "eval/quality/cached_reading.h"

namespace ltz::eval {

// How far a model's distributions over the next word are from another's: the mean over target
// tokens of KL(reference || model), in nats, teacher-forced. It is much less noisy than the loss of
// the references, and 0 only where both agree; small changes of a model have a small one.
class Divergence {
 public:
  // Keeps the distributions of the reading's model, as it is now, 4 bytes for each target token and
  // entry of the vocabulary.
  explicit Divergence(const CachedReading& reference);

  // Of the model that reads the same sentences, as it is now; of the same vocabulary. The same for
  // any number of threads.
  double of(const CachedReading& reading) const;

 private:
  std::vector<Matrix> reference_;  // of each batch, (target tokens, vocabulary)
};

}  // namespace ltz::eval
