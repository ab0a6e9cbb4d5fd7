#include "compress/noise_sensitivity.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "model/error.h"

namespace ltz::compress {
namespace {

// Mean over inputs of x^T x.
double mean_square(const InputMoments& moments) {
  const auto columns = static_cast<std::size_t>(moments.columns());
  double trace = 0.0;
  for (std::size_t i = 0; i < columns; ++i) {
    trace += moments.second[i * columns + i];
  }
  return trace / static_cast<double>(moments.count);
}

double mean_square(const std::vector<float>& values) {
  double sum = 0.0;
  for (const float value : values) {
    sum += static_cast<double>(value) * value;
  }
  return sum / static_cast<double>(values.size());
}

// Uniform in [-1, 1), the same on every platform.
double symmetric_uniform(std::mt19937_64& random) {
  return static_cast<double>(random() >> 11) * 0x1p-52 - 1.0;
}

}  // namespace

std::map<std::string, double> noise_sensitivity(
    const Checkpoint& checkpoint, const std::map<std::string, InputMoments>& moments,
    const RowWeights& row_weights, const Quality& quality, const NoiseOptions& options,
    const std::function<void(std::size_t done, std::size_t total)>& on_tensor) {
  std::map<std::string, double> sensitivities;
  for (const auto& [name, inputs] : moments) {
    std::vector<float> values = checkpoint.tensors.at(name).values();
    const auto columns = static_cast<std::size_t>(inputs.columns());
    const std::size_t rows = values.size() / columns;
    const auto weights = row_weights.find(name);
    // Variance 1/3 for uniform noise of amplitude 1. With row weights g the noise has the variance
    // of one without, divided by g, so that every row counts the same in the weighted error.
    const double variance = options.relative_error * mean_square(values);
    std::mt19937_64 random(options.seed);
    for (std::size_t r = 0; r < rows; ++r) {
      const double weight = weights == row_weights.end() ? 1.0 : weights->second[r];
      const double amplitude = std::sqrt(3.0 * variance / weight);
      for (std::size_t i = r * columns; i < (r + 1) * columns; ++i) {
        values[i] += static_cast<float>(amplitude * symmetric_uniform(random));
      }
    }
    const double error = static_cast<double>(rows) * variance * mean_square(inputs);
    Replacements replacements;
    replacements.emplace(name, dense_tensor(checkpoint.tensors.at(name).shape, std::move(values)));
    const double found = quality(replacements);
    if (!std::isfinite(found)) {
      throw ConfigError("tensor " + name + ": its sensitivity is not finite");
    }
    // A tensor that the text does not reach still has to be worth something.
    sensitivities[name] = error > 0.0 ? std::max(found, 0.0) / error : 0.0;
    if (on_tensor) {
      on_tensor(sensitivities.size(), moments.size());
    }
  }
  return sensitivities;
}

}  // namespace ltz::compress
