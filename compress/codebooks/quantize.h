#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "compress/codebooks/kmeans.h"
#include "model/checkpoint/checkpoint.h"
#include "model/checkpoint/tensor.h"

namespace ltz::compress {

struct QuantizeOptions {
  int bits = 8;  // 1 to 8: at most 2^bits centroids, that of the zeros included
  KMeansInit init = KMeansInit::kLinear;
  int max_iterations = 100;  // of Lloyd; see KMeansOptions
  std::uint64_t seed = 1;
};

// Weight sharing: Han et al., "Deep Compression", 2016, section 3. Replaces the elements by a
// codebook in float16, fitted by K-means, and the code of the nearest centroid.
//
// The pruned elements are the same before and after: an exact zero stays zero, by a centroid of its
// own that takes one of the 2^bits places when there are zeros, and no other element gets it; a
// centroid that float16 would round to zero becomes the smallest float16 of its sign instead.
// Centroids that float16 makes equal are merged, unused ones dropped.
// Throws ConfigError for bits outside 1 to 8, for elements that are NaN or infinite, and for
// centroids beyond the range of float16.
Tensor quantize(const Tensor& tensor, const QuantizeOptions& options);
// The same of elements that are sorted already. values: (n) of this shape. sorted: the same values.
Tensor quantize(const Shape& shape, std::span<const float> values, const SortedValues& sorted,
                const QuantizeOptions& options);

// The two halves of quantize(), so that a codebook that was fitted to see its size can be used.
// The centroids that K-means fits to the elements above a threshold, ascending, in float32.
std::vector<float> centroids_above(const SortedValues& sorted, float threshold,
                                   const QuantizeOptions& options);
// The elements by these centroids. values: (n) of this shape, zero where they are pruned.
Tensor quantize(const Shape& shape, std::span<const float> values,
                std::span<const float> centroids);

// Whether a codebook of that many bits saves anything on this parameter: matrices and tables of at
// least four elements per centroid. Biases, gains and kernels are few and sensitive.
bool worth_quantizing(const ParameterSpec& spec, int bits);

// The tensor with dense elements rounded to float16; a quantized one is decoded first. Throws
// ConfigError, naming the element, if one is NaN or beyond the range of float16.
Tensor to_float16(const Tensor& tensor);

// The tensor in 16 bits: as it is in bfloat16, where another rounding could only lose, else
// to_float16.
Tensor to_16_bits(const Tensor& tensor);

// Bits per element that an ideal order-0 entropy coder needs for the codes, without the codebook;
// 0 for no elements.
double code_entropy(const QuantizedValues& quantized);

}  // namespace ltz::compress
