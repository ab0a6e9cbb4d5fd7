#include "compress/codebooks/kmeans.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <utility>

#include "model/base/assert.h"
#include "model/base/error.h"

namespace ltz::compress {

namespace {

constexpr int kMaxCentroids = 256;

void validate(const KMeansOptions& options) {
  if (options.centroids < 1 || options.centroids > kMaxCentroids) {
    throw ConfigError("K-means with " + std::to_string(options.centroids) +
                      " centroids, expected 1 to 256");
  }
  if (options.max_iterations < 0) {
    throw ConfigError("K-means with " + std::to_string(options.max_iterations) +
                      " iterations, expected 0 or more");
  }
  if (!(options.tolerance >= 0.0)) {
    throw ConfigError("K-means with tolerance " + std::to_string(options.tolerance) +
                      ", expected 0 or more");
  }
}

// Cell j holds the values [ends[j - 1], ends[j]) in ascending order; no cell is empty.
struct Cells {
  std::vector<double> centroids;
  std::vector<std::size_t> ends;
};

// Gives every value to its nearest centroid and drops the centroids that get none, which leaves the
// other values where they are. centroids: ascending.
Cells assign(const KeptValues& values, const std::vector<double>& centroids) {
  Cells cells;
  std::size_t begin = 0;
  for (std::size_t j = 0; j < centroids.size() && begin < values.size(); ++j) {
    const std::size_t end = j + 1 == centroids.size()
                                ? values.size()
                                : values.count_up_to((centroids[j] + centroids[j + 1]) / 2.0);
    if (end > begin) {
      cells.centroids.push_back(centroids[j]);
      cells.ends.push_back(end);
      begin = end;
    }
  }
  return cells;
}

// Calls visit(cell, the moments of its values) for every cell.
template <typename Visitor>
void for_each_cell(const KeptValues& values, const Cells& cells, const Visitor& visit) {
  Moments before;
  for (std::size_t j = 0; j < cells.ends.size(); ++j) {
    const Moments until = values.prefix(cells.ends[j]);
    visit(j, until - before);
    before = until;
  }
}

double distortion(const KeptValues& values, const Cells& cells) {
  double total = 0.0;
  for_each_cell(values, cells, [&](std::size_t j, const Moments& moments) {
    total += moments.squared_distances(cells.centroids[j] - values.shift());
  });
  return total;
}

// (k), ascending because the cells are.
std::vector<double> means(const KeptValues& values, const Cells& cells) {
  std::vector<double> centroids(cells.ends.size());
  for_each_cell(values, cells, [&](std::size_t j, const Moments& moments) {
    centroids[j] = values.shift() + moments.sum / moments.importance;
  });
  return centroids;
}

// Lloyd 1982: alternately every centroid to the mean of its cell, every value to its nearest
// centroid. Neither step raises the distortion.
Cells lloyd(const KeptValues& values, Cells cells, const KMeansOptions& options, int& iterations) {
  double error = distortion(values, cells);
  for (iterations = 0; iterations < options.max_iterations; ++iterations) {
    Cells next = assign(values, means(values, cells));
    const double next_error = distortion(values, next);
    const bool settled = next.ends == cells.ends || error - next_error <= options.tolerance * error;
    cells = std::move(next);
    error = next_error;
    if (settled) {
      ++iterations;
      break;
    }
  }
  return cells;
}

std::vector<double> to_double(std::span<const float> values) {
  return {values.begin(), values.end()};
}

}  // namespace

std::vector<std::size_t> distinct_places(const KeptValues& values, std::size_t limit) {
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < values.size(); i = values.count_up_to(values[i])) {
    places.push_back(i);
    if (places.size() > limit) {
      return places;
    }
  }
  places.push_back(values.size());
  return places;
}

Codebook fit_codebook(const KeptValues& values, const KMeansOptions& options) {
  validate(options);
  Codebook codebook;
  const auto count = static_cast<std::size_t>(options.centroids);
  const std::vector<std::size_t> places = distinct_places(values, count);
  if (places.back() == values.size()) {
    for (std::size_t i = 0; i + 1 < places.size(); ++i) {
      codebook.centroids.push_back(values[places[i]]);
    }
    return codebook;
  }
  Cells cells = assign(values, options.init == KMeansInit::kOptimal
                                   ? optimal_centroids(values, options.centroids)
                                   : initial_centroids(values, options));
  cells = lloyd(values, std::move(cells), options, codebook.iterations);
  // As floats two centroids may coincide, and a border may move over a value that lay on it.
  for (const double centroid : cells.centroids) {
    const auto rounded = static_cast<float>(centroid);
    if (codebook.centroids.empty() || codebook.centroids.back() < rounded) {
      codebook.centroids.push_back(rounded);
    }
  }
  cells = assign(values, to_double(codebook.centroids));
  codebook.centroids.assign(cells.centroids.size(), 0.0f);
  std::ranges::transform(cells.centroids, codebook.centroids.begin(),
                         [](double centroid) { return static_cast<float>(centroid); });
  codebook.distortion = distortion(values, cells);
  return codebook;
}

std::vector<std::uint8_t> nearest_codes(std::span<const float> values,
                                        std::span<const float> centroids) {
  if (centroids.empty() || centroids.size() > kMaxCentroids) {
    throw ConfigError(std::to_string(centroids.size()) + " centroids, expected 1 to 256");
  }
  LTZ_ASSERT(std::ranges::adjacent_find(centroids, std::greater_equal()) == centroids.end());
  // In double, as Lloyd's, so that both agree on every value.
  std::array<double, kMaxCentroids> borders;
  borders.fill(std::numeric_limits<double>::infinity());
  for (std::size_t j = 0; j + 1 < centroids.size(); ++j) {
    borders[j] = (static_cast<double>(centroids[j]) + centroids[j + 1]) / 2.0;
  }
  const std::size_t half = std::bit_ceil(centroids.size()) / 2;
  std::vector<std::uint8_t> codes(values.size());
  std::ranges::transform(values, codes.begin(), [&](float value) {
    // The number of borders below the value, bit by bit. Without branches, which nothing could
    // foretell, the processor works on several values at a time.
    std::size_t below = 0;
    for (std::size_t step = half; step > 0; step /= 2) {
      below += step * static_cast<std::size_t>(borders[below + step - 1] < value);
    }
    return static_cast<std::uint8_t>(below);
  });
  return codes;
}

std::vector<std::size_t> populations(const KeptValues& values, std::span<const float> centroids) {
  std::vector<std::size_t> counts;
  std::size_t begin = 0;
  for (std::size_t j = 0; j < centroids.size(); ++j) {
    const double border =
        j + 1 < centroids.size() ? (static_cast<double>(centroids[j]) + centroids[j + 1]) / 2.0 : 0;
    const std::size_t end = j + 1 < centroids.size() ? values.count_up_to(border) : values.size();
    counts.push_back(end - begin);
    begin = end;
  }
  return counts;
}

Clustering kmeans(std::span<const float> values, const KMeansOptions& options) {
  const SortedValues sorted(values);
  Codebook codebook = fit_codebook(KeptValues(sorted), options);
  Clustering clustering;
  if (!values.empty()) {
    clustering.codes = nearest_codes(values, codebook.centroids);
  }
  clustering.centroids = std::move(codebook.centroids);
  clustering.distortion = codebook.distortion;
  clustering.iterations = codebook.iterations;
  return clustering;
}

}  // namespace ltz::compress
