#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "compress/calibration/calibration.h"
#include "compress/training/finetuner.h"
#include "compress/training/learning_rate.h"
#include "compress/training/pruning_schedule.h"
#include "model/checkpoint/checkpoint.h"

namespace ltz::compress {

// By what the best model on the development set is known: the lowest NLL, or the highest BLEU.
enum class Selection { kNll, kBleu };
std::string_view to_string(Selection selection);

// Retraining of a compressed model: the step of Deep Compression (Han et al. 2016) that follows
// pruning and weight sharing.
struct FinetuneOptions {
  double epochs = 3.0;
  // If not 0, fewer epochs where they would take longer: after some updates it is known how many
  // there is time for. The outcome then depends on the machine.
  double minutes = 0.0;
  std::size_t batch_tokens = 2800;  // target tokens of an update, at most
  double learning_rate = 3e-4;      // its peak
  double warm_up = 0.05;            // fraction of the updates, see Schedule
  double floor = 0.02;              // see Schedule
  double evaluations = 2.0;         // on the development set, an epoch
  Selection select = Selection::kNll;
  // Evaluations without a gain, in NLL or in what selects, after which it stops. Most of the gain
  // comes as the learning rate decays: so long that a plateau at its peak does not end the
  // training.
  int patience = 8;
  std::uint64_t seed = 1;
  // Free codes that have a price are held at the bits that they have at the start, times this,
  // which is reached step by step in the first half of the updates.
  double code_bits = 1.0;
  // Reached step by step, too: then the rest is trained under the final masks.
  GradualPruning pruning = {};
  FinetunerOptions finetuner = {};
};

// Where a training is: all that it takes to go on.
struct FinetuneState {
  std::int64_t updates = 0;
  std::int64_t total = 0;  // updates in all, once it is known
  std::map<std::string, TrainingState> tensors;
  // On the development set. At first that of the start, or infinity until the size target is
  // reached.
  double best_nll = 0.0;
  std::optional<double> best_bleu = {};  // with Selection::kBleu
  std::map<std::string, Tensor> best;    // the tensors that had it, NLL or BLEU
  int evaluations_without_gain = 0;
};

struct FinetuneProgress {
  std::int64_t updates = 0;
  std::int64_t total = 0;
  double loss = 0.0;  // of the objective, a target token: mean of the last updates
  // What was found on the development set after this update, if it was looked at.
  std::optional<double> development_nll = {};
  double best_nll = 0.0;
  std::optional<double> bleu = {};  // with Selection::kBleu, as best_bleu
  std::optional<double> best_bleu = {};
};

// Where it says how far it is.
struct FinetuneObserver {
  std::function<void(const FinetuneProgress&)> progress;  // after every update
  std::function<void(const FinetuneState&)> save;         // after every evaluation
  // BLEU of a model on the development set. Needed with Selection::kBleu.
  std::function<double(const Transformer&)> bleu;
};

// What a training starts from.
struct FinetuneInputs {
  const Checkpoint& start;
  const Checkpoint* original = nullptr;  // see Finetuner
  EncodedText text;
  EncodedText development = {};  // may be without sentences
};

// Trains on the text and returns the model that was best on the development set, which may be the
// start; without a development text, the last one. One that has to become smaller is not looked at
// until it is small enough. resume: where to go on; of the same start, text and
// options. Throws ConfigError for an empty text and options out of range.
Checkpoint finetune(const FinetuneInputs& inputs, const FinetuneOptions& options,
                    const FinetuneObserver& observer = {}, FinetuneState resume = {});

}  // namespace ltz::compress
