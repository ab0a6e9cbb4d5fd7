#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

namespace ltz::compress {

// Codes are indices of a grid, -kLargestIndex to kLargestIndex: one byte each.
inline constexpr int kLargestIndex = 127;

// What the codes of a matrix cost, in bits, under a coder that knows how large they are in their
// row and in their column (formats/context_coder.h is one): the entropy of the indices among all
// places where their magnitude, mean of the row x mean of the column / mean of all, is about as
// large.
class CodeRates {
 public:
  CodeRates(std::size_t rows, std::size_t columns);

  // Forgets what was there and learns from indices (rows, columns), row-major.
  void learn(std::span<const std::int16_t> indices);

  // Bits of this index at this place, 0 before anything was learned. One that did not occur could
  // come back, at the price of a fraction of an occurrence.
  double operator()(std::size_t row, std::size_t column, int index) const {
    return bits_[level(row, column) * kIndices + static_cast<std::size_t>(index + kLargestIndex)];
  }

 private:
  static constexpr std::size_t kIndices = 2 * kLargestIndex + 1;
  static constexpr std::size_t kLevels = 48;

  std::size_t level(std::size_t row, std::size_t column) const {
    const float sum = rows_[row] + columns_[column];
    return sum <= 0.0f ? 0 : std::min(static_cast<std::size_t>(sum), kLevels - 1);
  }

  std::vector<float> rows_;     // level of the mean magnitude
  std::vector<float> columns_;  // the same, to be added
  std::vector<float> bits_;     // (kLevels, kIndices)
};

}  // namespace ltz::compress
