#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "compress/adam.h"
#include "compress/training_state.h"
#include "model/tensor.h"

namespace ltz::compress {

struct FreeCodesOptions {
  // How much the bits of a code count at the start, against what they are worth to a quantizer of
  // this step at high rates (price_of_a_bit); 0: codes are those of the nearest centroids.
  double rate_weight = 1.0;
  // How far from the border of its cell a weight starts at least, as a fraction of the way to the
  // centroid. Second-order rounding leaves many weights outside of their cells: without a margin
  // the first update would move half of them back, for no reason. 1: all start at the centroids.
  double margin = 0.25;
};

// A quantized tensor in training. Its centroids get the sum of their elements' gradients, times the
// scales of the rows (Han et al. 2016, section 3.3); one that is exactly zero stays so.
//
// Codes are fixed or free. Where they are free, every element has a latent weight, in units of the
// centroids, to which the gradient of the element is given as if there were no quantizer (the
// straight-through estimator: Bengio, Léonard, Courville 2013); its code is that of the cell that
// the latent weight is in (code_thresholds, with the centroids as they are; the code lengths and
// the price of a bit are those of the start until they are changed). Centroids keep their order and
// their signs.
//
// Adam's steps do not depend on the unit, so the learning rate, which is meant for weights, is
// divided by the root mean square of the row scales. For the members see TrainedTensor.
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
  bool priced() const { return price_ > 0.0; }
  float price_factor() const { return price_factor_; }
  // Entropy of all codes, in bits, as they would be chosen at that multiple of the first price.
  double code_bits(float price_factor) const;
  // From now on codes have the lengths that their frequencies say: those of all elements as they
  // are. Nothing else changes until the codes are chosen anew.
  void count_codes();
  // Chooses the codes at that multiple of the first price.
  void set_price_factor(float price_factor);

  // {centroids, first moments, second moments, {updates}}, with free codes also the latent weights
  // and their moments, the lengths of the codes and {price factor}.
  TrainingState state() const;
  void restore(const TrainingState& state);

 private:
  template <typename Body>
  void each_row(std::size_t begin, std::size_t end, const Body& body) const;
  void start_latents(std::span<const float> original, double margin);
  std::vector<float> centroid_gradient(const std::vector<double>& sums) const;
  void order_centroids();
  std::vector<float> thresholds_at(float price_factor) const;
  void choose_codes();

  Shape shape_;
  std::vector<std::uint8_t> row_scales_;
  std::vector<float> scales_;  // of rows of columns_ elements; 1 of all where there are none
  std::size_t columns_ = 1;
  double unit_ = 1.0;  // root mean square of scales_

  std::vector<float> centroids_;
  std::size_t zero_ = 0;  // the one that is exactly zero, or their number
  std::vector<std::uint8_t> codes_;
  Adam centroid_adam_;

  bool free_codes_ = false;
  std::vector<float> latents_;  // (elements) if codes are free
  Adam latent_adam_;
  std::vector<float> lengths_;  // of the codes, in bits
  double price_ = 0.0;          // of a bit, at first
  float price_factor_ = 1.0f;
  std::vector<float> thresholds_;
};

}  // namespace ltz::compress
