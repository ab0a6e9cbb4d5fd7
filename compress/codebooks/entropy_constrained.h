#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <variant>
#include <vector>

namespace ltz::compress {

// A matrix and how much its errors count: that of the element (r, c) by row_weights[r] *
// column_weights[c].
struct WeightedMatrix {
  std::span<const float> values;  // (rows, columns), row-major
  std::size_t columns = 1;
  std::span<const double> row_weights = {};     // (rows); empty: all 1
  std::span<const double> column_weights = {};  // (columns); empty: all 1
};

// Multiples of a step; a coarser one where it would take more than 127 of them to reach the largest
// value.
struct UniformGrid {
  // 0: high_rate_step for lambda and the mean weight.
  double step = 0.0;
};

// Zero, and unweighted K-means of the values that are more than a bit's worth from it. At most this
// many centroids, zero included; 1 to 255. A fair start against a grid is as many as it ends with.
struct KMeansCells {
  int centroids = 255;
};

struct EntropyConstrainedOptions {
  double lambda = 0.0;  // weighted squared error that a bit is worth; 0: bits cost nothing
  std::variant<UniformGrid, KMeansCells> start = UniformGrid{};
  int max_iterations = 50;  // 0: the start, with the means of its cells
  // The iterations end with one that lowers the objective by less than this fraction of it.
  double tolerance = 1e-4;
};

struct EntropyConstrainedCodebook {
  // Ascending, distinct, 1 to 255. One is exactly zero, even if nothing has its code; the others
  // have.
  std::vector<float> centroids;
  // -log2 of the frequency of each centroid; a zero without values counts as half a value.
  std::vector<double> bits;
  std::vector<std::uint8_t> codes;  // (rows, columns)
  double error = 0.0;               // weighted sum of squared errors
  double total_bits = 0.0;          // of all codes
  int iterations = 0;

  double objective(double lambda) const { return error + lambda * total_bits; }
};

// Entropy-constrained scalar quantization (Chou, Lookabaugh, Gray, "Entropy-constrained vector
// quantization", 1989; for networks Choi et al. 2017): alternately every value gets the centroid c
// of least weight * (value - c)^2 + lambda * bits of c, the bits become those of the new
// frequencies, and every centroid but zero moves to the weighted mean of its values. None of the
// three raises error + lambda * bits. Centroids that nothing chooses are dropped.
//
// The same for any number of threads. Throws ConfigError for options out of range, weights of
// another number than rows or columns, negative ones, and anything that is not finite.
EntropyConstrainedCodebook entropy_constrained(const WeightedMatrix& matrix,
                                               const EntropyConstrainedOptions& options);

// The step of a uniform grid for which error + lambda * bits is least at high rates: the error is
// weight * step^2 / 12 a value and its code takes h - log2(step) bits.
double high_rate_step(double lambda, double mean_weight);

}  // namespace ltz::compress
