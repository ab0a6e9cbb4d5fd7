#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

namespace ltz::compress {

// How large the codes of a matrix are to be expected at each place: the level of
// mean of the row x mean of the column / mean of all, of the codes' magnitudes. A coder that knows
// rows and columns (formats/entropy/context_coder.h is one) needs about the entropy of the codes
// among all places of a level.
class CodeLevels {
 public:
  static constexpr std::size_t kLevels = 48;

  // All places have one level until something is learned, and where there is but one row or column:
  // it would be known by heart.
  CodeLevels(std::size_t rows, std::size_t columns);

  // Forgets what was there. magnitudes: (rows, columns), row-major.
  void learn(std::span<const std::uint8_t> magnitudes);

  std::size_t operator()(std::size_t row, std::size_t column) const {
    const float sum = rows_[row] + columns_[column];
    return sum > 0.0f ? static_cast<std::size_t>(std::min(sum, kLevels - 1.0f)) : 0;
  }

  // Calls body(i, level) for the places [begin, end), row-major.
  template <typename Body>
  void each(std::size_t begin, std::size_t end, const Body& body) const {
    while (begin < end) {
      const std::size_t row = begin / columns_.size();
      const std::size_t first = row * columns_.size();
      const std::size_t last = std::min(end, first + columns_.size());
      for (std::size_t i = begin; i < last; ++i) {
        body(i, (*this)(row, i - first));
      }
      begin = last;
    }
  }

  // To be saved; restored together.
  const std::vector<float>& rows() const { return rows_; }
  const std::vector<float>& columns() const { return columns_; }
  void restore(const std::vector<float>& rows, const std::vector<float>& columns);

 private:
  std::vector<float> rows_;     // level of the mean magnitude
  std::vector<float> columns_;  // the same, to be added
};

// Codes that follow each other.
struct CodeRange {
  int first = 0;
  int zero = 0;  // the code of zero; magnitudes count from it
  std::size_t count = 0;
};

// Has the levels learn the codes, then counts each in its level. codes: (rows, columns), row-major,
// in the range. Returns (CodeLevels::kLevels, range.count).
template <typename Code>
std::vector<std::int64_t> learn_and_count(CodeLevels& levels, std::span<const Code> codes,
                                          const CodeRange& range) {
  std::vector<std::uint8_t> magnitudes(codes.size());
  std::ranges::transform(codes, magnitudes.begin(), [&](Code code) {
    return static_cast<std::uint8_t>(std::abs(code - range.zero));
  });
  levels.learn(magnitudes);
  std::vector<std::int64_t> counts(CodeLevels::kLevels * range.count);
  levels.each(0, codes.size(), [&](std::size_t i, std::size_t level) {
    ++counts[level * range.count + static_cast<std::size_t>(codes[i] - range.first)];
  });
  return counts;
}

// Below, a level's frequencies begin with those of all levels, as if from a few occurrences: what
// is known of a level of few codes, and a symbol that did not occur could come back. counts:
// (CodeLevels::kLevels, symbols)

// Bits of each symbol in each level by its frequency there. Returns the same shape.
std::vector<float> level_lengths(std::span<const std::int64_t> counts, std::size_t symbols);

// Bits of all of them under an adaptive coder that learns the frequencies of each level on the way
// (a Dirichlet prior): where a level has many codes, about their entropy.
double level_bits(std::span<const std::int64_t> counts, std::size_t symbols);

}  // namespace ltz::compress
