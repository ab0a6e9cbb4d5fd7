#include "compress/codebooks/quantize.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "compress/codebooks/codebook.h"
#include "model/base/error.h"

namespace ltz::compress {

namespace {

// Strictly ascending, without zero.
std::vector<float> round_centroids(std::span<const float> centroids) {
  std::vector<float> rounded;
  for (const float centroid : centroids) {
    const float value = round_centroid(centroid);
    if (rounded.empty() || rounded.back() < value) {
      rounded.push_back(value);
    }
  }
  return rounded;
}

}  // namespace

Tensor quantize(const Tensor& tensor, const QuantizeOptions& options) {
  const std::vector<float> values = tensor.values();
  return quantize(tensor.shape, values, SortedValues(values), options);
}

Tensor quantize(const Shape& shape, std::span<const float> values, const SortedValues& sorted,
                const QuantizeOptions& options) {
  return quantize(shape, values, centroids_above(sorted, 0.0f, options));
}

std::vector<float> centroids_above(const SortedValues& sorted, float threshold,
                                   const QuantizeOptions& options) {
  if (options.bits < 1 || options.bits > 8) {
    throw ConfigError(std::to_string(options.bits) + " bits per code, expected 1 to 8");
  }
  const KeptValues kept(sorted, threshold);
  const bool zeros = kept.size() < sorted.size();
  return fit_codebook(kept, {.centroids = (1 << options.bits) - (zeros ? 1 : 0),
                             .init = options.init,
                             .max_iterations = options.max_iterations,
                             .seed = options.seed})
      .centroids;
}

Tensor quantize(const Shape& shape, std::span<const float> values,
                std::span<const float> centroids) {
  const bool zeros = std::ranges::find(values, 0.0f) != values.end();
  QuantizedValues quantized;
  quantized.centroids = round_centroids(centroids);
  if (quantized.centroids.empty()) {
    quantized.codes.assign(values.size(), 0);
  } else {
    quantized.codes = nearest_codes(values, quantized.centroids);
  }
  if (zeros) {
    const auto zero_code = static_cast<std::uint8_t>(place_of_zero(quantized.centroids));
    quantized.centroids.insert(quantized.centroids.begin() + zero_code, 0.0f);
    for (std::size_t i = 0; i < values.size(); ++i) {
      std::uint8_t& code = quantized.codes[i];
      if (values[i] == 0.0f) {
        code = zero_code;
      } else if (code >= zero_code) {
        ++code;
      }
    }
  }
  tidy_codebook(quantized);
  return Tensor{shape, std::move(quantized)};
}

bool worth_quantizing(const ParameterSpec& spec, int bits) {
  constexpr std::int64_t kElementsPerCentroid = 4;
  return (spec.role == Role::kMatrix || spec.role == Role::kTable) &&
         element_count(spec.shape) >= kElementsPerCentroid << bits;
}

Tensor to_float16(const Tensor& tensor) {
  std::vector<float> values = tensor.values();
  for (float& value : values) {
    value = checked_float16(value, "element");
  }
  return dense_tensor(tensor.shape, std::move(values), Precision::kFloat16);
}

Tensor to_16_bits(const Tensor& tensor) {
  const auto* dense = std::get_if<DenseValues>(&tensor.data);
  const bool brain = dense != nullptr && dense->precision == Precision::kBFloat16;
  return brain ? tensor : to_float16(tensor);
}

double code_entropy(const QuantizedValues& quantized) {
  return entropy(code_counts(quantized.codes));
}

}  // namespace ltz::compress
