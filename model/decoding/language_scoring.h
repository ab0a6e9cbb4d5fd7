#pragma once

#include <span>
#include <vector>

#include "model/decoding/text_blocks.h"
#include "model/layers/transformer.h"

namespace ltz {

// Log probabilities of every target of every block, given the inputs up to it. A block's result
// does not depend on the others. Throws ConfigError for a translation model and for a block longer
// than max_target_positions.
std::vector<std::vector<float>> log_probabilities(const Transformer& model,
                                                  std::span<const TextBlock> blocks);

}  // namespace ltz
