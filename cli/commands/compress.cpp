#include <fmt/format.h>

#include <memory>

#include "cli/commands/commands.h"
#include "cli/options/files.h"
#include "cli/options/options.h"
#include "cli/pipeline/calibrate.h"
#include "cli/pipeline/compress_job.h"
#include "cli/pipeline/compress_state.h"
#include "cli/pipeline/fingerprint.h"
#include "cli/pipeline/measure_sensitivity.h"
#include "cli/pipeline/training_text.h"
#include "cli/reports/baseline.h"
#include "cli/reports/report.h"
#include "cli/terminal/terminal.h"
#include "compress/sensitivity/pattern.h"
#include "formats/bytes/word_list.h"
#include "formats/files/file.h"
#include "formats/records/recipe_toml.h"
#include "formats/records/sensitivity_csv.h"
#include "model/base/error.h"

namespace ltz::cli {
namespace {

// Sparsity of the model that sensitivity is measured in: about what the paper's recipe ends with.
constexpr double kContextSparsity = 0.4;

struct Options {
  ModelOptions model;
  std::string output;
  std::string preset = "paper";
  std::string recipe;
  std::string state;
  bool dry_run = false;
  std::string sensitivity;
  std::size_t sensitivity_sentences = 400;
  std::string sensitivity_sparsities = "0.2,0.6";
  CalibrationOptions calibration;
  RetrainingOptions retraining;
  ReportOptions report;

  // The artifact, or none.
  std::string written() const { return dry_run ? "" : output; }
  // Where a stage of training goes, or nowhere.
  std::string retraining_file(int stage) const {
    return retraining.source.empty() ? "" : training_file(state, stage);
  }
  // Where curves go, or nowhere.
  std::string curves() const {
    return sensitivity.empty() && !state.empty() ? state + ".sensitivity.csv" : sensitivity;
  }
};

// A recipe and what tells it from others.
struct NamedRecipe {
  compress::Recipe recipe;
  std::string fingerprint;
};

NamedRecipe recipe_of(Options& options) {
  RetrainingOptions& retraining = options.retraining;
  if (options.recipe.empty()) {
    return {retraining.applied_to(compress::preset(options.preset)), "preset " + options.preset};
  }
  const std::string text = formats::read_text_file(options.recipe);
  return {retraining.applied_to(formats::parse_recipe(text, options.recipe)),
          "recipe " + fingerprint(text)};
}

// All that a compression starts from.
struct Inputs {
  NamedRecipe recipe;
  Baseline baseline;
  std::optional<eval::ParallelText> text;  // development set
  eval::ParallelText training;             // with --finetune; references may be missing
  Checkpoint checkpoint;
  std::vector<std::string> calibration;  // lines

