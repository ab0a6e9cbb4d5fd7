#pragma once

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <random>
#include <vector>

#include "compress/code_levels.h"
#include "compress/trained_tensor.h"
#include "tests/unit/random_layer.h"

// Tensors to train and random gradients.
namespace ltz {

inline std::vector<float> values_of(const compress::TrainedTensor& trained, std::size_t size) {
  std::vector<float> values(size);
  trained.values(values);
  return values;
}

inline std::vector<float> random_gradient(std::size_t size, std::mt19937& random) {
  std::vector<float> gradient(size);
  std::ranges::generate(gradient, [&] { return symmetric_uniform(random); });
  return gradient;
}

// (rows, columns), of seven centroids, zero among them, the outer ones less frequent; with a scale
// for each row.
inline Tensor scaled_codebook(std::size_t rows, std::size_t columns = 10) {
  std::mt19937 random(7);
  QuantizedValues quantized{.centroids = {-0.75f, -0.5f, -0.25f, 0.0f, 0.1875f, 0.5f, 1.0f},
                            .codes = {}};
  for (std::size_t i = 0; i < rows * columns; ++i) {
    quantized.codes.push_back(static_cast<std::uint8_t>((random() % 4) + (random() % 4)));
  }
  for (std::size_t r = 0; r < rows; ++r) {
    quantized.row_scales.push_back(static_cast<std::uint8_t>(90 + 5 * (r % 8)));
  }
  return {{static_cast<std::int64_t>(rows), static_cast<std::int64_t>(columns)}, quantized};
}

// What a coder that knows rows and columns needs for the codes of a matrix with a zero: their
// entropy by level.
inline double coded_bits(const Tensor& tensor) {
  const auto& [centroids, codes, row_scales] = std::get<QuantizedValues>(tensor.data);
  const auto zero = std::ranges::find(centroids, 0.0f) - centroids.begin();
  std::vector<std::uint8_t> magnitudes;
  for (const std::uint8_t code : codes) {
    magnitudes.push_back(static_cast<std::uint8_t>(std::abs(code - zero)));
  }
  const auto rows = static_cast<std::size_t>(tensor.shape.front());
  compress::CodeLevels levels(rows, codes.size() / rows);
  levels.learn(magnitudes);
  std::map<std::size_t, std::map<std::uint8_t, double>> counts;
  std::map<std::size_t, double> totals;
  levels.each(0, codes.size(), [&](std::size_t i, std::size_t level) {
    counts[level][codes[i]] += 1.0;
    totals[level] += 1.0;
  });
  double bits = 0.0;
  for (const auto& [level, found] : counts) {
    for (const auto& [code, count] : found) {
      bits += count * std::log2(totals[level] / count);
    }
  }
  return bits;
}

}  // namespace ltz
