#include "compress/codebooks/code_rates.h"

namespace ltz::compress {

CodeRates::CodeRates(std::size_t rows, std::size_t columns)
    : levels_(rows, columns), bits_(CodeLevels::kLevels * kIndices) {}

void CodeRates::learn(std::span<const std::int16_t> indices) {
  const CodeRange range{.first = -kLargestIndex, .zero = 0, .count = kIndices};
  bits_ = level_lengths(learn_and_count(levels_, indices, range), kIndices);
}

}  // namespace ltz::compress
