#include "cli/options/retraining_options.h"

#include "cli/options/options.h"
#include "cli/terminal/line_reader.h"

namespace ltz::cli {

compress::Recipe RetrainingOptions::applied_to(compress::Recipe recipe) const {
  if (wanted && !recipe.finetune) {
    recipe.finetune = compress::default_finetune(recipe);
  }
  if (!recipe.finetune) {
    if (text.given() || training.given()) {
      throw CLI::RequiredError("--finetune, or a recipe with [finetune],");
    }
    return recipe;
  }
  recipe.finetune = training.applied_to(*recipe.finetune);
  compress::validate(recipe);
  return recipe;
}

eval::ParallelText RetrainingOptions::read() const {
  return !text.source.empty() && text.reference.empty()
             ? eval::ParallelText{.source = read_text(text.source), .reference = {}}
             : text.read();
}

void add_retraining(CLI::App& command, RetrainingOptions& options) {
  const auto* group = "Training";
  command
      .add_flag("--finetune", options.wanted,
                "Train between the steps and behind them; the uncompressed model is the teacher")
      ->group(group);
  auto* source = command.add_option("--train-src", options.text.source,
                                    "Source text to train on, also the default of --calibration");
  source->group(group);
  command
      .add_option("--train-ref", options.text.reference,
                  "Its references; default: what the uncompressed model makes of it")
      ->needs(source)
      ->group(group);
  command.add_option("--train-text", options.text.text, "Text of a language model, instead")
      ->excludes(source)
      ->group(group);
  add_training(command, options.training);
}

}  // namespace ltz::cli
