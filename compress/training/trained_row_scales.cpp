#include "compress/training/trained_row_scales.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "model/checkpoint/tensor.h"

namespace ltz::compress {

TrainedRowScales::TrainedRowScales(std::span<const std::uint8_t> codes)
    : codes_(codes.begin(), codes.end()), scales_(codes.size()), adam_(codes.size()) {
  for (const std::uint8_t code : codes) {
    latents_.push_back(static_cast<float>(std::log2(static_cast<double>(row_scale(code)))));
  }
  round();
}

void TrainedRowScales::step(std::span<const float> gradient, double learning_rate) {
  // Adam's steps do not depend on the unit of the gradient.
  adam_.step(latents_, gradient, learning_rate * std::numbers::log2e);
  round();
}

void TrainedRowScales::round() {
  std::ranges::transform(latents_, codes_.begin(),
                         [](float latent) { return row_scale_code(latent); });
  std::ranges::transform(codes_, scales_.begin(), row_scale);
}

TrainingState TrainedRowScales::state() const {
  TrainingState state = {latents_};
  append(state, adam_.state());
  return state;
}

std::vector<std::size_t> TrainedRowScales::state_sizes() const {
  return {latents_.size(), latents_.size(), latents_.size(), 1};
}

void TrainedRowScales::restore(const TrainingState& state, std::size_t first) {
  latents_ = state[first];
  adam_.restore(adam_state(state, first + 1));
  round();
}

}  // namespace ltz::compress
