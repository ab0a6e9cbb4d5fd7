#include "formats/records/size_fit.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "formats/bytes/config_json.h"
#include "formats/bytes/word_list.h"
#include "formats/ltz/block.h"
#include "formats/ltz/index.h"

namespace ltz::formats {
namespace {

constexpr int kForecasts = 8;
constexpr int kFiles = 6;
constexpr double kForecastTolerance = 0.02;  // bits per weight

std::int64_t packed_size(const std::vector<std::string>& lines) {
  return static_cast<std::int64_t>(pack_block(join_lines(lines)).size());
}

std::int64_t vocabulary_size(const Checkpoint& checkpoint) {
  std::int64_t bytes = packed_size(checkpoint.source_vocabulary.words());
  if (checkpoint.target_vocabulary != checkpoint.source_vocabulary) {
    bytes += packed_size(checkpoint.target_vocabulary.words());
  }
  if (!checkpoint.merges.empty()) {
    bytes += packed_size(merge_lines(checkpoint.merges));
  }
  return bytes;
}

double parameters_without_embeddings(const Checkpoint& checkpoint) {
  const std::set<std::string> tables = table_names(checkpoint.config);
  double parameters = 0.0;
  for (const auto& [name, tensor] : checkpoint.tensors) {
    parameters += tables.contains(name) ? 0.0 : static_cast<double>(tensor.size());
  }
  return parameters;
}

// Bits per weight that there are too many.
double excess(const LtzSizes& sizes, const SizeLimits& limits, double weights) {
  return 8.0 *
         std::max(static_cast<double>(sizes.model) - limits.model,
                  static_cast<double>(sizes.total) - limits.file) /
         weights;
}

}  // namespace

bool SizeLimits::any() const {
  return std::isfinite(model) || std::isfinite(file);
}

LtzSizes foreseen_sizes(const Checkpoint& checkpoint,
                        const std::vector<compress::TensorForecast>& tensors) {
  constexpr std::int64_t kHeader = 24 * 8;  // and the section table
  const std::set<std::string> tables = table_names(checkpoint.config);
  double embedding = 0.0;
  double model = 0.0;
  for (const compress::TensorForecast& tensor : tensors) {
    (tables.contains(tensor.name) ? embedding : model) += tensor.bytes;
  }
  LtzSizes sizes{.embedding = std::llround(embedding),
                 .vocabulary = vocabulary_size(checkpoint),
                 .model = std::llround(model) + kHeader};
  sizes.model += static_cast<std::int64_t>(pack_block(config_text(checkpoint.config)).size());
  sizes.total = sizes.embedding + sizes.vocabulary + sizes.model;
  return sizes;
}

double foreseen_strength(const Checkpoint& checkpoint,
                         const compress::TunableCompressor& compressor, const SizeLimits& limits) {
  if (!limits.any()) {
    return compressor.start();
  }
  const double weights = parameters_without_embeddings(checkpoint);
  return compress::size_search(
             [&](double strength) {
               return excess(foreseen_sizes(checkpoint, compressor.forecast(strength)), limits,
                             weights);
             },
             {.start = compressor.start(),
              .range = compressor.range(),
              .most_trials = kForecasts,
              .close_enough = kForecastTolerance})
      .strength;
}

compress::SizeSearchResult fitting_strength(
    const std::function<LtzSizes(double strength)>& sizes_at, const SizeFitOptions& options) {
  const double least = std::min(options.limits.model, options.limits.file);
  return compress::size_search(
      [&](double strength) { return excess(sizes_at(strength), options.limits, options.weights); },
      {.start = options.start,
       .range = options.range,
       .most_trials = kFiles,
       .close_enough = 8.0 * options.close_enough * least / options.weights});
}

}  // namespace ltz::formats
