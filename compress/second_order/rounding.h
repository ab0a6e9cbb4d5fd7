#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "compress/calibration/input_geometry.h"
#include "compress/codebooks/code_rates.h"
#include "compress/second_order/second_order.h"

namespace ltz::compress {

// A matrix while it is rounded: columns by place (see InputGeometry), codes as indices of a
// codebook that count from its zero. The steps of quantize_second_order().
class Rounding {
 public:
  // weights: (rows, columns), row-major. Geometry and options outlive the rounding.
  Rounding(std::span<const float> weights, const InputGeometry& geometry,
           const SecondOrderOptions& options);

  // The codebook, and each weight rounded independently. Multiples of the step that is best for
  // lambda, see high_rate_step; of a coarser one where indices would be out of range.
  void start_uniform();
  // Entropy-constrained cells from a start by K-means, at most so many.
  void start_k_means(int cells);

  void feed_errors_forward();
  void descend();
  void refit_points();

  double objective() const;  // error + lambda * bits
  int points_in_use() const { return static_cast<int>(used_places().size()); }
  SecondOrderResult result() const;

 private:
  struct Place {
    std::size_t row;
    std::size_t column;
  };

  void scale_rows();
  float scale(Eigen::Index r) const;
  // points: ascending, with an exact zero.
  void begin(std::vector<double> points);
  std::size_t place_of(int index) const {
    return static_cast<std::size_t>(static_cast<int>(zero_) + index);
  }
  int nearest(double value) const;
  // The index of least curvature * (value - point)^2 + lambda * bits: the nearest one, its
  // neighbours, or zero.
  int choose(Place place, double value, double curvature) const;
  double error() const;
  double bits() const;
  Row error_row(std::size_t r) const;
  std::vector<std::size_t> used_places() const;

  const InputGeometry& geometry_;
  const SecondOrderOptions& options_;
  Eigen::Index columns_;
  Eigen::Index rows_;
  std::vector<double> row_weights_;       // of the scaled rows
  std::vector<std::uint8_t> row_scales_;  // none, or one a row
  Square weights_;                        // scaled
  CodebookStart start_ = CodebookStart::kUniform;
  std::vector<double> points_;   // values of the codebook, ascending
  std::vector<double> borders_;  // (points + 1): where they began to be nearest
  std::size_t zero_ = 0;         // which of the points is zero
  std::vector<std::int16_t> indices_;
  CodeRates rates_;
};

}  // namespace ltz::compress
