#pragma once

#include "model/checkpoint/config.h"

namespace ltz {

// A small, valid language model: the decoder of random_architecture with, in turn, plain and
// adaptive inputs and outputs, tied in all ways, and all activations. The same for the same seed on
// every machine.
ModelConfig random_language_model(unsigned seed);

}  // namespace ltz
