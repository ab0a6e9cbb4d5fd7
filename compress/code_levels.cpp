#include "compress/code_levels.h"

#include <cmath>
#include <numeric>

namespace ltz::compress {
namespace {

constexpr double kLevelsPerDoubling = 4.0;
constexpr double kLeastMean = 0x1p-6;  // level 0

// A level's frequencies begin as if from so many codes.
constexpr double kInherited = 16.0;

float level_of(double mean) {
  return static_cast<float>(kLevelsPerDoubling * std::log2(std::max(mean, kLeastMean)));
}

}  // namespace

CodeLevels::CodeLevels(std::size_t rows, std::size_t columns) : rows_(rows), columns_(columns) {}

void CodeLevels::learn(std::span<const std::uint8_t> magnitudes) {
  const std::size_t columns = columns_.size();
  if (rows_.size() < 2 || columns < 2) {
    return;
  }
  std::vector<std::int64_t> row_sums(rows_.size());
  std::vector<std::int64_t> column_sums(columns);
  std::int64_t sum = 0;
  for (std::size_t r = 0; r < rows_.size(); ++r) {
    for (std::size_t c = 0; c < columns; ++c) {
      const int magnitude = magnitudes[r * columns + c];
      row_sums[r] += magnitude;
      column_sums[c] += magnitude;
    }
    sum += row_sums[r];
  }
  const double mean = static_cast<double>(sum) / static_cast<double>(magnitudes.size());
  for (std::size_t r = 0; r < rows_.size(); ++r) {
    rows_[r] = level_of(static_cast<double>(row_sums[r]) / static_cast<double>(columns)) -
               level_of(kLeastMean) + 0.5f;
  }
  for (std::size_t c = 0; c < columns; ++c) {
    columns_[c] =
        level_of(static_cast<double>(column_sums[c]) / static_cast<double>(rows_.size())) -
        level_of(mean);
  }
}

void CodeLevels::restore(const std::vector<float>& rows, const std::vector<float>& columns) {
  rows_ = rows;
  columns_ = columns;
}

std::vector<float> level_lengths(std::span<const std::int64_t> counts, std::size_t symbols) {
  std::vector<std::int64_t> common(symbols);
  for (std::size_t i = 0; i < counts.size(); ++i) {
    common[i % symbols] += counts[i];
  }
  const auto total =
      static_cast<double>(std::accumulate(common.begin(), common.end(), std::int64_t{0}));
  std::vector<float> lengths(counts.size());
  for (std::size_t first = 0; first < counts.size(); first += symbols) {
    const auto level = counts.subspan(first, symbols);
    const auto in_level =
        static_cast<double>(std::accumulate(level.begin(), level.end(), std::int64_t{0}));
    for (std::size_t symbol = 0; symbol < symbols; ++symbol) {
      const double inherited =
          kInherited * (static_cast<double>(common[symbol]) + 0.5) / (total + 1.0);
      lengths[first + symbol] = static_cast<float>(
          std::log2((in_level + kInherited) / (static_cast<double>(level[symbol]) + inherited)));
    }
  }
  return lengths;
}

}  // namespace ltz::compress
