#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "compress/training/adam.h"
#include "compress/training/training_state.h"
#include "model/checkpoint/tensor.h"

namespace ltz::compress {

enum class Zeros {
  kTrained,  // values like all others
  kPruned,   // stay exactly zero
};

// A tensor of plain floats in training, where those that are pruned stay so (Han et al., "Learning
// both weights and connections", 2015, section 3). For the members see TrainedTensor.
class TrainedWeights {
 public:
  TrainedWeights(const Shape& shape, const DenseValues& start, Zeros zeros);

  void values(std::span<float> out) const;
  double squared_gradient_norm(std::span<const float> gradient) const;
  void step(std::span<const float> gradient, const TrainingStep& step);
  Tensor tensor() const;

  // Prunes those of least magnitude until this fraction of all is zero, if it is not already: they
  // stay so, like those pruned at the start. Throws ConfigError for a fraction outside of 0 to 1.
  void prune(double sparsity);

  // {values, first moments, second moments, {updates}}
  TrainingState state() const;
  // What is pruned now or was so in the state is pruned afterwards.
  void restore(const TrainingState& state);

 private:
  void apply_mask();

  Shape shape_;
  Precision precision_;
  Zeros zeros_;
  std::vector<float> values_;
  std::vector<std::uint8_t> mask_;  // as mask_of() has it; empty: nothing is pruned
  Adam adam_;
};

}  // namespace ltz::compress
