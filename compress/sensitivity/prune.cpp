#include "compress/sensitivity/prune.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "model/base/error.h"

namespace ltz::compress {

namespace {

void require_finite(std::span<const float> weights) {
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (!std::isfinite(weights[i])) {
      throw ConfigError("weight " + std::to_string(i) + " is " + std::to_string(weights[i]) +
                        ", expected a finite number");
    }
  }
}

}  // namespace

float threshold_for_sparsity(std::span<const float> weights, double sparsity) {
  return threshold_for_sparsity(SortedValues(weights), sparsity);
}

float threshold_for_sparsity(const SortedValues& weights, double sparsity) {
  if (!(sparsity >= 0.0 && sparsity <= 1.0)) {
    throw ConfigError("sparsity " + std::to_string(sparsity) + ", expected a number from 0 to 1");
  }
  return weights.magnitude_of_rank(
      static_cast<std::size_t>(std::llround(sparsity * static_cast<double>(weights.size()))));
}

float standard_deviation(std::span<const float> weights) {
  require_finite(weights);
  if (weights.empty()) {
    return 0.0f;
  }
  const auto count = static_cast<double>(weights.size());
  double sum = 0.0;
  for (const float weight : weights) {
    sum += weight;
  }
  const double mean = sum / count;
  double squares = 0.0;
  for (const float weight : weights) {
    squares += (weight - mean) * (weight - mean);
  }
  return static_cast<float>(std::sqrt(squares / count));
}

Tensor prune(const Tensor& tensor, float threshold) {
  const auto* dense = std::get_if<DenseValues>(&tensor.data);
  std::vector<float> values = tensor.values();
  require_finite(values);
  for (float& value : values) {
    if (std::abs(value) <= threshold) {
      value = 0.0f;
    }
  }
  return dense_tensor(tensor.shape, std::move(values),
                      dense != nullptr ? dense->precision : Precision::kFloat32);
}

}  // namespace ltz::compress
