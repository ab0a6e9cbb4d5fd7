#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "compress/calibration/calibration.h"
#include "compress/training/trained_tensor.h"
#include "compress/training/training_batches.h"
#include "model/checkpoint/checkpoint.h"
#include "model/layers/transformer.h"
#include "model/training/training_loss.h"

namespace ltz::compress {

struct FinetunerOptions {
  Objective objective = {};
  TrainedTensorOptions tensors = {};
  double clip_norm = 1.0;  // longest gradient of the mean loss of a target token; 0: no limit
};

// A model in training: what it has of masks and codebooks stays (TrainedTensor). The same for any
// number of threads.
class Finetuner {
 public:
  // original: the model before compression, of the same configuration: the teacher, and where free
  // codes start from; null: none.
  Finetuner(const Checkpoint& start, const Checkpoint* original, const FinetunerOptions& options);

  // One update by the mean gradient over the target tokens of these sentences.
  TrainingLoss update(const EncodedText& text, const std::vector<std::size_t>& batch,
                      double learning_rate);

  // Prunes tensors of plain floats until they are that sparse (TrainedWeights::prune); by name.
  void prune(const std::map<std::string, double>& sparsities);

  // Where codes are free and have a price: makes those of the embedding tables, and those of all
  // other tensors, take this multiple of the bits that they had at the start (code_budget).
  void hold_code_bits(double fraction);

  // As it is now. The model computes with the same weights, but for the rounding of codebooks to
  // float16.
  const Transformer& model() const { return model_; }
  Checkpoint checkpoint() const;

  std::map<std::string, TrainingState> state() const;
  // Throws ConfigError for the state of another model.
  void restore(const std::map<std::string, TrainingState>& state);

 private:
  struct Parameter {
    std::string name;
    std::size_t size;
    bool table;
    TrainedTensor trained;
  };

  std::vector<TrainedCodebook*> priced_codebooks(bool tables);
  void load(const Parameter& parameter);

  Checkpoint start_;
  FinetunerOptions options_;
  Transformer model_;
  std::optional<Transformer> teacher_;
  std::vector<Parameter> parameters_;  // the largest first
  // All tensors but the tables, which is what bits_per_weight counts; then the tables.
  std::array<double, 2> first_code_bits_{};
  std::vector<Gradients> gradients_;  // of the shards
};

}  // namespace ltz::compress
