#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <random>
#include <vector>

#include "compress/training/free_codes.h"
#include "compress/training/trained_tensor.h"
#include "tests/support/random_layer.h"

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

inline double coded_bits(const Tensor& tensor) {
  const auto& quantized = std::get<QuantizedValues>(tensor.data);
  return compress::coded_bits(quantized.codes, static_cast<std::size_t>(tensor.shape.front()),
                              quantized.centroids);
}

// Whether the same elements share a code; a code may have another number, by the order of
// centroids.
inline bool same_cells(const std::vector<std::uint8_t>& a, const std::vector<std::uint8_t>& b) {
  std::map<std::uint8_t, std::uint8_t> to_b;
  std::map<std::uint8_t, std::uint8_t> to_a;
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) {
    if (to_b.emplace(a[i], b[i]).first->second != b[i] ||
        to_a.emplace(b[i], a[i]).first->second != a[i]) {
      return false;
    }
  }
  return a.size() == b.size();
}

}  // namespace ltz
