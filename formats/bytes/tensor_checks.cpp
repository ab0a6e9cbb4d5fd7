#include "formats/bytes/tensor_checks.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "formats/bytes/float16.h"
#include "model/base/error.h"

namespace ltz::formats {
namespace {

void check_count(std::size_t found, const Shape& shape) {
  if (static_cast<std::int64_t>(found) != element_count(shape)) {
    throw FormatError("expected " + std::to_string(element_count(shape)) + " elements for shape " +
                      to_string(shape) + ", found " + std::to_string(found));
  }
}

void check_row_scales(std::size_t found, const Shape& shape) {
  if (found != 0 && static_cast<std::int64_t>(found) != row_count(shape)) {
    throw FormatError("row scales: expected none or " + std::to_string(row_count(shape)) +
                      " for shape " + to_string(shape) + ", found " + std::to_string(found));
  }
}

bool holds_exactly(Precision precision, float value) {
  switch (precision) {
    case Precision::kFloat16:
      return float16_bits(value).has_value();
    case Precision::kBFloat16:
      return bfloat16_bits(value).has_value();
    default:
      return true;
  }
}

}  // namespace

void check_centroids(std::span<const float> centroids) {
  if (centroids.size() > 256) {
    throw FormatError("codebook: expected at most 256 centroids, found " +
                      std::to_string(centroids.size()));
  }
  for (std::size_t i = 0; i < centroids.size(); ++i) {
    if (!std::isfinite(centroids[i])) {
      throw FormatError("codebook: centroid " + std::to_string(i) + " is not finite");
    }
    if (i != 0 && centroids[i] <= centroids[i - 1]) {
      throw FormatError("codebook: centroid " + std::to_string(i) +
                        " is not above the one before it");
    }
  }
}

void check_tensor(const Tensor& tensor) {
  if (const auto* quantized = std::get_if<QuantizedValues>(&tensor.data)) {
    check_count(quantized->codes.size(), tensor.shape);
    check_row_scales(quantized->row_scales.size(), tensor.shape);
    check_centroids(quantized->centroids);
    const auto bad = std::ranges::find_if(
        quantized->codes, [&](std::uint8_t code) { return code >= quantized->centroids.size(); });
    if (bad != quantized->codes.end()) {
      throw FormatError("code " + std::to_string(*bad) + " has no centroid: there are " +
                        std::to_string(quantized->centroids.size()));
    }
    return;
  }
  const auto& dense = std::get<DenseValues>(tensor.data);
  check_count(dense.values.size(), tensor.shape);
  const auto bad = std::ranges::find_if_not(
      dense.values, [&](float value) { return holds_exactly(dense.precision, value); });
  if (bad != dense.values.end()) {
    throw FormatError("expected " + std::string(to_string(dense.precision)) + " values, found " +
                      std::to_string(*bad) + " at element " +
                      std::to_string(bad - dense.values.begin()));
  }
}

}  // namespace ltz::formats
