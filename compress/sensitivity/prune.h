#pragma once

#include <span>

#include "compress/codebooks/sorted_values.h"
#include "model/checkpoint/tensor.h"

namespace ltz::compress {

// Magnitude pruning, one-shot: Han et al., "Learning both Weights and Connections for Efficient
// Neural Networks", 2015, section 3. A weight is pruned when |weight| <= threshold; it becomes an
// exact zero. All functions throw ConfigError for weights that are NaN or infinite.

// The smallest threshold that prunes at least round(sparsity * n) weights: the magnitude of that
// rank. Weights of exactly this magnitude are pruned all together, so that the outcome does not
// depend on their order; without such ties it is exactly round(sparsity * n) weights. 0, which
// changes nothing, for a rank of 0. weights: (n). sparsity: in [0, 1], or ConfigError.
float threshold_for_sparsity(std::span<const float> weights, double sparsity);
float threshold_for_sparsity(const SortedValues& weights, double sparsity);

// Population standard deviation: the unit in which Han 2015 and the sensitivity curves state
// thresholds. weights: (n); 0 for n = 0.
float standard_deviation(std::span<const float> weights);

// The tensor with its small weights replaced by zeros. A dense tensor keeps its precision, a
// quantized one is decoded to float32 first.
Tensor prune(const Tensor& tensor, float threshold);

}  // namespace ltz::compress
