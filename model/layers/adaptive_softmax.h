#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "model/checkpoint/bands.h"
#include "model/layers/layers.h"

namespace ltz {

// The output of a language model over a vocabulary in bands (Grave et al. 2017): the head has the
// words of the first band and a class for every other band, a tail the words of one of those.
//   log p(w) = log_softmax(head)[w]                                       in the first band,
//   log p(w) = log_softmax(head)[class of w] + log_softmax(tail)[w]       in another.
class AdaptiveSoftmax {
 public:
  AdaptiveSoftmax(const ParameterLookup& parameters, const ModelConfig& config);

  // features: (n, width); all: (n, vocabulary).
  void log_probabilities(MatrixView features, MutableMatrixView all) const;
  // Of one token a row. Computes the tails of those tokens only.
  std::vector<float> log_probabilities(MatrixView features, std::span<const int> tokens) const;
  // Calls the observer with the inputs of all matrices, those of a tail times the root of its
  // probability: so much do errors there count in the whole distribution.
  void observe_inputs(MatrixView features) const;

  // dall: (n, vocabulary), the gradient of a loss by all log probabilities. Adds those by features
  // and parameters.
  void backward(MatrixView features, MatrixView dall, MutableMatrixView dfeatures,
                Gradients& gradients) const;

 private:
  // y = x W^T, or x W where W is the projection of an input band.
  class Projection {
   public:
    Projection(const ParameterLookup& parameters, std::string name, int out, int in,
               bool transposed);
    void operator()(MatrixView x, MutableMatrixView y) const;
    void backward(MatrixView x, MatrixView dy, MutableMatrixView dx, Gradients& gradients) const;
    int out() const { return weight_->out(); }

    const std::string& name() const { return name_; }
    // Whether it is used as its name's shape says.
    bool observed() const { return !transposed_; }

   private:
    std::string name_;
    const WeightMatrix* weight_;
    bool transposed_;
  };
  struct Tail {
    Band band;
    Projection projection;
    Projection words;
  };

  std::size_t tails() const { return tails_.size(); }
  // head: (n, words + tails), its log probabilities.
  void head(MatrixView features, MutableMatrixView head) const;
  // log_softmax(tail) of the tokens at these places.
  std::vector<float> tail_log_probabilities(const Tail& tail, MatrixView features,
                                            std::span<const int> tokens,
                                            std::span<const Eigen::Index> places) const;
  void head_backward(MatrixView features, MatrixView dhead, MutableMatrixView dfeatures,
                     Gradients& gradients) const;

  int width_;
  Band first_;
  std::vector<Projection> narrowing_;  // at most one, in front of the words
  std::vector<Projection> head_;       // words and classes in one, or words and, if any, classes
  std::vector<Tail> tails_;
  const InputObserver* observer_;
};

}  // namespace ltz
