#include "compress/codebooks/entropy_constrained.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>
#include <string>
#include <utility>

#include "compress/codebooks/codebook.h"
#include "compress/codebooks/kmeans.h"
#include "model/base/error.h"
#include "model/base/parallel.h"

namespace ltz::compress {
namespace {

constexpr int kLargestIndex = 127;
constexpr int kMaxCentroids = 2 * kLargestIndex + 1;

// Values that one thread works on at a time. Their sums are added up in order, so that the result
// does not depend on the threads.
constexpr std::size_t kBlockValues = 1 << 15;

// What chose one centroid c: deviations are from c, which keeps small errors exact.
struct Cell {
  std::int64_t count = 0;
  double weight = 0.0;
  double deviation = 0.0;  // sum of weight * (value - c)
  double squares = 0.0;    // sum of weight * (value - c)^2

  void add(double h, double d) {
    ++count;
    weight += h;
    deviation += h * d;
    squares += h * d * d;
  }

  void add(const Cell& other) {
    count += other.count;
    weight += other.weight;
    deviation += other.deviation;
    squares += other.squares;
  }
};

void require(bool fine, const std::string& expected, const std::string& found) {
  if (!fine) {
    throw ConfigError("expected " + expected + ", found " + found);
  }
}

void require_weights(std::span<const double> weights, std::size_t expected,
                     const std::string& which) {
  require(weights.empty() || weights.size() == expected,
          "a weight for each of " + std::to_string(expected) + " " + which,
          std::to_string(weights.size()));
  const auto bad =
      std::ranges::find_if_not(weights, [](double w) { return std::isfinite(w) && w >= 0.0; });
  require(bad == weights.end(), "weights of " + which + " from 0 up",
          bad == weights.end() ? "" : std::to_string(*bad));
}

void validate(const WeightedMatrix& matrix, const EntropyConstrainedOptions& options) {
  require(std::isfinite(options.lambda) && options.lambda >= 0.0, "a lambda from 0 up",
          std::to_string(options.lambda));
  require(options.max_iterations >= 0, "iterations from 0 up",
          std::to_string(options.max_iterations));
  require(options.tolerance >= 0.0, "a tolerance from 0 up", std::to_string(options.tolerance));
  if (const auto* grid = std::get_if<UniformGrid>(&options.start)) {
    require(std::isfinite(grid->step) && grid->step >= 0.0, "a step from 0 up",
            std::to_string(grid->step));
  } else {
    const int count = std::get<KMeansCells>(options.start).centroids;
    require(count >= 1 && count <= kMaxCentroids, "1 to 255 centroids", std::to_string(count));
  }
  const std::size_t size = matrix.values.size();
  require(matrix.columns > 0 && size % matrix.columns == 0, "whole rows",
          std::to_string(size) + " values in rows of " + std::to_string(matrix.columns));
  const auto bad =
      std::ranges::find_if_not(matrix.values, [](float v) { return std::isfinite(v); });
  require(bad == matrix.values.end(), "finite values",
          bad == matrix.values.end() ? "" : std::to_string(*bad));
  require_weights(matrix.row_weights, size / matrix.columns, "rows");
  require_weights(matrix.column_weights, matrix.columns, "columns");
}

std::vector<double> or_ones(std::span<const double> weights, std::size_t count) {
  return weights.empty() ? std::vector<double>(count, 1.0)
                         : std::vector<double>(weights.begin(), weights.end());
}

std::vector<float> grid_points(std::span<const float> values, double wanted_step) {
  double largest = 0.0;
  for (const float value : values) {
    largest = std::max(largest, std::abs(static_cast<double>(value)));
  }
  if (largest == 0.0) {
    return {0.0f};
  }
  // With a step of twice the largest everything is nearest to zero already.
  const double step = std::clamp(wanted_step, largest / kLargestIndex, 2.0 * largest);
  const int last = std::min(static_cast<int>(std::ceil(largest / step)), kLargestIndex);
  std::vector<float> points;
  for (int index = -last; index <= last; ++index) {
    const auto point = static_cast<float>(index * step);
    // The largest floats have no multiple above them, the smallest none between them.
    if (std::isfinite(point) && (points.empty() || points.back() < point)) {
      points.push_back(point);
    }
  }
  return points;
}

// What is within `dead_zone` of zero is left to zero. Beside a centroid that K-means puts among
// these values an exact zero would starve.
std::vector<float> kmeans_points(std::span<const float> values, int count, double dead_zone) {
  std::vector<float> points;
  if (count > 1) {
    const SortedValues sorted(values);
    const KeptValues kept(sorted, static_cast<float>(dead_zone));
    points = fit_codebook(kept, {.centroids = count - 1}).centroids;
  }
  const std::size_t zero = place_of_zero(points);
  if (zero == points.size() || points[zero] != 0.0f) {
    points.insert(points.begin() + static_cast<std::ptrdiff_t>(zero), 0.0f);
  }
  return points;
}

// The codebook and what it is made of, iteration by iteration.
class Descent {
 public:
  Descent(const WeightedMatrix& matrix, const EntropyConstrainedOptions& options)
      : values_(matrix.values),
        columns_(matrix.columns),
        row_weights_(or_ones(matrix.row_weights, values_.size() / columns_)),
        column_weights_(or_ones(matrix.column_weights, columns_)),
        lambda_(options.lambda) {
    // What a bit is worth in squared error, of an element of mean weight.
    const double weights = std::accumulate(row_weights_.begin(), row_weights_.end(), 0.0) *
                           std::accumulate(column_weights_.begin(), column_weights_.end(), 0.0);
    const double bit =
        weights > 0.0 ? lambda_ * static_cast<double>(values_.size()) / weights : 0.0;
    if (const auto* cells = std::get_if<KMeansCells>(&options.start)) {
      book_.centroids = kmeans_points(values_, cells->centroids, std::sqrt(bit));
    } else {
      const double step = std::get<UniformGrid>(options.start).step;
      book_.centroids = grid_points(values_, step > 0.0 ? step : high_rate_step(bit, 1.0));
    }
    book_.codes = nearest_codes(values_, book_.centroids);
    // Without prices the first values go to their nearest centroids.
    prices_.assign(book_.centroids.size(), 0.0);
    step();
  }

