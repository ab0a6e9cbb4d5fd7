#include "model/checkpoint/tensor.h"

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <span>
#include <utility>

#include "model/base/error.h"

namespace ltz {
namespace {

constexpr int kScalesPerDoubling = 8;  // of rows
constexpr int kScaleOfOne = 128;

}  // namespace

std::int64_t element_count(const Shape& shape) {
  std::int64_t count = 1;
  bool empty = false;
  for (const std::int64_t dimension : shape) {
    if (dimension < 0) {
      throw FormatError("negative dimension in shape " + to_string(shape));
    }
    if (dimension == 0) {
      empty = true;
    } else if (count > std::numeric_limits<std::int64_t>::max() / dimension) {
      throw FormatError("too many elements in shape " + to_string(shape));
    } else {
      count *= dimension;
    }
  }
  return empty ? 0 : count;
}

std::int64_t row_count(const Shape& shape) {
  const std::int64_t elements = element_count(shape);
  return shape.empty() || elements == 0 ? elements : elements / shape.back();
}

std::string to_string(const Shape& shape) {
  std::string text = "(";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  }
  return text + ")";
}

std::string_view to_string(Precision precision) {
  switch (precision) {
    case Precision::kFloat32:
      return "float32";
    case Precision::kFloat16:
      return "float16";
    case Precision::kBFloat16:
      return "bfloat16";
  }
  return {};
}

int bits_of(Precision precision) {
  return precision == Precision::kFloat32 ? 32 : 16;
}

float round_to_float16(float value) {
  return static_cast<float>(Eigen::half(value));
}

float row_scale(std::uint8_t code) {
  constexpr int kPerDoubling = kScalesPerDoubling;
  static const auto kFractions = [] {
    std::array<float, kPerDoubling> fractions{};
    for (int i = 0; i < kPerDoubling; ++i) {
      fractions[static_cast<std::size_t>(i)] =
          static_cast<float>(std::exp2(static_cast<double>(i) / kPerDoubling));
    }
    return fractions;
  }();
  return std::ldexp(kFractions[code % kPerDoubling],
                    code / kPerDoubling - kScaleOfOne / kPerDoubling);
}

std::uint8_t row_scale_code(double log2_scale) {
  return static_cast<std::uint8_t>(
      std::clamp(std::round(kScaleOfOne + kScalesPerDoubling * log2_scale), 0.0, 255.0));
}

std::vector<float> Tensor::values() const {
  if (const auto* dense = std::get_if<DenseValues>(&data)) {
    return dense->values;
  }
  const auto& quantized = std::get<QuantizedValues>(data);
  std::vector<float> values(quantized.codes.size());
  std::ranges::transform(quantized.codes, values.begin(),
                         [&](std::uint8_t code) { return quantized.centroids[code]; });
  const std::size_t rows = quantized.row_scales.size();
  const std::size_t columns = rows == 0 ? 0 : values.size() / rows;
  for (std::size_t row = 0; row < rows; ++row) {
    const float scale = row_scale(quantized.row_scales[row]);
    for (float& value : std::span(values).subspan(row * columns, columns)) {
      value *= scale;
    }
  }
  return values;
}

Tensor dense_tensor(Shape shape, std::vector<float> values, Precision precision) {
  return Tensor{std::move(shape), DenseValues{precision, std::move(values)}};
}

double sparsity(std::span<const float> values) {
  if (values.empty()) {
    return 0.0;
  }
  const auto zeros = std::ranges::count(values, 0.0f);
  return static_cast<double>(zeros) / static_cast<double>(values.size());
}

std::vector<std::uint8_t> mask_of(std::span<const float> values) {
  std::vector<std::uint8_t> mask(values.size());
  std::ranges::transform(values, mask.begin(), [](float value) { return value != 0.0f ? 1 : 0; });
  return mask;
}

}  // namespace ltz
