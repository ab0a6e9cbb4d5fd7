#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "compress/training/adam.h"
#include "compress/training/free_codes.h"
#include "compress/training/trained_row_scales.h"
#include "compress/training/training_state.h"
#include "model/checkpoint/tensor.h"

namespace ltz::compress {

// A quantized tensor in training. Its centroids get the sum of their elements' gradients, times the
// scales of the rows (Han et al. 2016, section 3.3); one that is exactly zero stays so. Scales of
// rows are trained too (TrainedRowScales).
//
// Codes are fixed or free (FreeCodes). Centroids of free codes keep their order and their signs.
//
// Adam's steps do not depend on the unit, so the learning rate, which is meant for weights, is
// divided by the root mean square of the row scales at the start; and for the logarithms of the
// scales also by that of the elements' centroids, as if the weights of a row moved together. For
// the members see TrainedTensor.
class TrainedCodebook {
 public:
  TrainedCodebook(const Shape& shape, const QuantizedValues& start);
  // With free codes. original: (elements), the weights before they were quantized, from which the
  // latent weights start, in the cells of their codes; empty: from the centroids.
  // Throws ConfigError for another number of them and for options out of range.
  TrainedCodebook(const Shape& shape, const QuantizedValues& start, std::span<const float> original,
                  const FreeCodesOptions& options);

  void values(std::span<float> out) const;
  double squared_gradient_norm(std::span<const float> gradient) const;
  void step(std::span<const float> gradient, const TrainingStep& step);
  // Throws ConfigError for a centroid that is not finite in float16.
  Tensor tensor() const;

  // For free codes that have a price; see hold_code_bits().
  bool priced() const { return free_ && free_->priced(); }
  float price_factor() const { return free_->price_factor(); }
  // coded_bits of the codes as they would be chosen at that multiple of the first price.
  double code_bits(float price_factor) const;
  // From now on codes have the levels and lengths that their frequencies say: those of all elements
  // as they are. Nothing else changes until the codes are chosen anew.
  void count_codes();
  // Chooses the codes at that multiple of the first price.
  void set_price_factor(float price_factor);

  // {centroids, first moments, second moments, {updates}}, then the states of free codes and of row
  // scales where there are any.
  TrainingState state() const;
  void restore(const TrainingState& state);

 private:
  template <typename Body>
  void each_row(std::size_t begin, std::size_t end, const Body& body) const;
  bool has_row_scales() const { return !row_scales_.scales().empty(); }
  float scale_of_row(std::size_t row) const;
  std::vector<float> row_gradient(std::span<const float> gradient, double scale) const;
  std::vector<float> centroid_gradient(const std::vector<double>& sums) const;
  void order_centroids();

  Shape shape_;
  TrainedRowScales row_scales_;  // without rows where there are none
  std::size_t columns_ = 1;      // of a row; all elements where there are no scales
  double unit_ = 1.0;            // root mean square of the scales at the start
  double typical_ = 1.0;         // that of the elements' centroids

  std::vector<float> centroids_;
  std::size_t zero_ = 0;  // the one that is exactly zero, or their number
  std::vector<std::uint8_t> codes_;
  Adam centroid_adam_;

  std::optional<FreeCodes> free_;
};

}  // namespace ltz::compress
