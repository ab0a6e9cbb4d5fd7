#pragma once

#include <map>
#include <string>
#include <vector>

#include "model/scoring.h"
#include "model/transformer.h"

namespace ltz::eval {

// A text that a model reads, teacher-forced, again and again, each time with other parameters
// replaced. What the sublayers in front of the replaced ones put out stays the same: it is kept, 4
// bytes for each token and channel, and reading goes on from there. Features are those of
// teacher_forced_features to the last bit.
class CachedReading {
 public:
  // model: outlives the reading. Sentences are read in the batches of batch_by_length(targets).
  // Throws ConfigError when the numbers of sentences differ.
  CachedReading(const Transformer& model, std::vector<TokenIds> sources,
                std::vector<TokenIds> targets);

  // To be called before these parameters are replaced: runs the model, as it is now, up to the
  // first sublayer that they have to do with. Until the next call nothing in front of that may
  // change. Cheapest when the sublayers come in the order of computation: going back starts all
  // over.
  void keep_what_precedes(const std::vector<std::string>& parameters);

  std::size_t batches() const { return batches_.size(); }
  // Of the model as it is now: (target tokens of the batch, channels).
  Matrix features(std::size_t batch) const;
  // Target sentences of the batch, in the order of the features.
  const std::vector<TokenIds>& targets(std::size_t batch) const { return batches_[batch].targets; }

  const Transformer& model() const { return model_; }

 private:
  struct Batch {
    std::vector<TokenIds> sources;
    std::vector<TokenIds> targets;
    Reading kept;
  };

  const Transformer& model_;
  std::map<std::string, int> first_sublayers_;  // by parameter; of those of no sublayer: -1
  std::vector<Batch> batches_;
  int kept_ = -1;           // sublayers that the kept readings have behind them; -1: none is kept
  bool from_kept_ = false;  // or from the words, because embeddings are replaced
};

// Negative log-likelihood of the targets, the same as score_text of the text.
TokenLoss score(const CachedReading& reading);

}  // namespace ltz::eval
