#include "compress/codebooks/code_rates.h"

#include <algorithm>
#include <cstdlib>

namespace ltz::compress {

CodeRates::CodeRates(std::size_t rows, std::size_t columns)
    : levels_(rows, columns), bits_(CodeLevels::kLevels * kIndices) {}

void CodeRates::learn(std::span<const std::int16_t> indices) {
  std::vector<std::uint8_t> magnitudes(indices.size());
  std::ranges::transform(indices, magnitudes.begin(), [](std::int16_t index) {
    return static_cast<std::uint8_t>(std::abs(index));
  });
  levels_.learn(magnitudes);
  std::vector<std::int64_t> counts(bits_.size());
  levels_.each(0, indices.size(), [&](std::size_t i, std::size_t level) {
    ++counts[level * kIndices + static_cast<std::size_t>(indices[i] + kLargestIndex)];
  });
  bits_ = level_lengths(counts, kIndices);
}

}  // namespace ltz::compress
