#include "compress/second_order.h"

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <string>

#include "compress/input_geometry.h"
#include "model/error.h"
#include "model/parallel.h"

namespace ltz::compress {
namespace {

constexpr int kLargestIndex = 127;  // codes are bytes
constexpr int kIndices = 2 * kLargestIndex + 1;

// Bits of each index of the grid.
class Rates {
 public:
  Rates() { bits_.assign(kIndices, 0.0); }

  explicit Rates(const std::vector<std::int64_t>& counts) {
    // An index that did not occur could come back, at the price of half an occurrence.
    const auto total =
        static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::int64_t{0}));
    for (const std::int64_t count : counts) {
      bits_.push_back(std::log2((total + 1.0) / (static_cast<double>(count) + 0.5)));
    }
  }

  double operator()(int index) const {
    return bits_[static_cast<std::size_t>(index + kLargestIndex)];
  }

 private:
  std::vector<double> bits_;
};

// The matrix while it is rounded: places instead of columns, indices of the grid instead of values.
class Rounding {
 public:
  Rounding(std::span<const float> weights, const InputGeometry& geometry,
           const SecondOrderOptions& options)
      : geometry_(geometry),
        options_(options),
        step_(step_of(weights, geometry, options)),
        columns_(geometry.h.rows()),
        rows_(static_cast<Eigen::Index>(weights.size()) / columns_),
        weights_(rows_, columns_),
        indices_(static_cast<std::size_t>(weights_.size())),
        points_(kIndices) {
    for (Eigen::Index r = 0; r < rows_; ++r) {
      for (Eigen::Index i = 0; i < columns_; ++i) {
        const Eigen::Index column = geometry.order[static_cast<std::size_t>(i)];
        weights_(r, i) = weights[static_cast<std::size_t>(r * columns_ + column)];
      }
    }
    for (int index = -kLargestIndex; index <= kLargestIndex; ++index) {
      points_[place_of(index)] = index * step_;
    }
    // Plain rounding gives the first rates.
    for (std::size_t i = 0; i < indices_.size(); ++i) {
      indices_[i] = nearest(weights_.data()[i]);
    }
    update_rates();
  }

  void feed_errors_forward() {
    parallel_for(static_cast<std::size_t>(rows_), [&](std::size_t r) {
      Row w = weights_.row(static_cast<Eigen::Index>(r));
      for (Eigen::Index i = 0; i < columns_; ++i) {
        const double scale = geometry_.u(i, i);
        const int index = choose(w[i], row_weight(r) / (scale * scale));
        indices_[r * static_cast<std::size_t>(columns_) + static_cast<std::size_t>(i)] =
            static_cast<std::int16_t>(index);
        const double error = (w[i] - points_[place_of(index)]) / scale;
        const Eigen::Index rest = columns_ - i - 1;
        w.tail(rest) -= error * geometry_.u.row(i).tail(rest);
      }
    });
    update_rates();
  }

  void descend() {
    parallel_for(static_cast<std::size_t>(rows_), [&](std::size_t r) {
      std::int16_t* indices = indices_.data() + r * static_cast<std::size_t>(columns_);
      Row pull = error_row(r) * geometry_.h;  // half the gradient of the error
      for (Eigen::Index i = 0; i < columns_; ++i) {
        const double curvature = geometry_.h(i, i);
        const double now = points_[place_of(indices[i])];
        const int index = choose(now - pull[i] / curvature, row_weight(r) * curvature);
        const double change = points_[place_of(index)] - now;
        if (change != 0.0) {
          indices[i] = static_cast<std::int16_t>(index);
          pull += change * geometry_.h.row(i);
        }
      }
    });
    update_rates();
  }

