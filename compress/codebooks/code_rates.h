#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "compress/codebooks/code_levels.h"

namespace ltz::compress {

// Codes are indices of a grid, -kLargestIndex to kLargestIndex: one byte each.
inline constexpr int kLargestIndex = 127;

// What the codes of a matrix cost, in bits, under a coder that knows how large they are in their
// row and in their column: the entropy of the indices among all places of a level (CodeLevels).
class CodeRates {
 public:
  CodeRates(std::size_t rows, std::size_t columns);

  // Forgets what was there and learns from indices (rows, columns), row-major.
  void learn(std::span<const std::int16_t> indices);

  // Bits of this index at this place, 0 before anything was learned.
  double operator()(std::size_t row, std::size_t column, int index) const {
    return bits_[levels_(row, column) * kIndices + static_cast<std::size_t>(index + kLargestIndex)];
  }

 private:
  static constexpr std::size_t kIndices = 2 * kLargestIndex + 1;

  CodeLevels levels_;
  std::vector<float> bits_;  // (levels, kIndices)
};

}  // namespace ltz::compress
