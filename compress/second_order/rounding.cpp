#include "compress/second_order/rounding.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "compress/codebooks/codebook.h"
#include "compress/codebooks/entropy_constrained.h"
#include "compress/second_order/centroid_fit.h"
#include "model/base/blas.h"
#include "model/base/parallel.h"

namespace ltz::compress {

Rounding::Rounding(std::span<const float> weights, const InputGeometry& geometry,
                   const SecondOrderOptions& options)
    : geometry_(geometry),
      options_(options),
      columns_(geometry.h.rows()),
      rows_(static_cast<Eigen::Index>(weights.size()) / columns_),
      row_weights_(options.row_weights.begin(), options.row_weights.end()),
      weights_(rows_, columns_),
      indices_(static_cast<std::size_t>(weights_.size())),
      rates_(static_cast<std::size_t>(rows_), static_cast<std::size_t>(columns_)) {
  row_weights_.resize(static_cast<std::size_t>(rows_), 1.0);
  if (options.scale_rows) {
    scale_rows();
  }
  for (Eigen::Index r = 0; r < rows_; ++r) {
    for (Eigen::Index i = 0; i < columns_; ++i) {
      const Eigen::Index column = geometry.order[static_cast<std::size_t>(i)];
      weights_(r, i) = weights[static_cast<std::size_t>(r * columns_ + column)] / scale(r);
    }
  }
}

void Rounding::start_uniform() {
  const double curvature = geometry_.u.diagonal().array().square().inverse().mean();
  const double largest = weights_.cwiseAbs().maxCoeff();
  const double step = std::max(high_rate_step(options_.lambda, curvature), largest / kLargestIndex);
  const int count = std::clamp(static_cast<int>(std::ceil(largest / step)), 1, kLargestIndex);
  std::vector<double> points;
  for (int index = -count; index <= count; ++index) {
    points.push_back(index * step);
  }
  begin(std::move(points));
}

void Rounding::start_k_means(int cells) {
  const std::vector<float> values(weights_.data(), weights_.data() + weights_.size());
  const Row curvatures = geometry_.u.diagonal().array().square().inverse();
  const EntropyConstrainedCodebook codebook = entropy_constrained(
      {.values = values,
       .columns = static_cast<std::size_t>(columns_),
       .row_weights = row_weights_,
       .column_weights = {curvatures.data(), static_cast<std::size_t>(columns_)}},
      {.lambda = options_.rate_share * options_.lambda,
       .start = KMeansCells{std::min(cells, kLargestIndex)}});
  start_ = CodebookStart::kKMeans;
  begin({codebook.centroids.begin(), codebook.centroids.end()});
}

void Rounding::feed_errors_forward() {
  parallel_for(static_cast<std::size_t>(rows_), [&](std::size_t r) {
    Row w = weights_.row(static_cast<Eigen::Index>(r));
    for (Eigen::Index i = 0; i < columns_; ++i) {
      const double scale = geometry_.u(i, i);
      const int index =
          choose({r, static_cast<std::size_t>(i)}, w[i], row_weights_[r] / (scale * scale));
      indices_[r * static_cast<std::size_t>(columns_) + static_cast<std::size_t>(i)] =
          static_cast<std::int16_t>(index);
      const double error = (w[i] - points_[place_of(index)]) / scale;
      const Eigen::Index rest = columns_ - i - 1;
      w.tail(rest) -= error * geometry_.u.row(i).tail(rest);
    }
  });
  rates_.learn(indices_);
}

void Rounding::descend() {
  parallel_for(static_cast<std::size_t>(rows_), [&](std::size_t r) {
    std::int16_t* indices = indices_.data() + r * static_cast<std::size_t>(columns_);
    Row pull = error_row(r) * geometry_.h;  // half the gradient of the error
    for (Eigen::Index i = 0; i < columns_; ++i) {
      const double curvature = geometry_.h(i, i);
      const double now = points_[place_of(indices[i])];
      const int index = choose({r, static_cast<std::size_t>(i)}, now - pull[i] / curvature,
                               row_weights_[r] * curvature);
      const double change = points_[place_of(index)] - now;
      if (change != 0.0) {
        indices[i] = static_cast<std::int16_t>(index);
        pull += change * geometry_.h.row(i);
      }
    }
  });
  rates_.learn(indices_);
}

// Moves the points that occur, zero apart, to where the error is least for these indices.
void Rounding::refit_points() {
  if (!options_.refit) {
    return;
  }
  std::vector<std::int16_t> slot(points_.size(), -1);  // of a point among those that move
  std::vector<std::size_t> moving;
  for (const std::size_t place : used_places()) {
    if (place != zero_) {
      slot[place] = static_cast<std::int16_t>(moving.size());
      moving.push_back(place);
    }
  }
  if (moving.empty()) {
    return;
  }
  std::vector<std::int16_t> slots(indices_.size());
  std::ranges::transform(indices_, slots.begin(),
                         [&](std::int16_t index) { return slot[place_of(index)]; });
  const std::vector<double> fitted =
      fit_centroids(weights_, slots, moving.size(), geometry_.h, row_weights_);
  for (std::size_t s = 0; s < moving.size(); ++s) {
    // A point stays on its own stretch of the line; where few weights ask for it to leave, the
    // equations are badly conditioned.
    const std::size_t place = moving[s];
    const double wanted = std::isfinite(fitted[s]) ? fitted[s] : points_[place];
    points_[place] = round_to_float16(
        static_cast<float>(std::clamp(wanted, borders_[place], borders_[place + 1])));
  }
}

double Rounding::objective() const {
  return error() + options_.lambda * bits();
}

SecondOrderResult Rounding::result() const {
  SecondOrderResult result{.values = {}, .start = start_, .error = error(), .bits = bits()};
  std::vector<std::uint8_t> codes(points_.size(), 0);
  for (const std::size_t place : used_places()) {
    const auto point = static_cast<float>(points_[place]);
    // float16 may have made neighbours equal.
    if (result.values.centroids.empty() || result.values.centroids.back() < point) {
      result.values.centroids.push_back(point);
    }
    codes[place] = static_cast<std::uint8_t>(result.values.centroids.size() - 1);
  }
  result.values.row_scales = row_scales_;
  result.values.codes.resize(indices_.size());
  for (std::size_t r = 0; r < static_cast<std::size_t>(rows_); ++r) {
    const std::size_t start = r * static_cast<std::size_t>(columns_);
    for (std::size_t i = 0; i < static_cast<std::size_t>(columns_); ++i) {
      result.values.codes[start + static_cast<std::size_t>(geometry_.order[i])] =
          codes[place_of(indices_[start + i])];
    }
  }
  return result;
}

// With 1 / sqrt(weight) a row's errors count the same as all others'.
void Rounding::scale_rows() {
  for (double& weight : row_weights_) {
    row_scales_.push_back(row_scale_code(-0.5 * std::log2(weight)));
    weight *= std::pow(row_scale(row_scales_.back()), 2);
  }
}

float Rounding::scale(Eigen::Index r) const {
  return row_scales_.empty() ? 1.0f : row_scale(row_scales_[static_cast<std::size_t>(r)]);
}

void Rounding::begin(std::vector<double> points) {
  points_ = std::move(points);
  std::ranges::transform(points_, points_.begin(),
                         [](double point) { return round_to_float16(static_cast<float>(point)); });
  points_.erase(std::unique(points_.begin(), points_.end()), points_.end());
  zero_ = place_of_zero(points_);
  // Halfway between neighbours; the outermost points have as much room outside.
  borders_.assign(points_.size() + 1, 0.0);
  for (std::size_t i = 1; i < points_.size(); ++i) {
    borders_[i] = 0.5 * (points_[i - 1] + points_[i]);
  }
  borders_.front() = 2.0 * points_.front() - borders_[points_.size() > 1 ? 1 : 0];
  borders_.back() = 2.0 * points_.back() - borders_[points_.size() - 1];
  // Plain rounding gives the first rates.
  for (std::size_t i = 0; i < indices_.size(); ++i) {
    indices_[i] = static_cast<std::int16_t>(nearest(weights_.data()[i]));
  }
  rates_.learn(indices_);
}

int Rounding::nearest(double value) const {
  const auto inner = std::span(borders_).subspan(1, points_.size() - 1);
  return static_cast<int>(std::ranges::upper_bound(inner, value) - inner.begin()) -
         static_cast<int>(zero_);
}

int Rounding::choose(Place place, double value, double curvature) const {
  const double price = options_.rate_share * options_.lambda;
  const auto cost = [&](int index) {
    const double error = value - points_[place_of(index)];
    return curvature * error * error + price * rates_(place.row, place.column, index);
  };
  const int lowest = -static_cast<int>(zero_);
  const int highest = static_cast<int>(points_.size()) - 1 + lowest;
  const int start = nearest(value);
  int best = start;
  double best_cost = cost(start);
  for (const int candidate : {start - 1, start + 1, 0}) {
    if (candidate < lowest || candidate > highest) {
      continue;
    }
    if (const double c = cost(candidate); c < best_cost) {
      best = candidate;
      best_cost = c;
    }
  }
  return best;
}

double Rounding::error() const {
  std::vector<double> errors(static_cast<std::size_t>(rows_));
  parallel_for(errors.size(), [&](std::size_t r) {
    const Row difference = error_row(r);
    errors[r] = row_weights_[r] * (difference * geometry_.h).dot(difference);
  });
  return std::accumulate(errors.begin(), errors.end(), 0.0);
}

double Rounding::bits() const {
  double sum = 0.0;
  const auto columns = static_cast<std::size_t>(columns_);
  for (std::size_t i = 0; i < indices_.size(); ++i) {
    sum += rates_(i / columns, i % columns, indices_[i]);
  }
  return sum;
}

Row Rounding::error_row(std::size_t r) const {
  const std::int16_t* indices = indices_.data() + r * static_cast<std::size_t>(columns_);
  Row error(columns_);
  for (Eigen::Index i = 0; i < columns_; ++i) {
    error[i] = points_[place_of(indices[i])] - weights_(static_cast<Eigen::Index>(r), i);
  }
  return error;
}

std::vector<std::size_t> Rounding::used_places() const {
  std::vector<bool> occurs(points_.size());
  for (const std::int16_t index : indices_) {
    occurs[place_of(index)] = true;
  }
  std::vector<std::size_t> used;
  for (std::size_t place = 0; place < points_.size(); ++place) {
    if (occurs[place]) {
      used.push_back(place);
    }
  }
  return used;
}

}  // namespace ltz::compress
