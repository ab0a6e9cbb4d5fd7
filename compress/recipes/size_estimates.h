#pragma once

// What a tensor takes on disk beside its codes, about, before there is a file.
namespace ltz::compress {

inline constexpr double kFloat16Bytes = 2.0;  // of an element without a codebook
inline constexpr double kIndexBytes = 24.0;   // of a tensor's entry in the index

// Of a codebook, by centroid. They are not the same because searches for a size start from them:
// another estimate would make other files.
inline constexpr double kKMeansCentroidBytes = 1.2 + 1.5;  // float16, compressed; coder's table
inline constexpr double kSecondOrderCentroidBytes = 2.0;   // both

}  // namespace ltz::compress
