#include "compress/recipes/tunable.h"

#include <cmath>
#include <limits>
#include <map>

#include "compress/recipes/size_estimates.h"

namespace ltz::compress {
namespace {

double non_embedding_parameters(const Checkpoint& checkpoint) {
  std::int64_t parameters = 0;
  for (const ParameterSpec& spec : parameter_specs(checkpoint.config)) {
    parameters += spec.component == Component::kEmbedding ? 0 : element_count(spec.shape);
  }
  return static_cast<double>(parameters);
}

TensorForecast as_float16(const ParameterSpec& spec) {
  const auto elements = static_cast<double>(element_count(spec.shape));
  return {.name = spec.name, .method = "float16", .bytes = kFloat16Bytes * elements + kIndexBytes};
}

TensorForecast forecast_of(const TensorDecision& decision) {
  const bool pruned = decision.sparsity > 0.0;
  const std::string method = decision.bits == 0 ? "float16" : "k-means";
  return {.name = decision.name,
          .method = pruned ? "pruned + " + method : method,
          .centroids = decision.bits == 0 ? 0 : std::size_t{1} << decision.bits,
          .sparsity = decision.sparsity,
          .bytes = decision.estimated_bytes};
}

TensorForecast forecast_of(const TensorEstimate& estimate) {
  return {.name = estimate.name,
          .method = std::string(estimate.codebook),
          .centroids = estimate.centroids,
          .sparsity = estimate.sparsity,
          .bytes = estimate.bits / 8.0 +
                   kSecondOrderCentroidBytes * static_cast<double>(estimate.centroids) +
                   kIndexBytes,
          .divergence = estimate.divergence};
}

// decided: decisions or estimates; what has none becomes float16.
template <typename Decided>
std::vector<TensorForecast> in_order(const Checkpoint& checkpoint, const Decided& decided) {
  std::map<std::string, TensorForecast> by_name;
  for (const auto& tensor : decided) {
    by_name.emplace(tensor.name, forecast_of(tensor));
  }
  std::vector<TensorForecast> forecasts;
  for (const ParameterSpec& spec : parameter_specs(checkpoint.config)) {
    const auto found = by_name.find(spec.name);
    forecasts.push_back(found == by_name.end() ? as_float16(spec) : found->second);
  }
  return forecasts;
}

}  // namespace

TunablePlanner::TunablePlanner(const Checkpoint& checkpoint, const SensitivityCurves* curves,
                               const Recipe& recipe, double baseline_bytes)
    : checkpoint_(checkpoint),
      curves_(curves),
      recipe_(recipe),
      baseline_bytes_(baseline_bytes),
      planner_(checkpoint, curves, recipe),
      weights_(non_embedding_parameters(checkpoint)),
      own_(planner_.for_recipe(baseline_bytes)),
      mildest_(pruning_method(recipe).sparsity ? own_ : planner_.at(0.0)),
      strongest_(planner_.at(std::numeric_limits<double>::infinity())),
      range_{.mildest = strength_of(mildest_), .strongest = strength_of(strongest_)},
      start_(strength_of(own_)) {}

double TunablePlanner::strength_of(const CompressionPlan& plan) const {
  return -16.0 * plan.estimated_model_bytes / weights_;
}

const CompressionPlan& TunablePlanner::plan_at(double strength) const {
  if (strength == start_) {
    return own_;
  }
  if (strength <= range_.mildest || strength >= range_.strongest) {
    return strength <= range_.mildest ? mildest_ : strongest_;
  }
  if (!last_ || last_->first != strength) {
    last_.emplace(strength, planner_.for_bytes(-strength / 16.0 * weights_));
  }
  return last_->second;
}

std::vector<TensorForecast> TunablePlanner::forecast(double strength) const {
  return in_order(checkpoint_, plan_at(strength).decisions);
}

Checkpoint TunablePlanner::compress(double strength, const Progress& on_stage) const {
  Checkpoint compressed = apply(checkpoint_, plan_at(strength));
  if (on_stage) {
    on_stage(1, 1);
  }
  return compressed;
}

TunablePlanner TunablePlanner::with(const Checkpoint& checkpoint) const {
  return {checkpoint, curves_, recipe_, baseline_bytes_};
}

TunableCalibrated::TunableCalibrated(const Checkpoint& checkpoint, const Calibration& calibration,
                                     const Recipe& recipe)
    : checkpoint_(checkpoint), compressor_(checkpoint, calibration, recipe) {}

std::vector<TensorForecast> TunableCalibrated::forecast(double strength) const {
  const auto known = forecasts_.find(strength);
  if (known != forecasts_.end()) {
    return known->second;
  }
  return forecasts_[strength] = in_order(checkpoint_, compressor_.estimate(std::exp2(strength)));
}

Checkpoint TunableCalibrated::compress(double strength, const Progress& on_stage) const {
  return compressor_.compress(std::exp2(strength), on_stage);
}

}  // namespace ltz::compress
