#pragma once

#include <functional>
#include <limits>
#include <vector>

#include "compress/recipes/tunable.h"
#include "formats/ltz/ltz.h"

namespace ltz::formats {

// What a file may take at most, in bytes.
struct SizeLimits {
  double model = std::numeric_limits<double>::infinity();  // as LtzSizes has it
  double file = std::numeric_limits<double>::infinity();

  bool any() const;
};

// Sizes of the file that these tensors will make; vocabulary and configuration are counted exactly.
LtzSizes foreseen_sizes(const Checkpoint& checkpoint,
                        const std::vector<compress::TensorForecast>& tensors);

// The mildest strength whose file is within the limits, as foreseen: in the search for a size, the
// place to start from. Without limits, the compressor's own start.
double foreseen_strength(const Checkpoint& checkpoint,
                         const compress::TunableCompressor& compressor, const SizeLimits& limits);

struct SizeFitOptions {
  SizeLimits limits;
  double start = 0.0;  // strength
  compress::StrengthRange range;
  double weights = 0.0;        // parameters without embeddings
  double close_enough = 0.01;  // relative: a file that much below the limits will do
};

// The mildest strength whose file is within the limits, by the files themselves; without limits,
// the start. sizes_at: of the file of a strength. Unless something fits, the strongest that was
// tried.
compress::SizeSearchResult fitting_strength(
    const std::function<LtzSizes(double strength)>& sizes_at, const SizeFitOptions& options);

}  // namespace ltz::formats