  // One iteration.
  void step() {
    const std::vector<Cell> cells = assign();
    std::vector<std::size_t> order;
    std::vector<float> centroids;
    for (std::size_t k = 0; k < cells.size(); ++k) {
      float c = book_.centroids[k];
      if (c != 0.0f && cells[k].weight > 0.0) {
        c = static_cast<float>(c + cells[k].deviation / cells[k].weight);
      }
      centroids.push_back(c + 0.0f);  // never -0
      if (cells[k].count > 0 || c == 0.0f) {
        order.push_back(k);
      }
    }
    // Cells of different weights may overlap, and their means may change places or meet.
    std::ranges::stable_sort(order, {}, [&](std::size_t k) { return centroids[k]; });
    std::vector<float> kept;
    std::vector<std::int64_t> counts;
    std::vector<std::uint8_t> new_codes(cells.size());
    book_.error = 0.0;
    for (const std::size_t k : order) {
      if (kept.empty() || kept.back() < centroids[k]) {
        kept.push_back(centroids[k]);
        counts.push_back(0);
      }
      counts.back() += cells[k].count;
      new_codes[k] = static_cast<std::uint8_t>(kept.size() - 1);
      const double moved = static_cast<double>(centroids[k]) - book_.centroids[k];
      book_.error += std::max(
          cells[k].squares - 2.0 * moved * cells[k].deviation + moved * moved * cells[k].weight,
          0.0);
    }
    book_.centroids = std::move(kept);
    std::ranges::transform(book_.codes, book_.codes.begin(),
                           [&](std::uint8_t code) { return new_codes[code]; });
    set_rates(counts);
  }

  EntropyConstrainedCodebook& book() { return book_; }

