#pragma once

#include <cstddef>
#include <vector>

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

}  // namespace ltz::formats
