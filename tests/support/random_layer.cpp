#include "tests/support/random_layer.h"

#include <array>
#include <cmath>

namespace ltz {

float symmetric_uniform(std::mt19937& random) {
  return static_cast<float>(random() >> 8) * 0x1p-23f - 1.0f;
}

std::vector<float> random_weights(unsigned seed) {
  std::mt19937 random(seed);
  std::vector<float> weights(kLayerRows * kLayerColumns);
  for (float& weight : weights) {
    weight = symmetric_uniform(random);
    weight *= symmetric_uniform(random);
  }
  return weights;
}

Matrix correlated_inputs(unsigned seed, float mean) {
  std::mt19937 random(seed);
  Matrix x(500, kLayerColumns);
  for (Eigen::Index row = 0; row < x.rows(); ++row) {
    float value = 0.0f;
    for (Eigen::Index column = 0; column < x.cols(); ++column) {
      value = 0.9f * value + symmetric_uniform(random);
      x(row, column) = value + mean;
    }
  }
  return x;
}

compress::InputMoments moments_of(const Matrix& x) {
  compress::InputMoments moments;
  moments.add(x);
  return moments;
}

std::vector<float> values_of(const QuantizedValues& quantized) {
  return Tensor{{kLayerRows, kLayerColumns}, quantized}.values();
}

double output_error(const std::vector<float>& w, const std::vector<float>& q, const Matrix& x,
                    const OutputErrorOptions& options) {
  double error = 0.0;
  for (std::size_t row = 0; row < kLayerRows; ++row) {
    std::vector<double> outputs;
    double mean = 0.0;
    for (Eigen::Index i = 0; i < x.rows(); ++i) {
      double y = 0.0;
      for (std::size_t c = 0; c < kLayerColumns; ++c) {
        y += (w[row * kLayerColumns + c] - q[row * kLayerColumns + c]) *
             static_cast<double>(x(i, static_cast<Eigen::Index>(c)));
      }
      outputs.push_back(y);
      mean += y / static_cast<double>(x.rows());
    }
    const double weight = options.row_weights.empty() ? 1.0 : options.row_weights[row];
    for (const double y : outputs) {
      const double part = options.centred ? y - mean : y;
      error += weight * part * part / static_cast<double>(x.rows());
    }
  }
  return error;
}

double total_entropy(std::span<const std::uint8_t> codes) {
  std::array<double, 256> counts = {};
  for (const std::uint8_t code : codes) {
    counts[code] += 1.0;
  }
  double bits = 0.0;
  for (const double count : counts) {
    bits -= count == 0.0 ? 0.0 : count * std::log2(count / static_cast<double>(codes.size()));
  }
  return bits;
}

}  // namespace ltz
