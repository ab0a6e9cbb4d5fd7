#include "compress/code_rates.h"

#include <cmath>
#include <cstdlib>

namespace ltz::compress {
namespace {

constexpr double kLevelsPerDoubling = 4.0;
constexpr double kLeastMean = 0x1p-6;  // level 0

// A level's frequencies begin with those of all levels, as if from so many codes.
constexpr double kInherited = 16.0;

float level_of(double mean) {
  return static_cast<float>(kLevelsPerDoubling * std::log2(std::max(mean, kLeastMean)));
}

}  // namespace

CodeRates::CodeRates(std::size_t rows, std::size_t columns)
    : rows_(rows), columns_(columns), bits_(kLevels * kIndices) {}

void CodeRates::learn(std::span<const std::int16_t> indices) {
  const std::size_t columns = columns_.size();
  std::vector<std::int64_t> row_sums(rows_.size());
  std::vector<std::int64_t> column_sums(columns);
  std::int64_t sum = 0;
  for (std::size_t r = 0; r < rows_.size(); ++r) {
    for (std::size_t c = 0; c < columns; ++c) {
      const int magnitude = std::abs(indices[r * columns + c]);
      row_sums[r] += magnitude;
      column_sums[c] += magnitude;
    }
    sum += row_sums[r];
  }
  const double mean = static_cast<double>(sum) / static_cast<double>(indices.size());
  for (std::size_t r = 0; r < rows_.size(); ++r) {
    rows_[r] = level_of(static_cast<double>(row_sums[r]) / static_cast<double>(columns)) -
               level_of(kLeastMean) + 0.5f;
  }
  for (std::size_t c = 0; c < columns; ++c) {
    columns_[c] =
        level_of(static_cast<double>(column_sums[c]) / static_cast<double>(rows_.size())) -
        level_of(mean);
  }
  std::vector<std::int64_t> counts(kLevels * kIndices);
  std::vector<std::int64_t> level_counts(kLevels);
  std::vector<std::int64_t> common(kIndices);
  for (std::size_t r = 0; r < rows_.size(); ++r) {
    for (std::size_t c = 0; c < columns; ++c) {
      const auto place = static_cast<std::size_t>(indices[r * columns + c] + kLargestIndex);
      const std::size_t at = level(r, c);
      ++counts[at * kIndices + place];
      ++level_counts[at];
      ++common[place];
    }
  }
  const auto total = static_cast<double>(indices.size());
  for (std::size_t at = 0; at < kLevels; ++at) {
    for (std::size_t place = 0; place < kIndices; ++place) {
      const double inherited =
          kInherited * (static_cast<double>(common[place]) + 0.5) / (total + 1.0);
      bits_[at * kIndices + place] = static_cast<float>(
          std::log2((static_cast<double>(level_counts[at]) + kInherited) /
                    (static_cast<double>(counts[at * kIndices + place]) + inherited)));
    }
  }
}

}  // namespace ltz::compress
