#pragma once

#include <span>

#include "model/checkpoint/tensor.h"

namespace ltz::formats {

// Throws FormatError unless the centroids of a codebook are at most 256, finite and strictly
// ascending.
void check_centroids(std::span<const float> centroids);

// Throws FormatError unless there is one value or code per element of the shape, the codebook is
// in order, every code has its centroid, there is no row scale or one per row, and values called
// float16 or bfloat16 are.
void check_tensor(const Tensor& tensor);

}  // namespace ltz::formats
