#include "compress/codebooks/code_levels.h"

#include <cmath>
#include <numbers>
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

double sum_of(std::span<const std::int64_t> counts) {
  return static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::int64_t{0}));
}

// Occurrences of each symbol that a level begins with. counts: (levels, symbols)
std::vector<double> prior_counts(std::span<const std::int64_t> counts, std::size_t symbols) {
  std::vector<double> prior(symbols, 0.5);
  for (std::size_t first = 0; first < counts.size(); first += symbols) {
    for (std::size_t s = 0; s < symbols; ++s) {
      prior[s] += static_cast<double>(counts[first + s]);
    }
  }
  const double total = std::accumulate(prior.begin(), prior.end(), 0.0);
  for (double& count : prior) {
    count *= kInherited / total;
  }
  return prior;
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
  const std::vector<double> prior = prior_counts(counts, symbols);
  const auto length = [&](double total, double count, std::size_t symbol) {
    return static_cast<float>(std::log2(total / (count + prior[symbol])));
  };
  // Most levels of a small matrix have no codes.
  std::vector<float> unseen(symbols);
  for (std::size_t s = 0; s < symbols; ++s) {
    unseen[s] = length(kInherited, 0.0, s);
  }
  std::vector<float> lengths;
  lengths.reserve(counts.size());
  for (std::size_t first = 0; first < counts.size(); first += symbols) {
    const auto level = counts.subspan(first, symbols);
    const double sum = sum_of(level);
    for (std::size_t s = 0; s < symbols; ++s) {
      lengths.push_back(sum == 0.0 ? unseen[s]
                                   : length(kInherited + sum, static_cast<double>(level[s]), s));
    }
  }
  return lengths;
}

double level_bits(std::span<const std::int64_t> counts, std::size_t symbols) {
  const std::vector<double> prior = prior_counts(counts, symbols);
  double nats = 0.0;
  for (std::size_t first = 0; first < counts.size(); first += symbols) {
    nats +=
        std::lgamma(kInherited + sum_of(counts.subspan(first, symbols))) - std::lgamma(kInherited);
    for (std::size_t s = 0; s < symbols; ++s) {
      nats -=
          std::lgamma(prior[s] + static_cast<double>(counts[first + s])) - std::lgamma(prior[s]);
    }
  }
  return nats / std::numbers::ln2;
}

}  // namespace ltz::compress
