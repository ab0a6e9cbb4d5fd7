#include "formats/records/size_fit.h"

#include <algorithm>
#include <cmath>
#include "formats/bytes/config_json.h"
#include "formats/bytes/word_list.h"
#include "formats/ltz/block.h"
#include "formats/ltz/index.h"

namespace ltz::formats {
namespace {

constexpr int kForecasts = 8;
constexpr int kFiles = 6;
constexpr double kForecastTolerance = 0.02;  // bits per weight

std::int64_t packed_size(const std::string& text) {
  return static_cast<std::int64_t>(pack_block(text).size());
}

std::int64_t vocabulary_size(const Checkpoint& checkpoint) {
  std::int64_t bytes = packed_size(join_lines(checkpoint.source_vocabulary.words()));
  if (checkpoint.target_vocabulary != checkpoint.source_vocabulary) {
    bytes += packed_size(join_lines(checkpoint.target_vocabulary.words()));
  }
  if (!checkpoint.merges.empty()) {
    bytes += packed_size(join_lines(merge_lines(checkpoint.merges)));
  }
  if (!checkpoint.sentencepiece.empty()) {
    bytes += packed_size(checkpoint.sentencepiece);
  }
  return bytes;
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

FileForecast::FileForecast(const Checkpoint& checkpoint, const Provenance& made)
    : tables_(embedding_names(checkpoint.config)), vocabulary_(vocabulary_size(checkpoint)) {
  constexpr std::size_t kEntry = 24;  // of the section table; the header is as long
  constexpr std::size_t kSections = 7;
  fixed_ = static_cast<std::int64_t>(kEntry * (1 + kSections) +
                                     pack_block(config_text(checkpoint.config)).size());
  if (!made.empty()) {
    fixed_ += static_cast<std::int64_t>(kEntry + pack_block(provenance_text(made)).size());
  }
  for (const auto& [name, tensor] : checkpoint.tensors) {
    weights_ += tables_.contains(name) ? 0.0 : static_cast<double>(tensor.size());
  }
}

LtzSizes FileForecast::sizes(const std::vector<compress::TensorForecast>& tensors) const {
  double embedding = 0.0;
  double model = 0.0;
  for (const compress::TensorForecast& tensor : tensors) {
    (tables_.contains(tensor.name) ? embedding : model) += tensor.bytes;
  }
  LtzSizes sizes{.embedding = std::llround(embedding),
                 .vocabulary = vocabulary_,
                 .model = std::llround(model) + fixed_};
  sizes.total = sizes.embedding + sizes.vocabulary + sizes.model;
  return sizes;
}

double FileForecast::strength(const compress::TunableCompressor& compressor,
                              const SizeLimits& limits) const {
  if (!limits.any()) {
    return compressor.start();
  }
  return compress::size_search(
             [&](double strength) {
               return excess(sizes(compressor.forecast(strength)), limits, weights_);
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
