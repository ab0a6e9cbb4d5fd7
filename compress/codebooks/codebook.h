#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "model/checkpoint/tensor.h"

// What every way to make a codebook has to do in the end.
namespace ltz::compress {

inline constexpr float kSmallestFloat16 = 0x1p-24f;  // subnormal

// The value in float16. Throws ConfigError, naming what it is, if that is not finite.
float checked_float16(float value, const char* what);

// A centroid of elements that are not pruned, in float16: one that would be rounded to zero becomes
// the smallest float16 of its sign instead. Throws ConfigError if it is not finite in float16.
float round_centroid(float centroid);

// Where zero is among the values, or where it would have to be inserted. ascending: (n)
template <typename Value>
std::size_t place_of_zero(const std::vector<Value>& ascending) {
  const auto place = std::ranges::lower_bound(ascending, Value{0});
  return static_cast<std::size_t>(place - ascending.begin());
}

// How many elements have each code.
using CodeCounts = std::array<std::size_t, 256>;
CodeCounts code_counts(std::span<const std::uint8_t> codes);
// Bits per element that an ideal coder needs for codes of these frequencies; 0 for none.
double entropy(const CodeCounts& counts);

// Makes a valid codebook of centroids in any order: sorts them, merges equal ones and drops those
// that no element has. No element changes its value.
void tidy_codebook(QuantizedValues& quantized);

}  // namespace ltz::compress
