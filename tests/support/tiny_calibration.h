#pragma once

#include "compress/recipes/calibrated.h"

namespace ltz {

// Four sentences in the vocabularies of tiny_checkpoint: 17 source and 13 target tokens.
EncodedText tiny_text();

// 400 of them, of several batches.
EncodedText long_text();

// Every sensitivity is 1. The text may be empty.
compress::Calibration tiny_calibration(const Checkpoint& checkpoint, const EncodedText& text);

}  // namespace ltz