  // Moves the points that occur, zero apart, to where the error is least for these indices.
  void refit_points() {
    const std::vector<int> used = used_indices();
    std::vector<Eigen::Index> slot(kIndices, -1);  // of an index among the moving points
    std::vector<int> moving;
    for (const int index : used) {
      if (index != 0) {
        slot[place_of(index)] = static_cast<Eigen::Index>(moving.size());
        moving.push_back(index);
      }
    }
    const auto k = static_cast<Eigen::Index>(moving.size());
    if (k == 0) {
      return;
    }
    // Sums over rows of P^T H P and P^T H w (P: which column has which point), first over blocks of
    // rows, then over the blocks in order.
    constexpr Eigen::Index kBlock = 64;
    const auto blocks = static_cast<std::size_t>((rows_ + kBlock - 1) / kBlock);
    std::vector<Square> left(blocks, Square::Zero(k, k));
    std::vector<Row> right(blocks, Row::Zero(k));
    parallel_for(blocks, [&](std::size_t block) {
      const auto begin = static_cast<Eigen::Index>(block) * kBlock;
      for (Eigen::Index r = begin; r < std::min(rows_, begin + kBlock); ++r) {
        const double weight = row_weight(static_cast<std::size_t>(r));
        const std::int16_t* indices = indices_.data() + r * columns_;
        Square ph = Square::Zero(k, columns_);
        for (Eigen::Index i = 0; i < columns_; ++i) {
          if (const Eigen::Index s = slot[place_of(indices[i])]; s >= 0) {
            ph.row(s) += geometry_.h.row(i);
          }
        }
        for (Eigen::Index i = 0; i < columns_; ++i) {
          if (const Eigen::Index s = slot[place_of(indices[i])]; s >= 0) {
            left[block].col(s) += weight * ph.col(i);
          }
        }
        right[block] += weight * (weights_.row(r) * ph.transpose());
      }
    });
    Square l = Square::Zero(k, k);
    Row b = Row::Zero(k);
    for (std::size_t block = 0; block < blocks; ++block) {
      l += left[block];
      b += right[block];
    }
    const Row fitted = l.ldlt().solve(b.transpose()).transpose();
    for (Eigen::Index s = 0; s < k; ++s) {
      const int index = moving[static_cast<std::size_t>(s)];
      // A point stays on its own stretch of the line; where few weights ask for it to leave, the
      // equations are badly conditioned.
      const double low = (index - 0.5) * step_;
      const double high = (index + 0.5) * step_;
      points_[place_of(index)] = round_to_float16(static_cast<float>(
          std::clamp(std::isfinite(fitted[s]) ? fitted[s] : index * step_, low, high)));
    }
  }

  SecondOrderResult result() const {
    const std::vector<int> used = used_indices();
    SecondOrderResult result;
    std::vector<std::uint8_t> codes(kIndices, 0);
    for (const int index : used) {
      const auto point = static_cast<float>(points_[place_of(index)]);
      // float16 may have made neighbours equal.
      if (result.values.centroids.empty() || result.values.centroids.back() < point) {
        result.values.centroids.push_back(point);
      }
      codes[place_of(index)] = static_cast<std::uint8_t>(result.values.centroids.size() - 1);
    }
    result.values.codes.resize(indices_.size());
    for (std::size_t r = 0; r < static_cast<std::size_t>(rows_); ++r) {
      const std::size_t start = r * static_cast<std::size_t>(columns_);
      for (std::size_t i = 0; i < static_cast<std::size_t>(columns_); ++i) {
        const auto column = static_cast<std::size_t>(geometry_.order[i]);
        result.values.codes[start + column] = codes[place_of(indices_[start + i])];
      }
    }
    std::vector<double> errors(static_cast<std::size_t>(rows_));
    parallel_for(errors.size(), [&](std::size_t r) {
      const Row error = error_row(r);
      errors[r] = row_weight(r) * (error * geometry_.h).dot(error);
    });
    result.error = std::accumulate(errors.begin(), errors.end(), 0.0);
    for (const std::int16_t index : indices_) {
      result.bits += rates_(index);
    }
    return result;
  }

 private:
  // A uniform grid of step d has the error d^2 / 12 a weight, which costs 1 / U_ii^2 times that,
  // and its codes take h - log2(d) bits: at high rates the objective is least where its derivative
  // to d vanishes. A coarser step keeps a code within a byte.
  static double step_of(std::span<const float> weights, const InputGeometry& geometry,
                        const SecondOrderOptions& options) {
    const double curvature = geometry.u.diagonal().array().square().inverse().mean();
    const double best = std::sqrt(6.0 * options.lambda / (std::numbers::ln2 * curvature));
    double largest = 0.0;
    for (const float weight : weights) {
      largest = std::max(largest, std::abs(static_cast<double>(weight)));
    }
    return std::max(options.step_scale * best, largest / kLargestIndex);
  }

