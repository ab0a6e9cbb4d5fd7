#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <span>

#include "cli/commands/commands.h"
#include "cli/options/calibration_options.h"
#include "cli/options/files.h"
#include "cli/options/report_options.h"
#include "cli/options/retraining_options.h"
#include "cli/options/values.h"
#include "cli/pipeline/compress.h"
#include "cli/pipeline/measure_sensitivity.h"
#include "cli/reports/baseline.h"
#include "cli/reports/compress_plan.h"
#include "cli/reports/report.h"
#include "cli/terminal/terminal.h"
#include "cli/terminal/terminal_events.h"
#include "formats/files/file.h"
#include "formats/records/recipe_toml.h"
#include "model/base/context.h"

namespace ltz::cli {
namespace {

struct Options {
  ModelOptions model;
  std::string output;
  std::string preset = "balanced";
  std::string recipe;
  std::string state;
  bool dry_run = false;
  bool strict = false;
  pipeline::CurveOptions curves;
  std::string sparsities = "0.2,0.6";
  CalibrationOptions calibration;
  RetrainingOptions retraining;
  ReportOptions report;

  // Where a stage of training goes, or nowhere.
  std::string retraining_file(int stage) const {
    return retraining.given() ? pipeline::training_file(state, stage) : "";
  }
  // Where curves go, or nowhere.
  std::string curve_file() const {
    return curves.file.empty() && !state.empty() ? state + ".sensitivity.csv" : curves.file;
  }
};

// What a limit on growth leaves to the file.
std::int64_t most_bytes(const formats::ModelFile& previous, double percent) {
  return static_cast<std::int64_t>(static_cast<double>(previous.bytes) * (1.0 + percent / 100.0));
}

pipeline::CompressOptions compress_options(const Options& options, const Baseline& baseline) {
  pipeline::CompressOptions compress{.limits = options.report.gates.limits,
                                     .baseline_parameters = baseline.parameters,
                                     .evaluation = options.report.evaluation(),
                                     .calibration = options.calibration.calibrate,
                                     .curves = options.curves};
  compress.curves.file = options.curve_file();
  if (options.recipe.empty()) {
    compress.recipe = compress::preset(options.preset);
  } else {
    compress.recipe_text = formats::read_text_file(options.recipe);
    compress.recipe = formats::parse_recipe(compress.recipe_text, options.recipe);
  }
  compress.recipe = options.retraining.applied_to(compress.recipe);
  const auto& finetune = compress.recipe.finetune;
  if (finetune && !options.retraining.given() && !options.dry_run) {
    throw CLI::RequiredError("--train-src, or for a language model --train-text,");
  }
  if (finetune && finetune->select == compress::Selection::kBleu &&
      options.report.text.source.empty()) {
    throw CLI::RequiredError("--src");
  }
  if (const compress::PruningMethod* method = compress.recipe.pruning(); method && method->prune) {
    compress.curves.sparsities = parse_range(options.sparsities);
    require_range("--sensitivity-sparsity", compress.curves.sparsities, {0.0, 1.0});
  }
  return compress;
}

pipeline::CompressInputs read_inputs(const Options& options, const Checkpoint& checkpoint,
                                     const compress::Recipe& recipe) {
  pipeline::CompressInputs inputs{.checkpoint = checkpoint};
  if (options.report.text.given()) {
    inputs.development = options.report.text.read();
  }
  if (options.retraining.given()) {
    inputs.training = options.retraining.read();
  }
  // One state serves all recipes.
  if (recipe.calibrated() != nullptr || !options.state.empty()) {
    const eval::ParallelText text = options.retraining.given()
                                        ? inputs.training
                                        : inputs.development.value_or(eval::ParallelText());
    inputs.calibration = options.calibration.read(
        is_language_model(checkpoint.config) ? text.reference : text.source);
  }
  if (options.dry_run) {  // nothing is translated to train on
    inputs.training = {};
  }
  return inputs;
}

void say_what_is_missing(const pipeline::CompressInputs& inputs, const compress::Recipe& recipe) {
  if (recipe.calibrated() != nullptr && inputs.calibration.empty() &&
      !is_language_model(inputs.checkpoint.config)) {
    say("no text to calibrate on: all inputs are taken to be alike. With a thousand sentences like "
        "those it will translate (--calibration TEXT) the same size keeps more quality");
  }
  const compress::PruningMethod* pruning = recipe.pruning();
  if (pruning != nullptr && pruning->prune && !inputs.development) {
    say("no development set (--src, --ref, or --text): all weights are taken to be equally "
        "sensitive");
  }
}

void check_files(const Options& options) {
  Files files;
  files.reads(options.model)
      .reads(options.recipe)
      .reads(options.report)
      .reads(options.calibration.file)
      .reads(options.retraining.text)
      .writes(options.state)
      .writes(options.retraining_file(1))
      .writes(options.retraining_file(2))
      .writes_text(options.curve_file())
      .writes_text(pipeline::partial_file({.file = options.curve_file()}))
      .writes(options.report);
  if (options.dry_run) {
    files.check();
    return;
  }
  if (options.output.empty()) {
    throw CLI::RequiredError("--output");
  }
  if (formats::is_written_directly(options.output) &&
      !std::filesystem::is_directory(options.output)) {
    throw CLI::ValidationError("compress needs a file to write: what is on disk is verified");
  }
  files.writes_ltz(options.output).check();
}

// Writes the file and says how it is; with --strict not unless every gate has passed.
int finish(const Options& options, const pipeline::Original& original, const Baseline& baseline,
           std::span<const std::byte> bytes) {
  if (!options.strict) {
    formats::write_file_atomically(options.output, bytes);
  }
  const formats::ModelFile artifact = options.strict
                                          ? formats::read_model(bytes, options.output, {})
                                          : formats::read_model(options.output, {});
  const int status =
      report_artifact({artifact, options.output}, original, baseline, options.report);
  if (options.strict && status == kDone) {
    formats::write_file_atomically(options.output, bytes);
  } else if (options.strict) {
    say("a gate failed: nothing was written to " + options.output);
  }
  return status;
}

int run(const Options& options) {
  options.report.check();
  if (options.strict && !options.report.gates.limits.any()) {
    throw CLI::ValidationError("--strict", "has no effect without a gate");
  }
  check_files(options);
  const Checkpoint checkpoint = options.model.read().checkpoint;
  options.report.require_matches(checkpoint.config);
  options.retraining.text.require_matches(checkpoint.config);
  const Baseline baseline = read_baseline(options.report.gates.baseline, checkpoint.config);
  pipeline::CompressOptions compress = compress_options(options, baseline);
  const auto previous = options.report.read_previous();
  if (previous) {
    const std::int64_t most = most_bytes(*previous, *compress.limits.max_growth);
    compress.limits.max_bytes = std::min(compress.limits.max_bytes.value_or(most), most);
  }
  in_context(options.recipe,
             [&] { compress::require_matches(compress.recipe, checkpoint.config); });
  const pipeline::CompressInputs inputs = read_inputs(options, checkpoint, compress.recipe);
  pipeline::CompressState state =
      options.state.empty()
          ? pipeline::CompressState("", {})
          : pipeline::CompressState(options.state, pipeline::measured_on(inputs, compress));
  say_what_is_missing(inputs, compress.recipe);
  pipeline::Compression compression(inputs, compress, state, terminal_events());
  const ForeseenFile plan(checkpoint.config, compression.plan(), compression.planned_sizes(),
                          baseline.parameters);
  if (options.dry_run) {
    plan.print(options.report.json);
    return kDone;
  }
  plan.say_summary();
  const std::vector<std::byte> bytes = compression.run();
  pipeline::QualityCache cache;
  if (inputs.development) {
    cache.keep({checkpoint, *inputs.development, compress.evaluation},
               compression.original_quality());
  }
  return finish(options,
                {.checkpoint = checkpoint,
                 .text = inputs.development,
                 .previous = previous ? &*previous : nullptr,
                 .cache = &cache},
                baseline, bytes);
}

}  // namespace

void setup_compress(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand("compress", "Prune, quantize, pack and prove, all in one go");
  auto options = std::make_shared<Options>();
  add_model(*command, options->model);
  command->add_option("-o,--output", options->output, "The .ltz to write");
  auto* preset = choose(command->add_option("--preset", options->preset, "How to compress"),
                        {"balanced", "max", "paper"});
  command->add_option("--recipe", options->recipe, "How to compress, as a TOML file")
      ->excludes(preset);
  command->add_flag("--dry-run", options->dry_run,
                    "Say what would be done to every tensor and about how large the file would "
                    "be, and stop; needs no --output");
  command->add_flag("--strict", options->strict,
                    "Write no artifact if a gate fails; what is there under its name stays");
  command->add_option("--state", options->state,
                      "Keep in this file what was measured, and go on from it: a run that was "
                      "interrupted, or another with the same model and texts");
  command->add_option("--sensitivity", options->curves.file,
                      "Keep the sensitivity curves in this file, and use it if it is there");
  command
      ->add_option("--sensitivity-sentences", options->curves.sentences,
                   "Sentences of the development set to measure sensitivity on")
      ->check(at_least(1));
  command
      ->add_option("--sensitivity-sparsity", options->sparsities,
                   "Sparsities to measure sensitivity at")
      ->type_name("LIST");
  add_calibration(*command, options->calibration);
  add_retraining(*command, options->retraining);
  add_report(*command, options->report);
  command->footer(
      "With a development set (--src, --ref) the paper's sparsity is spread by measured\n"
      "sensitivity and the BLEU before and after is printed; the other presets look at what the\n"
      "layers see of a calibration text. Limits on sizes (--min-ratio, --max-bytes) are aimed at\n"
      "where the recipe is milder. With none of them, --max-bleu-drop is: the smallest file that\n"
      "keeps it on the development set is searched for. Without --strict the artifact is written\n"
      "also if a gate fails.\n"
      "--finetune trains what is left on --train-src (and --train-ref), at best a text like the\n"
      "one that the model was trained on; the model that is best on the development set is kept,\n"
      "the last one without such a set. Only sizes are aimed at then, --max-bleu-drop is a gate.\n"
      "Example:\n"
      "  ltz compress checkpoint.pt -o model.ltz --src dev.en --ref dev.fr --max-bits 3");
  command->callback([options, &action] { action = [options] { return run(*options); }; });
}

}  // namespace ltz::cli
