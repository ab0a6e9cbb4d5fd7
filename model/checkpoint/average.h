#pragma once

#include "model/checkpoint/checkpoint.h"

namespace ltz {

// The mean of several checkpoints of one training run, as fairseq's average_checkpoints.py takes
// it: float32 sums in the order of add(), then one division. The paper averages the last 10 epochs.
class CheckpointAverage {
 public:
  // Throws ConfigError unless configuration, vocabularies and merges are those of the first one.
  // Codebooks count as the values they stand for.
  void add(Checkpoint checkpoint);
  // The mean of what was added, all in float32; a single checkpoint comes back as it was. Throws
  // ConfigError when nothing was added. Leaves the object empty.
  Checkpoint take();

 private:
  Checkpoint sum_;
  int count_ = 0;
};

}  // namespace ltz
