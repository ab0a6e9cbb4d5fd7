#include <memory>
#include <optional>

#include "cli/commands/commands.h"
#include "cli/options/files.h"
#include "cli/options/model_output.h"
#include "cli/options/options.h"
#include "cli/options/training_options.h"
#include "cli/options/values.h"
#include "cli/pipeline/finetune_text.h"
#include "cli/terminal/terminal_events.h"

namespace ltz::cli {
namespace {

struct Options {
  ModelOptions model;
  ModelOptions teacher;
  TextOptions text;
  TextOptions development;
  ModelOutput output;
  std::string state;
  TrainingOptions training;
  bool free_codes = false;
  std::optional<double> sparsity;

  compress::FinetuneOptions finetune() const {
    compress::FinetuneOptions finetune = training.applied_to({});
    finetune.finetuner.tensors.free_codes = free_codes;
    finetune.pruning.sparsity = sparsity;
    return finetune;
  }
};

int run(const Options& options) {
  options.text.require();
  Files files;
  files.reads(options.model).reads(options.text).reads(options.development);
  if (!options.teacher.path.empty()) {
    files.reads(options.teacher);
  }
  files.writes(options.state).writes(options.output).check();
  const eval::ParallelText text = options.text.read();
  const eval::ParallelText development =
      options.development.given() ? options.development.read() : eval::ParallelText{};
  const Checkpoint start = options.model.read().checkpoint;
  options.text.require_matches(start.config);
  options.development.require_matches(start.config);
  std::optional<Checkpoint> teacher;
  if (!options.teacher.path.empty()) {
    teacher = options.teacher.read().checkpoint;
  }
  const Checkpoint trained = pipeline::finetune_text(
      {.start = start,
       .teacher = teacher ? &*teacher : nullptr,
       .text = text,
       .development = development},
      {.training = options.finetune(), .state = options.state}, terminal_events());
  options.output.write(trained);
  return kDone;
}

}  // namespace

void setup_finetune(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand("finetune", "Train what compression has left of a model");
  auto options = std::make_shared<Options>();
  add_model(*command, options->model);
  add_text(*command, options->text);
  add_model_output(*command, options->output);
  auto* teacher =
      command
          ->add_option("--teacher", options->teacher.path,
                       "The model before compression, to learn from with --distillation")
          ->type_name("MODEL");
  options->teacher.vocabulary.no_bpe = true;  // it is given what the model's own codec makes
  add_text(*command, options->development, "dev-");
  command->add_flag("--free-codes", options->free_codes,
                    "Weights may change their codes (straight-through), not only the centroids");
  command
      ->add_option("--sparsity", options->sparsity,
                   "Prune while training, until so much of every matrix of the layers is zero")
      ->check(between(0, 1));
  add_training(*command, options->training);
  command->add_option("--state", options->state,
                      "Keep the training in this file, and go on from it if it is there");
  command->footer(
      "Pruned weights stay zero, quantized ones keep their codes unless --free-codes is given.\n"
      "Example:\n"
      "  ltz finetune pruned.h5 --teacher model.pt --distillation 0.7 --src train.en \\\n"
      "      --ref train.fr --dev-src dev.en --dev-ref dev.fr -o finetuned.h5");
  command->callback([options, teacher, command, &action] {
    if (options->training.distillation.value_or(0.0) > 0.0 && teacher->count() == 0) {
      throw CLI::RequiredError("--teacher");
    }
    if (options->training.select == compress::Selection::kBleu &&
        options->development.source.empty()) {
      throw CLI::RequiredError("--dev-src");
    }
    action = [options] { return run(*options); };
  });
}

}  // namespace ltz::cli
