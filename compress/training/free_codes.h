#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "compress/codebooks/code_levels.h"
#include "compress/training/adam.h"
#include "compress/training/training_state.h"

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

// What a coder that knows rows and columns needs about for the codes of a matrix, in bits
// (level_bits). codes: (rows, columns). centroids: (k), ascending.
double coded_bits(std::span<const std::uint8_t> codes, std::size_t rows,
                  std::span<const float> centroids);

// What chooses the codes of a quantized tensor in training: every element has a latent weight, in
// units of the centroids, to which the gradient of the element is given as if there were no
// quantizer (the straight-through estimator: Bengio, Léonard, Courville 2013); its code is that of
// the cell that the latent weight is in (code_thresholds), by code lengths that depend on the level
// of the place (CodeLevels), as those of a coder do that knows rows and columns. Levels, lengths
// and the price of a bit are those of the start until they are changed.
//
// Codes and centroids are the tensor's. codes: (rows, columns). centroids: (k), ascending.
class FreeCodes {
 public:
  // rows: of which all have the same number of codes. weights: (rows, columns), in units of the
  // centroids, where the latent weights start, in the cells of their codes as far as there are
  // such; empty: at the centroids. Throws ConfigError for options out of range.
  FreeCodes(std::span<const std::uint8_t> codes, std::size_t rows, std::span<const float> centroids,
            std::span<const float> weights, const FreeCodesOptions& options);

  // One update of the latent weights in parts, as Adam has it.
  void begin_step() { adam_.begin_step(); }
  void step_part(std::size_t first, std::span<const float> gradient, double learning_rate);

  // Gives all elements the codes that their latent weights have at that multiple of the first
  // price, or at the current one. codes: those of before, or others.
  void choose(std::span<const float> centroids, float price_factor,
              std::span<std::uint8_t> codes) const;
  void choose(std::span<const float> centroids, std::span<std::uint8_t> codes) const {
    choose(centroids, price_factor_, codes);
  }

  // Whether bits cost anything.
  bool priced() const { return price_ > 0.0; }
  float price_factor() const { return price_factor_; }
  void set_price_factor(float price_factor) { price_factor_ = price_factor; }
  // From now on levels and lengths are those that the frequencies of these codes say.
  void count(std::span<const std::uint8_t> codes, std::span<const float> centroids);

  // {latent weights, first moments, second moments, {updates}, levels of rows, levels of columns,
  // lengths, {price factor}}
  TrainingState state() const;
  std::vector<std::size_t> state_sizes() const;
  // state: of which these are numbers first, first + 1, …, of the right sizes.
  void restore(const TrainingState& state, std::size_t first);

 private:
  void start(std::span<const std::uint8_t> codes, std::span<const float> centroids,
             std::span<const float> weights, double margin);
  // (levels, k + 1), each line as code_thresholds has it
  std::vector<float> thresholds(std::span<const float> centroids, float price_factor) const;

  std::vector<float> latents_;  // (rows, columns)
  Adam adam_;
  CodeLevels levels_;
  std::vector<float> lengths_;  // (levels, k), of the codes, in bits
  double price_;                // of a bit, at first
  float price_factor_ = 1.0f;
};

}  // namespace ltz::compress
