#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "cli/options/options.h"
#include "cli/pipeline/compress_state.h"
#include "compress/recipes/retraining.h"

// Retraining inside of a compression, for `compress`.
namespace ltz::cli {

struct RetrainingOptions {
  bool wanted = false;    // --finetune
  std::string source;     // --train-src
  std::string reference;  // --train-ref; empty: the model's own translations

  // The recipe with what the command line says about its training. Throws CLI::RequiredError for a
  // recipe without training that gets options of one, ConfigError as compress::validate does.
  compress::Recipe applied_to(compress::Recipe recipe);
  // The text to train on, without references if none are named. Throws as TextOptions::read does.
  eval::ParallelText read() const;

  // Where options of training put their values: overrides, when they are called again.
  compress::FinetuneOptions training;
  std::vector<CLI::Option*> overrides;
};
// --finetune, --train-src, --train-ref and those of add_training
void add_retraining(CLI::App& command, RetrainingOptions& options);

// The text with references: if it has none, what the model makes of it by greedy search. What the
// state has is not translated again, what is translated goes there.
eval::ParallelText with_references(eval::ParallelText text, const Checkpoint& model,
                                   CompressState& state);

// What will be trained, on standard error.
void say_stages(const std::vector<compress::RetrainingStage>& stages);

// Files of the trainings that belong to this state; none without one.
std::string training_file(const std::string& state, int stage);

}  // namespace ltz::cli
