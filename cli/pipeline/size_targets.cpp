#include "cli/pipeline/size_targets.h"

#include <algorithm>
#include <cmath>

#include "compress/recipes/retraining.h"
#include "eval/budget/accounting.h"

namespace ltz::pipeline {
namespace {

double fp32_bytes(std::int64_t parameters) {
  return static_cast<double>(eval::fp32_bytes(parameters));
}

double foreseen_divergence(const compress::TunableCompressor& compressor, double strength) {
  double sum = 0.0;
  for (const compress::TensorForecast& tensor : compressor.forecast(strength)) {
    sum += tensor.divergence;
  }
  return sum;
}

}  // namespace

formats::SizeLimits limits_of(const eval::GateLimits& gates, const ModelConfig& config,
                              std::int64_t baseline_parameters) {
  const eval::ParameterCounts parameters = eval::count_parameters(config);
  formats::SizeLimits limits;
  for (const eval::RatioLimit& ratio : gates.min_ratios) {
    if (ratio.limit <= 0.0) {
      continue;
    }
    if (ratio.ratio == "file") {
      limits.file = std::min(limits.file, fp32_bytes(parameters.total) / ratio.limit);
    } else {
      const std::int64_t before =
          ratio.ratio == "model" ? parameters.non_embedding : baseline_parameters;
      limits.model = std::min(limits.model, fp32_bytes(before) / ratio.limit);
    }
  }
  if (gates.max_bits) {
    const double weights = static_cast<double>(parameters.non_embedding);
    limits.model = std::min(limits.model, *gates.max_bits * weights / 8.0);
  }
  if (gates.max_bytes) {
    limits.file = std::min(limits.file, static_cast<double>(*gates.max_bytes));
  }
  return limits;
}

std::optional<double> own_target(const compress::Recipe& recipe, const ModelConfig& config,
                                 std::int64_t baseline_parameters,
                                 const compress::TunableCompressor& compressor,
                                 const formats::FileForecast& forecast) {
  const std::int64_t weights = eval::count_parameters(config).non_embedding;
  const std::optional<double> target =
      compress::target_model_bytes(recipe, weights, fp32_bytes(baseline_parameters));
  const compress::CalibratedMethod* method = recipe.calibrated();
  if (!target || method == nullptr || !method->max_divergence) {
    return target;
  }
  const double start = forecast.strength(compressor, {.model = *target});
  const double found = foreseen_divergence(compressor, start);
  if (found <= *method->max_divergence) {
    return target;
  }
  // The divergence is about proportional to lambda.
  const double milder = start - std::log2(found / *method->max_divergence);
  const formats::LtzSizes sizes = forecast.sizes(compressor.forecast(milder));
  const double most_bytes = *method->max_bits_per_weight * static_cast<double>(weights) / 8.0;
  return std::min(static_cast<double>(sizes.model), most_bytes);
}

formats::SizeLimits limits_before_training(const formats::FileForecast& forecast,
                                           const compress::TunableCompressor& compressor,
                                           formats::SizeLimits limits) {
  const double strength = forecast.strength(compressor, limits);
  const double room = compress::room_for_training(compressor.forecast(strength));
  limits.model -= room;
  limits.file -= room;
  return limits;
}

}  // namespace ltz::pipeline
