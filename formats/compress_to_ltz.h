#pragma once

#include <cstddef>
#include <vector>

#include "compress/calibrated.h"
#include "compress/plan.h"

namespace ltz::formats {

// Compresses a model by a recipe and packs it. The planner's estimate of the file is a little off,
// so it is asked again for as much more or less as the file was off; the largest file that is small
// enough wins.
// curves: null where nothing was measured. baseline_bytes: what paper_ratio is a ratio to.
// Throws ConfigError as Planner and apply do, and when no file is small enough.
std::vector<std::byte> compress_to_ltz(const Checkpoint& checkpoint,
                                       const compress::SensitivityCurves* curves,
                                       const compress::Recipe& recipe, double baseline_bytes);

// The same with a compressor that looks at what the layers see: finds the lambda for which the
// model without embeddings takes at most model_bytes, by its estimates first and then by the files
// themselves. Throws ConfigError when no file is small enough. on_stage: of every attempt.
std::vector<std::byte> compress_to_ltz(const compress::CalibratedCompressor& compressor,
                                       double model_bytes,
                                       const compress::StageProgress& on_stage = {});

}  // namespace ltz::formats
