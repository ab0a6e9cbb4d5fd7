#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include "compress/calibration/input_moments.h"
#include "model/checkpoint/tensor.h"

// A linear layer of random weights and its inputs, to compress.
namespace ltz {

inline constexpr std::size_t kLayerRows = 24;
inline constexpr std::size_t kLayerColumns = 12;

// In [-1, 1), the same on every machine.
float symmetric_uniform(std::mt19937& random);

// (kLayerRows, kLayerColumns), in (-1, 1), more of them near 0.
std::vector<float> random_weights(unsigned seed);

// (500, kLayerColumns): each column is mostly the one before it, plus the mean.
Matrix correlated_inputs(unsigned seed, float mean = 0.0f);

compress::InputMoments moments_of(const Matrix& x);

// (kLayerRows, kLayerColumns)
std::vector<float> values_of(const QuantizedValues& quantized);

// How the errors in a layer's outputs are counted.
struct OutputErrorOptions {
  bool centred = false;                      // without the mean over inputs
  std::span<const double> row_weights = {};  // (kLayerRows); empty: all 1
};

// Mean over inputs of ||(W - Q) x||^2, the plain way. w, q: (kLayerRows, kLayerColumns).
double output_error(const std::vector<float>& w, const std::vector<float>& q, const Matrix& x,
                    const OutputErrorOptions& options = {});

// Of all codes, in bits, by their frequencies alone.
double total_entropy(std::span<const std::uint8_t> codes);

}  // namespace ltz