  static std::size_t place_of(int index) { return static_cast<std::size_t>(index + kLargestIndex); }

  std::int16_t nearest(double value) const {
    return static_cast<std::int16_t>(std::clamp(std::lround(value / step_),
                                                static_cast<long>(-kLargestIndex),
                                                static_cast<long>(kLargestIndex)));
  }

  double row_weight(std::size_t r) const {
    return options_.row_weights.empty() ? 1.0 : options_.row_weights[r];
  }

  // The index of least curvature * (value - point)^2 + lambda * bits: the nearest one, its
  // neighbours, or zero.
  int choose(double value, double curvature) const {
    const int start = nearest(value);
    int best = start;
    double best_cost = cost(start, value, curvature);
    for (const int candidate : {start - 1, start + 1, 0}) {
      if (candidate < -kLargestIndex || candidate > kLargestIndex) {
        continue;
      }
      if (const double c = cost(candidate, value, curvature); c < best_cost) {
        best = candidate;
        best_cost = c;
      }
    }
    return best;
  }

  double cost(int index, double value, double curvature) const {
    const double error = value - points_[place_of(index)];
    return curvature * error * error + options_.lambda * rates_(index);
  }

  Row error_row(std::size_t r) const {
    const std::int16_t* indices = indices_.data() + r * static_cast<std::size_t>(columns_);
    Row error(columns_);
    for (Eigen::Index i = 0; i < columns_; ++i) {
      error[i] = points_[place_of(indices[i])] - weights_(static_cast<Eigen::Index>(r), i);
    }
    return error;
  }

  std::vector<std::int64_t> counts() const {
    std::vector<std::int64_t> counts(kIndices, 0);
    for (const std::int16_t index : indices_) {
      ++counts[place_of(index)];
    }
    return counts;
  }

  std::vector<int> used_indices() const {
    const std::vector<std::int64_t> occurrences = counts();
    std::vector<int> used;
    for (int index = -kLargestIndex; index <= kLargestIndex; ++index) {
      if (occurrences[place_of(index)] > 0) {
        used.push_back(index);
      }
    }
    return used;
  }

  void update_rates() { rates_ = Rates(counts()); }

  const InputGeometry& geometry_;
  const SecondOrderOptions& options_;
  double step_;  // of the grid
  Eigen::Index columns_;
  Eigen::Index rows_;
  Square weights_;
  std::vector<std::int16_t> indices_;
  std::vector<double> points_;  // values of the grid
  Rates rates_;
};

}  // namespace

SecondOrderResult quantize_second_order(std::span<const float> weights, const InputMoments& moments,
                                        const SecondOrderOptions& options) {
  if (!(options.lambda > 0.0)) {
    throw ConfigError("lambda must be positive, found " + std::to_string(options.lambda));
  }
  const auto columns = static_cast<std::size_t>(moments.columns());
  if (moments.count == 0 || columns == 0 || weights.size() % columns != 0) {
    throw ConfigError("expected moments of the matrix's inputs, found " + std::to_string(columns) +
                      " columns of " + std::to_string(moments.count) + " inputs for " +
                      std::to_string(weights.size()) + " weights");
  }
  if (!options.row_weights.empty() && options.row_weights.size() != weights.size() / columns) {
    throw ConfigError("expected a weight for each of " + std::to_string(weights.size() / columns) +
                      " rows, found " + std::to_string(options.row_weights.size()));
  }
  const InputGeometry geometry =
      input_geometry(moments, {.damping = options.damping, .centred = options.centred});
  Rounding rounding(weights, geometry, options);
  for (int pass = 0; pass < options.passes; ++pass) {
    rounding.feed_errors_forward();
  }
  rounding.refit_points();
  for (int sweep = 0; sweep < options.sweeps; ++sweep) {
    rounding.descend();
    rounding.refit_points();
  }
  return rounding.result();
}

}  // namespace ltz::compress
