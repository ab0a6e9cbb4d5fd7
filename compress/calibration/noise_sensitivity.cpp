#include "compress/calibration/noise_sensitivity.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "compress/calibration/calibration.h"
#include "compress/calibration/input_geometry.h"
#include "model/base/blas.h"
#include "model/base/error.h"
#include "model/checkpoint/parameter_names.h"

namespace ltz::compress {
namespace {

// Uniform in [-1, 1), the same on every platform.
double symmetric_uniform(std::mt19937_64& random) {
  return static_cast<double>(random() >> 11) * 0x1p-52 - 1.0;
}

// What rounding with error feedback leaves (rows, columns), by place: the rounding of column i, the
// same in all directions, and what the columns behind it do against it.
Square rounding_noise(Eigen::Index rows, const InputGeometry& geometry, std::mt19937_64& random) {
  Square noise(rows, geometry.u.rows());
  for (Eigen::Index i = 0; i < noise.size(); ++i) {
    noise.data()[i] = symmetric_uniform(random);
  }
  return noise * (geometry.u.diagonal().cwiseInverse().asDiagonal() *
                  Square(geometry.u.triangularView<Eigen::Upper>()));
}

// The matrix with noise, (rows, columns) by place; and its bias, if it has one, which takes up the
// mean of what the noise puts out.
Replacements with_noise(const Checkpoint& checkpoint, const std::string& name, const Square& noise,
                        const InputGeometry& geometry, const InputMoments& inputs) {
  std::vector<float> weights = checkpoint.tensors.at(name).values();
  const std::string bias = bias_of(name);
  std::vector<float> shifted;
  if (checkpoint.tensors.contains(bias)) {
    shifted = checkpoint.tensors.at(bias).values();
  }
  for (Eigen::Index r = 0; r < noise.rows(); ++r) {
    double mean = 0.0;
    for (Eigen::Index i = 0; i < noise.cols(); ++i) {
      const Eigen::Index column = geometry.order[static_cast<std::size_t>(i)];
      weights[static_cast<std::size_t>(r * noise.cols() + column)] +=
          static_cast<float>(noise(r, i));
      mean += noise(r, i) * inputs.sum[static_cast<std::size_t>(column)] /
              static_cast<double>(inputs.count);
    }
    if (!shifted.empty()) {
      shifted[static_cast<std::size_t>(r)] -= static_cast<float>(mean);
    }
  }
  Replacements replacements;
  replacements.emplace(name, dense_tensor(checkpoint.tensors.at(name).shape, std::move(weights)));
  if (!shifted.empty()) {
    const Shape shape = checkpoint.tensors.at(bias).shape;
    replacements.emplace(bias, dense_tensor(shape, std::move(shifted)));
  }
  return replacements;
}

}  // namespace

std::map<std::string, double> noise_sensitivity(const Checkpoint& checkpoint,
                                                const std::map<std::string, InputMoments>& moments,
                                                const RowWeights& row_weights,
                                                const Quality& quality, const NoiseOptions& options,
                                                const Progress& on_tensor) {
  std::map<std::string, double> sensitivities;
  for (const auto& [name, inputs] : moments) {
    const Tensor& tensor = checkpoint.tensors.at(name);
    const InputGeometry geometry =
        input_geometry(inputs, {.centred = checkpoint.tensors.contains(bias_of(name))});
    const std::vector<float> weights = tensor.values();
    const auto rows = static_cast<Eigen::Index>(weights.size()) / inputs.columns();
    const auto found = row_weights.find(name);
    std::mt19937_64 random(options.seed);
    Square noise = rounding_noise(rows, geometry, random);
    double error = 0.0;
    double output = 0.0;
    for (Eigen::Index r = 0; r < rows; ++r) {
      // With row weights g the noise has the variance of one without, divided by g, so that every
      // row counts the same in the weighted error.
      const double weight =
          found == row_weights.end() ? 1.0 : found->second[static_cast<std::size_t>(r)];
      noise.row(r) /= std::sqrt(weight);
      const Row row =
          Eigen::Map<const RowVector>(weights.data() + r * inputs.columns(), inputs.columns())
              .cast<double>()(geometry.order);
      output += weight * (row * geometry.h).dot(row);
      error += weight * (noise.row(r) * geometry.h).dot(noise.row(r));
    }
    if (!(error > 0.0) || !(output > 0.0)) {
      sensitivities[name] = 0.0;
      continue;
    }
    const double scale = std::sqrt(options.relative_error * output / error);
    const Replacements replacements = with_noise(checkpoint, name, scale * noise, geometry, inputs);
    const double quality_found = quality(replacements);
    if (!std::isfinite(quality_found)) {
      throw ConfigError("tensor " + name + ": its sensitivity is not finite");
    }
    sensitivities[name] = std::max(quality_found, 0.0) / (scale * scale * error);
    if (on_tensor) {
      on_tensor(sensitivities.size(), moments.size());
    }
  }
  return sensitivities;
}

}  // namespace ltz::compress
