#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "cli/options/options.h"
#include "cli/options/training_options.h"
#include "compress/recipes/recipe.h"
#include "eval/quality/evaluate.h"

namespace ltz::cli {

// Retraining inside of a compression: --finetune, --train-src, --train-ref, --train-text and what
// add_training adds.
struct RetrainingOptions {
  bool wanted = false;  // --finetune
  TextOptions text;     // without a reference, the model's own translations
  TrainingOptions training;

  bool given() const { return text.given(); }

  // The recipe with what the command line says about its training. Throws CLI::RequiredError for a
  // recipe without training that gets options of one, ConfigError as compress::validate does.
  compress::Recipe applied_to(compress::Recipe recipe) const;
  // The text to train on, without references if none are named. Throws as TextOptions::read does.
  eval::ParallelText read() const;
};
void add_retraining(CLI::App& command, RetrainingOptions& options);

}  // namespace ltz::cli
