#pragma once

#include <cstddef>
#include <vector>

#include "compress/training/adam.h"

namespace ltz::compress {

struct TrainingStep {
  double learning_rate = 0.0;
  // What the gradient is multiplied by first: one over the number of tokens, and less where it is
  // clipped.
  double gradient_scale = 1.0;
};

// All that changes while a tensor is trained, to go on from later: floats, as they are easily
// written to any file. Counts of updates are exact up to 2^24.
using TrainingState = std::vector<std::vector<float>>;

// Adds {first, second, {updates}}.
void append(TrainingState& state, const AdamState& adam);
// What append() added, from number `first` on.
AdamState adam_state(const TrainingState& state, std::size_t first);
// Throws ConfigError, naming both, unless the state has vectors of these sizes.
void require_sizes(const TrainingState& state, const std::vector<std::size_t>& sizes);

}  // namespace ltz::compress
