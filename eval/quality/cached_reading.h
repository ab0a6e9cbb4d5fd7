#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/decoding/scoring.h"
#include "model/layers/transformer.h"

namespace ltz::eval {

// A text that a model reads, teacher-forced, again and again, each time with other parameters
// replaced. What the sublayers in front of the replaced ones put out stays the same: it is kept, 4
// bytes for each token and channel, and reading goes on from there. So are the keys and values that
// the decoder takes from an encoder that stays the same, 8 bytes for each source token, channel and
// layer. Features are those of teacher_forced_features to the last bit.
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
  // What a parameter has to do with.
  struct Place {
    int first_sublayer;             // -1: none, it comes before all
    std::optional<int> keys_layer;  // the decoder layer whose keys or values of the source it makes
  };

  static Place place(const ModelConfig& config, const ParameterSpec& spec);
  void remember_sources(Reading& reading, const std::vector<std::string>& replaced) const;

  const Transformer& model_;
  std::map<std::string, Place> places_;  // by parameter
  std::vector<Batch> batches_;
  int kept_ = -1;           // sublayers that the kept readings have behind them; -1: none is kept
  bool from_kept_ = false;  // or from the words, because embeddings are replaced
};

// Negative log-likelihood of the targets, the same as score_text of the text.
TokenLoss score(const CachedReading& reading);

}  // namespace ltz::eval
