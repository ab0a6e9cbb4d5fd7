#pragma once

#include "compress/recipes/calibrated.h"

namespace ltz {

// Four sentences in the vocabularies of tiny_checkpoint: 17 source and 13 target tokens.
compress::CalibrationText tiny_text();

// 400 of them, of several batches.
compress::CalibrationText long_text();

// Every sensitivity is 1. The text may be empty.
compress::Calibration tiny_calibration(const Checkpoint& checkpoint,
                                       const compress::CalibrationText& text);

}  // namespace ltz
