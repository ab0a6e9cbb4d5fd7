#pragma once

#include <span>
#include <vector>

#include "model/checkpoint/gradients.h"
#include "model/layers/transformer.h"

namespace ltz {

// A teacher-forced reading with a backward pass: keeps the input of every sublayer and of the
// LayerNorm behind it; backward computes everything inside a sublayer once more.
// Memory: 2 floats for each token, channel and sublayer.
class TracedReading {
 public:
  // Reads to the end. Sentences as of Transformer::start_reading, without padding. The model
  // outlives this.
  TracedReading(const Transformer& model, std::span<const TokenIds> sources,
                std::span<const TokenIds> targets);

  // (target tokens, channels), what the output projection takes.
  const Matrix& features() const { return reading_.target; }
  // Adds the gradients of a loss by all parameters, those of the output projection as such
  // excepted. dfeatures: the gradient of the loss by the features.
  void backward(Matrix dfeatures, Gradients& gradients) const;

 private:
  struct Trace {
    Matrix input;
    Matrix sum;  // see Transformer::read_on
  };

  // d: the gradient by the sublayer's output, becomes that by its input. dsource: the gradient by
  // the encoder's output, which cross-attention adds to.
  void sublayer_backward(int sublayer, Matrix& d, Matrix& dsource, Gradients& gradients) const;
  void embeddings_backward(const Matrix& dsource, const Matrix& dtarget,
                           Gradients& gradients) const;

  const Transformer& model_;
  Reading reading_;
  std::vector<Trace> traces_;  // of the sublayers
};

}  // namespace ltz
