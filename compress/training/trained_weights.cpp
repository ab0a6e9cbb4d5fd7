#include "compress/training/trained_weights.h"

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <cmath>

#include "compress/codebooks/quantize.h"
#include "compress/sensitivity/prune.h"
#include "compress/training/fixed_chunks.h"

namespace ltz::compress {

TrainedWeights::TrainedWeights(const Shape& shape, const DenseValues& start, Zeros zeros)
    : shape_(shape),
      precision_(start.precision),
      zeros_(zeros),
      values_(start.values),
      adam_(start.values.size()) {
  if (zeros == Zeros::kPruned && std::ranges::find(values_, 0.0f) != values_.end()) {
    mask_ = mask_of(values_);
  }
}

void TrainedWeights::values(std::span<float> out) const {
  std::ranges::copy(values_, out.begin());
}

double TrainedWeights::squared_gradient_norm(std::span<const float> gradient) const {
  return mask_.empty() ? squared_norm(gradient, [](std::size_t) { return true; })
                       : squared_norm(gradient, [&](std::size_t i) { return mask_[i] != 0; });
}

void TrainedWeights::step(std::span<const float> gradient, const TrainingStep& step) {
  const auto scale = static_cast<float>(step.gradient_scale);
  adam_.begin_step();
  for_chunks(values_.size(), [&](std::size_t /*chunk*/, std::size_t begin, std::size_t end) {
    std::array<float, kChunkElements> scaled;
    for (std::size_t i = begin; i < end; ++i) {
      scaled[i - begin] = scale * gradient[i];
    }
    for (std::size_t i = begin; !mask_.empty() && i < end; ++i) {
      const float kept = scaled[i - begin];  // read in any case: no branch is left
      scaled[i - begin] = mask_[i] != 0 ? kept : 0.0f;
    }
    adam_.step_part(begin, std::span(values_).subspan(begin, end - begin),
                    std::span(scaled).first(end - begin), step.learning_rate);
  });
}

Tensor TrainedWeights::tensor() const {
  Tensor tensor = dense_tensor(shape_, values_);
  if (precision_ == Precision::kFloat16) {
    return to_float16(tensor);
  }
  if (precision_ == Precision::kBFloat16) {
    auto& dense = std::get<DenseValues>(tensor.data);
    std::ranges::transform(dense.values, dense.values.begin(),
                           [](float value) { return static_cast<float>(Eigen::bfloat16(value)); });
    dense.precision = precision_;
  }
  return tensor;
}

TrainingState TrainedWeights::state() const {
  TrainingState state = {values_};
  append(state, adam_.state());
  return state;
}

void TrainedWeights::prune(double sparsity) {
  const std::size_t wanted = count_for_sparsity(values_.size(), sparsity);
  const auto zeros = static_cast<std::size_t>(std::ranges::count(values_, 0.0f));
  const auto pruned = static_cast<std::size_t>(std::ranges::count(mask_, 0));
  if (pruned < wanted && zeros < wanted) {
    mask_ = mask_of_largest(values_, wanted);
    apply_mask();
  }
}

void TrainedWeights::apply_mask() {
  for (std::size_t i = 0; i < mask_.size(); ++i) {
    values_[i] = mask_[i] != 0 ? values_[i] : 0.0f;
  }
  adam_.forget(mask_);
}

// Pruned is what is zero and has never moved: a weight may pass through zero.
void TrainedWeights::restore(const TrainingState& state) {
  require_sizes(state, {values_.size(), values_.size(), values_.size(), 1});
  values_ = state[0];
  adam_.restore(adam_state(state, 1));
  for (std::size_t i = 0; zeros_ == Zeros::kPruned && i < values_.size(); ++i) {
    if (values_[i] == 0.0f && adam_.state().second[i] == 0.0f) {
      mask_.resize(values_.size(), 1);
      mask_[i] = 0;
    }
  }
  apply_mask();
}

}  // namespace ltz::compress
