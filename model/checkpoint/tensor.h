#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace ltz {

using Shape = std::vector<std::int64_t>;

// Number of elements of a tensor of this shape; 1 for a scalar.
// Throws FormatError when a dimension is negative or the product does not fit into 63 bits.
std::int64_t element_count(const Shape& shape);

// Number of rows, a row being the last dimension: 1 for a scalar, 0 for a tensor without elements.
// Throws as element_count() does.
std::int64_t row_count(const Shape& shape);

// "(496, 248)", for messages.
std::string to_string(const Shape& shape);

// How a float is stored in files. In memory it is always float32, which holds the others exactly:
// float16 has 5 bits of exponent and 10 of fraction, bfloat16 is the upper half of a float32.
enum class Precision { kFloat32, kFloat16, kBFloat16 };

// "float32", "float16", "bfloat16".
std::string_view to_string(Precision precision);
// 32 or 16.
int bits_of(Precision precision);

// The nearest float16 (ties to even; beyond its range, infinity), as a float32.
float round_to_float16(float value);

// One float per element, row-major.
struct DenseValues {
  Precision precision = Precision::kFloat32;
  std::vector<float> values;

  bool operator==(const DenseValues&) const = default;
};

// A codebook and one code per element: element i is centroids[codes[i]] (Deep Compression, Han et
// al. 2016, section 3), times the scale of its row where there are scales. At most 256 centroids,
// strictly ascending, finite; a pruned element has the code of a centroid that is exactly zero.
// codes: row-major, each below centroids.size(). row_scales: none, or one for each of the
// row_count() rows, as row_scale() has them; the product is that of float32.
struct QuantizedValues {
  std::vector<float> centroids;
  std::vector<std::uint8_t> codes;
  std::vector<std::uint8_t> row_scales = {};

  bool operator==(const QuantizedValues&) const = default;
};

// The scale of a row in 8 bits: the float32 nearest to 2^((code - 128) / 8).
float row_scale(std::uint8_t code);
// The code whose scale is nearest to 2^log2_scale, by its logarithm.
std::uint8_t row_scale_code(double log2_scale);

// A named parameter of a model, plain or quantized. A pruned element is an exact zero in both.
struct Tensor {
  Shape shape;
  std::variant<DenseValues, QuantizedValues> data;

  bool operator==(const Tensor&) const = default;

  std::int64_t size() const { return element_count(shape); }
  bool quantized() const { return std::holds_alternative<QuantizedValues>(data); }
  // The elements as floats, row-major.
  std::vector<float> values() const;
};

Tensor dense_tensor(Shape shape, std::vector<float> values,
                    Precision precision = Precision::kFloat32);

// Fraction of the elements that are exactly zero; 0 for an empty tensor.
double sparsity(std::span<const float> values);

// The mask of a pruned tensor: 1 where the element is kept, 0 where it is exactly zero.
std::vector<std::uint8_t> mask_of(std::span<const float> values);

}  // namespace ltz
