#include "compress/sensitivity/prune.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "model/base/assert.h"
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

// The tensor with zeros where the mask has them.
Tensor masked(const Tensor& tensor, std::vector<float> values, std::span<const std::uint8_t> mask) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = mask[i] != 0 ? values[i] : 0.0f;
  }
  const auto* dense = std::get_if<DenseValues>(&tensor.data);
  return dense_tensor(tensor.shape, std::move(values),
                      dense != nullptr ? dense->precision : Precision::kFloat32);
}

}  // namespace

std::size_t count_for_sparsity(std::size_t n, double sparsity) {
  if (!(sparsity >= 0.0 && sparsity <= 1.0)) {
    throw ConfigError("sparsity " + std::to_string(sparsity) + ", expected a number from 0 to 1");
  }
  return static_cast<std::size_t>(std::llround(sparsity * static_cast<double>(n)));
}

float threshold_for_sparsity(const SortedValues& weights, double sparsity) {
  return weights.magnitude_of_rank(count_for_sparsity(weights.size(), sparsity));
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
  std::vector<float> values = tensor.values();
  require_finite(values);
  std::vector<std::uint8_t> mask(values.size());
  std::ranges::transform(values, mask.begin(), [threshold](float value) {
    return static_cast<std::uint8_t>(std::abs(value) > threshold ? 1 : 0);
  });
  return masked(tensor, std::move(values), mask);
}

Tensor prune_smallest(const Tensor& tensor, std::size_t count) {
  std::vector<float> values = tensor.values();
  const std::vector<std::uint8_t> mask = mask_of_largest(values, count);
  return masked(tensor, std::move(values), mask);
}

std::vector<std::uint8_t> mask_of_largest(std::span<const float> weights, std::size_t count) {
  LTZ_ASSERT(count <= weights.size());
  require_finite(weights);
  std::vector<std::uint8_t> mask(weights.size(), 1);
  if (count == 0) {
    return mask;
  }
  std::vector<float> magnitudes(weights.size());
  std::ranges::transform(weights, magnitudes.begin(), [](float value) { return std::abs(value); });
  const auto last = magnitudes.begin() + static_cast<std::ptrdiff_t>(count - 1);
  std::ranges::nth_element(magnitudes, last);
  const float highest = *last;
  auto equal = static_cast<std::size_t>(std::count(magnitudes.begin(), last + 1, highest));
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const float magnitude = std::abs(weights[i]);
    const bool tied = magnitude == highest && equal > 0;
    equal -= tied ? 1 : 0;
    mask[i] = magnitude < highest || tied ? 0 : 1;
  }
  return mask;
}

}  // namespace ltz::compress
