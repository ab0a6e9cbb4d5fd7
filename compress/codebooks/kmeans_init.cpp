#include <algorithm>
#include <random>
#include <set>
#include <utility>

#include "compress/codebooks/kmeans.h"
#include "model/base/assert.h"

namespace ltz::compress {

namespace {

// Uniform in [0, 1) from the generator's bits: the standard fixes mt19937_64 to the bit, but leaves
// its distributions to the library.
double uniform(std::mt19937_64& generator) {
  return static_cast<double>(generator() >> 11) * 0x1p-53;
}

std::size_t uniform_index(std::mt19937_64& generator, std::size_t count) {
  const auto index = static_cast<std::size_t>(uniform(generator) * static_cast<double>(count));
  return std::min(index, count - 1);
}

std::vector<double> linear(const KeptValues& values, std::size_t count) {
  const double low = values[0];
  const double high = values[values.size() - 1];
  std::vector<double> centroids(count, (low + high) / 2.0);
  for (std::size_t j = 0; count > 1 && j < count; ++j) {
    centroids[j] = low + (high - low) * static_cast<double>(j) / static_cast<double>(count - 1);
  }
  return centroids;
}

std::vector<double> density(const KeptValues& values, std::size_t count) {
  std::vector<double> centroids(count);
  for (std::size_t j = 0; j < count; ++j) {
    centroids[j] = values[(2 * j + 1) * values.size() / (2 * count)];
  }
  return centroids;
}

// `count` different ranks by Floyd's algorithm (Bentley 1987), without a list of all of them.
std::vector<double> forgy(const KeptValues& values, std::size_t count, std::uint64_t seed) {
  std::mt19937_64 generator(seed);
  std::set<std::size_t> ranks;
  for (std::size_t last = values.size() - std::min(count, values.size()); last < values.size();
       ++last) {
    const std::size_t rank = uniform_index(generator, last + 1);
    if (!ranks.insert(rank).second) {
      ranks.insert(last);
    }
  }
  std::vector<double> centroids;
  centroids.reserve(ranks.size());
  for (const std::size_t rank : ranks) {
    centroids.push_back(values[rank]);
  }
  return centroids;
}

// Sum of the squared distances of the values [begin, end) to c.
double squared_distances(const KeptValues& values, std::size_t begin, std::size_t end, double c) {
  return (values.prefix(end) - values.prefix(begin)).squared_distances(c - values.shift());
}

// Arthur and Vassilvitskii, "k-means++: the advantages of careful seeding", 2007. Among sorted
// values a cell is an interval whose share of the squared distances is known from prefix sums: a
// draw picks a cell, then a place in it by bisection, O(k log n) instead of O(n).
std::vector<double> plus_plus(const KeptValues& values, std::size_t count, std::uint64_t seed) {
  std::mt19937_64 generator(seed);
  std::vector<double> centroids{values[uniform_index(generator, values.size())]};
  while (centroids.size() < count) {
    std::vector<double> shares;
    std::vector<std::size_t> begins;
    double total = 0.0;
    std::size_t begin = 0;
    for (std::size_t j = 0; j < centroids.size(); ++j) {
      const std::size_t end = j + 1 == centroids.size()
                                  ? values.size()
                                  : values.count_up_to((centroids[j] + centroids[j + 1]) / 2.0);
      begins.push_back(begin);
      shares.push_back(squared_distances(values, begin, end, centroids[j]));
      total += shares.back();
      begin = end;
    }
    begins.push_back(values.size());
    double draw = uniform(generator) * total;
    std::size_t cell = 0;
    while (cell + 1 < shares.size() && draw >= shares[cell]) {
      draw -= shares[cell++];
    }
    std::size_t low = begins[cell];
    std::size_t high = begins[cell + 1];
    while (low + 1 < high) {  // the last place with no more than `draw` before it
      const std::size_t middle = low + (high - low) / 2;
      const double before = squared_distances(values, begins[cell], middle, centroids[cell]);
      if (before <= draw) {
        low = middle;
      } else {
        high = middle;
      }
    }
    const double centroid = values[std::min(low, values.size() - 1)];
    const auto place = std::ranges::lower_bound(centroids, centroid);
    if (place != centroids.end() && *place == centroid) {
      break;  // only rounding can draw a centroid again: no distance is left to cover
    }
    centroids.insert(place, centroid);
  }
  return centroids;
}

}  // namespace

std::vector<double> initial_centroids(const KeptValues& values, const KMeansOptions& options) {
  LTZ_ASSERT(values.size() > 0);
  const auto count = static_cast<std::size_t>(options.centroids);
  switch (options.init) {
    case KMeansInit::kLinear:
      return linear(values, count);
    case KMeansInit::kDensity:
      return density(values, count);
    case KMeansInit::kRandom:
      return forgy(values, count, options.seed);
    case KMeansInit::kKMeansPlusPlus:
      return plus_plus(values, count, options.seed);
    case KMeansInit::kOptimal:
      return optimal_centroids(values, options.centroids);
  }
  return {};
}

}  // namespace ltz::compress
