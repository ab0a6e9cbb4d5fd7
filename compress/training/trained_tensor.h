#pragma once

#include <span>
#include <variant>

#include "compress/training/trained_codebook.h"
#include "compress/training/trained_weights.h"
#include "compress/training/training_state.h"
#include "model/checkpoint/checkpoint.h"
#include "model/checkpoint/tensor.h"

namespace ltz::compress {

struct TrainedTensorOptions {
  bool free_codes = false;  // of quantized tensors; else only their centroids are trained
  FreeCodesOptions codes = {};
};

// A tensor in training, under the constraints that it has: what is pruned stays pruned, what is
// quantized has a codebook. What that means is said at TrainedWeights and TrainedCodebook; Adam
// moves the parameters.
//
// The results are the same for any number of threads. A large tensor is shared by all threads if
// the call is not made from a parallel region.
class TrainedTensor {
 public:
  // original: (elements) for free codes, see TrainedCodebook; else it is not looked at. Zeros of a
  // bias or a gain are no pruned elements.
  TrainedTensor(const Tensor& start, Role role, std::span<const float> original = {},
                const TrainedTensorOptions& options = {});

  // The weights that the model computes with now; at the beginning start.values(). out: (elements)
  void values(std::span<float> out) const;

  // Squared norm of the gradient by the weights, without those that stay zero. It is not taken by
  // what is trained: gradients of centroids, sums over thousands of weights, would hide all others.
  // So a threshold to clip gradients at means the same with and without codebooks.
  // gradient: (elements), the derivatives of the loss at values().
  double squared_gradient_norm(std::span<const float> gradient) const;

  // One update. gradient: (elements), as above.
  void step(std::span<const float> gradient, const TrainingStep& step);

  // The plain floats if it has these, else null.
  TrainedWeights* weights() { return std::get_if<TrainedWeights>(&trained_); }
  // The codebook if there is one, else null.
  TrainedCodebook* codebook() { return std::get_if<TrainedCodebook>(&trained_); }

  // To be saved: of the precision that the start had, pruned elements exactly zero; a codebook of
  // float16 centroids that are all in use. Throws ConfigError for what float16 cannot hold.
  Tensor tensor() const;

  // To go on later: construct it from the same arguments, then restore.
  TrainingState state() const;
  // Throws ConfigError for the state of another tensor, by its sizes.
  void restore(const TrainingState& state);

 private:
  std::variant<TrainedWeights, TrainedCodebook> trained_;
};

}  // namespace ltz::compress
