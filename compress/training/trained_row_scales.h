#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "compress/training/adam.h"
#include "compress/training/training_state.h"

namespace ltz::compress {

// The scales of a quantized tensor's rows in training. They stay what 8 bits can say (row_scale):
// each has a latent logarithm to which the gradient is given as if it were not rounded (the
// straight-through estimator: Bengio, Léonard, Courville 2013). Logarithms, so that a step means
// the same to rows of all scales.
class TrainedRowScales {
 public:
  // codes: (rows), as row_scale() has them; the latent logarithms start in the middle of theirs.
  explicit TrainedRowScales(std::span<const std::uint8_t> codes);

  std::span<const std::uint8_t> codes() const { return codes_; }  // (rows)
  std::span<const float> scales() const { return scales_; }       // (rows)

  // gradient: (rows), derivatives of the loss by the natural logarithms of the scales.
  // learning_rate: of these logarithms.
  void step(std::span<const float> gradient, double learning_rate);

  // {latent logarithms to base 2, first moments, second moments, {updates}}
  TrainingState state() const;
  std::vector<std::size_t> state_sizes() const;
  // state: of which these are numbers first, first + 1, …, of the right sizes.
  void restore(const TrainingState& state, std::size_t first);

 private:
  void round();

  std::vector<std::uint8_t> codes_;
  std::vector<float> scales_;
  std::vector<float> latents_;
  Adam adam_;
};

}  // namespace ltz::compress
