#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <set>
#include <string>
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

// Foresees the file of a model. Vocabulary, merges, configuration and provenance are the same at
// any strength: they are packed once and counted exactly.
class FileForecast {
 public:
  // made: see encode_ltz.
  explicit FileForecast(const Checkpoint& checkpoint, const Provenance& made = {});

  // Sizes of the file that these tensors will make.
  LtzSizes sizes(const std::vector<compress::TensorForecast>& tensors) const;
  // The mildest strength whose file is within the limits, as foreseen: in the search for a size,
  // the place to start from. Without limits, the compressor's own start.
  double strength(const compress::TunableCompressor& compressor, const SizeLimits& limits) const;

 private:
  std::set<std::string> tables_;
  double weights_ = 0.0;  // parameters without embeddings
  std::int64_t vocabulary_ = 0;
  std::int64_t fixed_ = 0;  // header, tables, configuration, provenance
};

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