  double baseline_bytes() const { return 4.0 * static_cast<double>(baseline.parameters); }
  Original original() const {
    return {.checkpoint = checkpoint, .baseline = baseline, .text = text};
  }
};

// To calibrate on unless another text is named.
const std::vector<std::string>& default_lines(const Inputs& inputs) {
  static const std::vector<std::string> kNone;
  if (!inputs.training.source.empty()) {
    return inputs.training.source;
  }
  return inputs.text ? inputs.text->source : kNone;
}

Inputs read_inputs(Options& options) {
  Inputs inputs{.recipe = recipe_of(options),
                .baseline = read_baseline(options.report.gates.baseline)};
  if (options.report.text.given()) {
    inputs.text = options.report.text.read();
  }
  if (!options.retraining.source.empty()) {
    inputs.training = options.retraining.read();
  } else if (inputs.recipe.recipe.finetune && !options.dry_run) {
    throw CLI::RequiredError("--train-src");
  }
  const auto& finetune = inputs.recipe.recipe.finetune;
  if (finetune && finetune->select == compress::Selection::kBleu && !inputs.text) {
    throw CLI::RequiredError("--src");
  }
  inputs.checkpoint = options.model.read().checkpoint;
  // One state serves all recipes.
  if (inputs.recipe.recipe.calibrated || !options.state.empty()) {
    inputs.calibration = calibration_lines(options.calibration, default_lines(inputs));
  }
  return inputs;
}

CompressState open_state(const Options& options, const Inputs& inputs) {
  if (options.state.empty()) {
    return {"", {}};
  }
  const Checkpoint& checkpoint = inputs.checkpoint;
  const std::string words =
      fingerprint({checkpoint.source_vocabulary.words(), checkpoint.target_vocabulary.words()});
  const std::string merges = fingerprint({formats::merge_lines(checkpoint.merges), {}});
  return {options.state,
          {{"model", fingerprint(checkpoint)},
           {"vocabulary", words + "-" + merges},
           {"development set", inputs.text ? fingerprint(*inputs.text) : "none"},
           {"score", bleu_signature(options.report)},
           {"calibration text", fingerprint({inputs.calibration, {}})},
           {"calibration sentences", std::to_string(options.calibration.sentences)}}};
}

std::optional<compress::SensitivityCurves> curves_of(const Options& options, const Inputs& inputs) {
  const compress::Recipe& recipe = inputs.recipe.recipe;
  if (!recipe.prune) {
    return std::nullopt;
  }
  if (!inputs.text) {
    say("no development set (--src, --ref): all weights are taken to be equally sensitive");
    return std::nullopt;
  }
  SensitivityRun run;
  run.options.sparsities = parse_range(options.sensitivity_sparsities);
  run.options.bits.clear();
  run.options.context = kContextSparsity;
  run.options.groups = compress::sensitivity_groups(parameter_specs(inputs.checkpoint.config));
  if (!recipe.prune_embeddings) {
    std::erase_if(run.options.groups, [](const std::string& group) {
      return group.find(".layers.") == std::string::npos;
    });
  }
  run.file = options.curves();
  const eval::ParallelText sample = eval::sample(*inputs.text, options.sensitivity_sentences);
  say(fmt::format("measuring sensitivity on {} sentences", sample.source.size()));
  return measure_sensitivity(inputs.checkpoint, sample, run);
}

std::string fingerprint_of(const std::optional<compress::SensitivityCurves>& curves) {
  std::string lines;
  if (curves) {
    for (const compress::SensitivityPoint& point : curves->points) {
      lines += formats::sensitivity_line(point);
    }
  }
  return "curves " + fingerprint(lines);
}

// With references, unless nothing will be trained.
eval::ParallelText text_to_train_on(const Options& options, const Inputs& inputs,
                                    CompressState& state) {
  return options.dry_run || inputs.training.source.empty()
             ? eval::ParallelText{}
             : with_references(inputs.training, inputs.checkpoint, state);
}

// close_enough: see CompressJob.
template <typename Compressor>
int compress_with(const Compressor& compressor, const std::string& method, double close_enough,
                  const Options& options, const Inputs& inputs, CompressState& state) {
  const compress::Recipe& recipe = inputs.recipe.recipe;
  const auto retrain = [&](const compress::RetrainingSteps& steps) {
    return compress_and_retrain(compressor, recipe, steps);
  };
  return compress_and_report({.original = inputs.original(),
                              .recipe = recipe,
                              .compressor = compressor,
                              .method = method,
                              .close_enough = close_enough,
                              .report = options.report,
                              .output = options.written(),
                              .retrain = retrain,
                              .training = text_to_train_on(options, inputs, state)},
                             state);
}

int compress_by_curves(const Options& options, const Inputs& inputs, CompressState& state) {
  constexpr double kCloseEnough = 0.001;  // files are made fast
  const auto curves = curves_of(options, inputs);
  const compress::TunablePlanner compressor(inputs.checkpoint, curves ? &*curves : nullptr,
                                            inputs.recipe.recipe, inputs.baseline_bytes());
  return compress_with(compressor, inputs.recipe.fingerprint + ", " + fingerprint_of(curves),
                       kCloseEnough, options, inputs, state);
}

int compress_calibrated(const Options& options, const Inputs& inputs, CompressState& state) {
  constexpr double kCloseEnough = 0.01;
  const compress::Calibration calibration =
      calibrate(inputs.checkpoint, options.calibration, inputs.calibration, state);
  const compress::TunableCalibrated compressor(inputs.checkpoint, calibration,
                                               inputs.recipe.recipe);
  return compress_with(compressor, inputs.recipe.fingerprint, kCloseEnough, options, inputs, state);
}

void check_files(const Options& options) {
  Files files;
  files.reads(options.model)
      .reads(options.recipe)
      .reads(options.report)
      .reads(options.calibration.file)
      .reads(options.retraining.source)
      .reads(options.retraining.reference)
      .writes(options.state)
      .writes(options.retraining_file(1))
      .writes(options.retraining_file(2))
      .writes(options.curves())
      .writes(partial_file({.file = options.curves()}))
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

int run(Options& options) {
  options.report.gates.require_text(options.report.text);
  check_files(options);
  const Inputs inputs = read_inputs(options);
  CompressState state = open_state(options, inputs);
  return inputs.recipe.recipe.calibrated ? compress_calibrated(options, inputs, state)
                                         : compress_by_curves(options, inputs, state);
}

}  // namespace

void setup_compress(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand("compress", "Prune, quantize, pack and prove, all in one go");
  auto options = std::make_shared<Options>();
  add_model(*command, options->model);
  command->add_option("-o,--output", options->output, "The .ltz to write");
  auto* preset = command->add_option("--preset", options->preset, "How to compress")
                     ->check(CLI::IsMember({"paper", "balanced", "max"}));
  command->add_option("--recipe", options->recipe, "How to compress, as a TOML file")
      ->excludes(preset);
  command->add_flag("--dry-run", options->dry_run,
                    "Say what would be done to every tensor and about how large the file would "
                    "be, and stop; needs no --output");
  command->add_option("--state", options->state,
                      "Keep in this file what was measured, and go on from it: a run that was "
                      "interrupted, or another with the same model and texts");
  command->add_option("--sensitivity", options->sensitivity,
                      "Keep the sensitivity curves in this file, and use it if it is there");
  command
      ->add_option("--sensitivity-sentences", options->sensitivity_sentences,
                   "Sentences of the development set to measure sensitivity on")
      ->check(CLI::PositiveNumber);
  command->add_option("--sensitivity-sparsity", options->sensitivity_sparsities,
                      "Sparsities to measure sensitivity at");
  add_calibration(*command, options->calibration);
  add_retraining(*command, options->retraining);
  add_report(*command, options->report);
  command->footer(
      "With a development set (--src, --ref) the paper's sparsity is spread by measured\n"
      "sensitivity and the BLEU before and after is printed; the other presets look at what the\n"
      "layers see of a calibration text. Limits on sizes (--min-ratio, --max-bytes) are aimed at\n"
      "where the recipe is milder. With none of them, --max-bleu-drop is: the smallest file that\n"
      "keeps it on the development set is searched for. The artifact is written also if a gate\n"
      "fails.\n"
      "--finetune trains what is left on --train-src (and --train-ref), at best a text like the\n"
      "one that the model was trained on; the model that is best on the development set is kept,\n"
      "the last one without such a set. Only sizes are aimed at then, --max-bleu-drop is a gate.\n"
      "Example:\n"
      "  ltz compress checkpoint.pt -o model.ltz --src dev.en --ref dev.fr --min-ratio 18.2");
  command->callback([options, &action] { action = [options] { return run(*options); }; });
}

}  // namespace ltz::cli
