#pragma once

#include "model/checkpoint/checkpoint.h"

namespace ltz {

// tiny_checkpoint, 64 channels wide, with bell-shaped weights of a different size in every tensor.
Checkpoint wide_checkpoint();

}  // namespace ltz