 private:
  // Gives every value its centroid; what chose each.
  std::vector<Cell> assign() {
    const std::size_t block_rows = std::max<std::size_t>(kBlockValues / columns_, 1);
    const std::size_t blocks = (row_weights_.size() + block_rows - 1) / block_rows;
    std::vector<std::vector<Cell>> parts(blocks);
    const double least_price = *std::ranges::min_element(prices_);
    parallel_for(blocks, [&](std::size_t block) {
      std::vector<Cell>& cells = parts[block];
      cells.resize(book_.centroids.size());
      const std::size_t end = std::min((block + 1) * block_rows, row_weights_.size());
      for (std::size_t r = block * block_rows; r < end; ++r) {
        for (std::size_t i = 0; i < columns_; ++i) {
          const double value = values_[r * columns_ + i];
          const double weight = row_weights_[r] * column_weights_[i];
          std::uint8_t& code = book_.codes[r * columns_ + i];
          code = static_cast<std::uint8_t>(cheapest(value, weight, code, least_price));
          cells[code].add(weight, value - book_.centroids[code]);
        }
      }
    });
    std::vector<Cell> total(book_.centroids.size());
    for (const std::vector<Cell>& cells : parts) {
      for (std::size_t k = 0; k < total.size(); ++k) {
        total[k].add(cells[k]);
      }
    }
    return total;
  }

  // Looks from `start` to both sides as long as a centroid of the least price could still be
  // cheaper: mostly a few steps, as few values change their cell.
  std::size_t cheapest(double value, double weight, std::size_t start, double least_price) const {
    const auto cost = [&](std::size_t k, double price) {
      const double error = value - book_.centroids[k];
      return weight * error * error + price;
    };
    std::size_t best = start;
    double best_cost = cost(start, prices_[start]);
    // False when neither this one nor those behind it can be cheaper.
    const auto look_at = [&](std::size_t k) {
      if (cost(k, least_price) >= best_cost) {
        return false;
      }
      if (const double c = cost(k, prices_[k]); c < best_cost) {
        best = k;
        best_cost = c;
      }
      return true;
    };
    for (std::size_t k = start + 1; k < prices_.size() && look_at(k); ++k) {
    }
    for (std::size_t k = start; k > 0 && look_at(k - 1); --k) {
    }
    return best;
  }

  void set_rates(const std::vector<std::int64_t>& counts) {
    const auto total = static_cast<std::int64_t>(values_.size());
    book_.bits.clear();
    prices_.clear();
    book_.total_bits = 0.0;
    for (const std::int64_t count : counts) {
      const double occurrences = count == 0 ? 0.5 : static_cast<double>(count);
      book_.bits.push_back(count == total ? 0.0
                                          : std::log2(static_cast<double>(total) / occurrences));
      book_.total_bits += static_cast<double>(count) * book_.bits.back();
      // Only a zero can be empty. It does not come back: its half an occurrence would be more than
      // all frequencies together, with which the objective could rise.
      prices_.push_back(count == 0 && lambda_ > 0.0 ? std::numeric_limits<double>::infinity()
                                                    : lambda_ * book_.bits.back());
    }
  }

  std::span<const float> values_;
  std::size_t columns_;
  std::vector<double> row_weights_;
  std::vector<double> column_weights_;
  double lambda_;
  EntropyConstrainedCodebook book_;
  std::vector<double> prices_;  // of each centroid: lambda * bits
};

}  // namespace

double high_rate_step(double lambda, double mean_weight) {
  return std::sqrt(6.0 * lambda / (std::numbers::ln2 * mean_weight));
}

EntropyConstrainedCodebook entropy_constrained(const WeightedMatrix& matrix,
                                               const EntropyConstrainedOptions& options) {
  validate(matrix, options);
  Descent descent(matrix, options);
  EntropyConstrainedCodebook& book = descent.book();
  double before = book.objective(options.lambda);
  while (book.iterations < options.max_iterations) {
    descent.step();
    ++book.iterations;
    const double now = book.objective(options.lambda);
    if (before - now <= options.tolerance * before) {
      break;
    }
    before = now;
  }
  return std::move(book);
}

}  // namespace ltz::compress
