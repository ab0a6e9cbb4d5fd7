#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "compress/codebooks/sorted_values.h"

namespace ltz::compress {

// Where the centroids start. The first three are those of Deep Compression (Han et al. 2016,
// section 3.2); linear keeps the rare large weights best and is what the Lite Transformer used.
enum class KMeansInit {
  kLinear,          // evenly between minimum and maximum
  kDensity,         // quantiles: equal populations
  kRandom,          // Forgy: weights drawn at random
  kKMeansPlusPlus,  // Arthur and Vassilvitskii 2007: drawn with probability ~ squared distance
  kOptimal,         // least possible distortion, see optimal_centroids
};

struct KMeansOptions {
  int centroids = 256;  // at most; 1 to 256
  KMeansInit init = KMeansInit::kLinear;
  // Not only a matter of time: from a linear start, which is nearly a uniform quantizer, every step
  // moves the cells towards equal populations, which lowers the distortion and raises the entropy
  // of the codes. On the WMT En-Fr model with 16 centroids, 0, 10, 30 and 100 steps
  // give 3.11, 3.39, 3.67 and 3.85 bits per weight at a relative error of 1.9, 1.3, 0.9 and 0.7%.
  // With 256 centroids 100 such small steps hardly change either (7.18 bits, 0.007%).
  // 0 keeps the start.
  int max_iterations = 100;
  // Lloyd stops when a step lowers the distortion by less than this fraction of it; 0: only when no
  // value changes its cell any more, so that it is never worse than max_iterations steps make it.
  double tolerance = 0.0;
  std::uint64_t seed = 1;  // of kRandom and kKMeansPlusPlus; the same on every platform
};

struct Codebook {
  std::vector<float> centroids;  // ascending, distinct, each the nearest one of some value
  double distortion = 0.0;       // sum of squared errors
  int iterations = 0;            // Lloyd steps taken
};

struct Clustering {
  std::vector<float> centroids;     // as in Codebook
  std::vector<std::uint8_t> codes;  // (n), in the order of the values
  double distortion = 0.0;
  int iterations = 0;
};

// One-dimensional K-means: Lloyd's algorithm on sorted values, O(centroids log n) a step. Centroids
// that nothing is near to are dropped, equal ones merged, so there may be fewer than asked for;
// with no more distinct values than centroids every value becomes one and the distortion is 0. No
// value, no centroid. Throws ConfigError for options out of range and for values that are NaN or
// infinite. values: (n), any order.
Clustering kmeans(std::span<const float> values, const KMeansOptions& options);

// The same without codes, on values that are sorted already. Where they do not all count the same,
// errors and means are weighted (Choi et al., "Towards the limit of network quantization", 2017,
// section 3): what lowers the loss rather than the distortion. Starts by rank or chance do not see
// the importance.
Codebook fit_codebook(const KeptValues& values, const KMeansOptions& options);

// Index of the nearest centroid of each value, of the smaller one if two are equally near.
// values: (n). centroids: (k), strictly ascending, 1 to 256. Returns (n).
std::vector<std::uint8_t> nearest_codes(std::span<const float> values,
                                        std::span<const float> centroids);

// Number of values of each nearest centroid, as nearest_codes assigns them, in O(k log n).
std::vector<std::size_t> populations(const KeptValues& values, std::span<const float> centroids);

// The start of Lloyd's algorithm, ascending, not necessarily distinct. values: at least one.
std::vector<double> initial_centroids(const KeptValues& values, const KMeansOptions& options);

// The centroids of least distortion by dynamic programming over the places of the cell borders:
// Grønlund et al., "Fast exact k-means, k-medians and Bregman divergence clustering in 1D", 2017,
// section 2, with divide and conquer in each layer, O(count m log m). The borders are taken from
// all m distinct values up to 4,096 of them, and then the result is exact; from 2,048 places
// beyond, half of them evenly spaced in value and half in rank, with the exact errors between them,
// which Lloyd steps on the values then refine. values: more than `count` distinct ones. Returns
// (count).
std::vector<double> optimal_centroids(const KeptValues& values, int count);

// The start of each run of equal values, and the number of values at the end, in O(limit log n); at
// most limit + 1 places, so that more than that tells that there are more distinct values.
std::vector<std::size_t> distinct_places(const KeptValues& values, std::size_t limit);

}  // namespace ltz::compress
