#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "compress/codebooks/sorted_values.h"
#include "model/checkpoint/tensor.h"

namespace ltz::compress {

// Magnitude pruning, one-shot: Han et al., "Learning both Weights and Connections for Efficient
// Neural Networks", 2015, section 3. A weight is pruned when |weight| <= threshold; it becomes an
// exact zero. All functions throw ConfigError for weights that are NaN or infinite.

// How many of n weights a sparsity asks for: round(sparsity * n). sparsity: in [0, 1], or
// ConfigError.
std::size_t count_for_sparsity(std::size_t n, double sparsity);

// The smallest threshold that prunes at least count_for_sparsity weights: the magnitude of that
// rank. It prunes more where several weights have exactly this magnitude; prune_smallest does not.
// 0, which changes nothing, for a rank of 0. weights: (n).
float threshold_for_sparsity(const SortedValues& weights, double sparsity);

// Population standard deviation: the unit in which Han 2015 and the sensitivity curves state
// thresholds. weights: (n); 0 for n = 0.
float standard_deviation(std::span<const float> weights);

// The tensor with its small weights replaced by zeros. A dense tensor keeps its precision, a
// quantized one is decoded to float32 first.
Tensor prune(const Tensor& tensor, float threshold);

// The same with exactly `count` weights pruned, those that are zero already counted in: the ones of
// least magnitude, of equal ones the first. In a tensor of codebook values many are equal, in a
// constant one all. count: at most the tensor's size.
Tensor prune_smallest(const Tensor& tensor, std::size_t count);

// Which weights prune_smallest leaves: (n), 1 for those, else 0. weights: (n).
std::vector<std::uint8_t> mask_of_largest(std::span<const float> weights, std::size_t count);

}  // namespace ltz::compress
