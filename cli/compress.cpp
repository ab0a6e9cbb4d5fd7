#include <fmt/format.h>

#include <memory>

#include "cli/baseline.h"
#include "cli/calibration_run.h"
#include "cli/commands.h"
#include "cli/compress_run.h"
#include "cli/compress_state.h"
#include "cli/files.h"
#include "cli/fingerprint.h"
#include "cli/options.h"
#include "cli/report.h"
#include "cli/sensitivity_run.h"
#include "cli/terminal.h"
#include "compress/pattern.h"
#include "formats/file.h"
#include "formats/recipe_toml.h"
#include "formats/sensitivity_csv.h"
#include "formats/word_list.h"
#include "model/error.h"

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
  ReportOptions report;

  // The artifact, or none.
  std::string written() const { return dry_run ? "" : output; }
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

NamedRecipe recipe_of(const Options& options) {
  if (options.recipe.empty()) {
    return {compress::preset(options.preset), "preset " + options.preset};
  }
  const std::string text = formats::read_text_file(options.recipe);
  return {formats::parse_recipe(text, options.recipe), "recipe " + fingerprint(text)};
}

// All that a compression starts from.
struct Inputs {
  NamedRecipe recipe;
  Baseline baseline;
  std::optional<eval::ParallelText> text;  // development set
  Checkpoint checkpoint;
  std::vector<std::string> calibration;  // lines

  double baseline_bytes() const { return 4.0 * static_cast<double>(baseline.parameters); }
  Original original() const {
    return {.checkpoint = checkpoint, .baseline = baseline, .text = text};
  }
};

Inputs read_inputs(const Options& options) {
  Inputs inputs{.recipe = recipe_of(options),
                .baseline = read_baseline(options.report.gates.baseline)};
  if (options.report.text.given()) {
    inputs.text = options.report.text.read();
  }
  inputs.checkpoint = options.model.read().checkpoint;
  // One state serves all recipes.
  if (inputs.recipe.recipe.calibrated || !options.state.empty()) {
    inputs.calibration = calibration_lines(
        options.calibration, inputs.text ? inputs.text->source : std::vector<std::string>());
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

int compress_by_curves(const Options& options, const Inputs& inputs, CompressState& state) {
  const auto curves = curves_of(options, inputs);
  const compress::TunablePlanner compressor(inputs.checkpoint, curves ? &*curves : nullptr,
                                            inputs.recipe.recipe, inputs.baseline_bytes());
  // Files are made fast.
  return compress_and_report({.original = inputs.original(),
                              .recipe = inputs.recipe.recipe,
                              .compressor = compressor,
                              .method = inputs.recipe.fingerprint + ", " + fingerprint_of(curves),
                              .close_enough = 0.001,
                              .report = options.report,
                              .output = options.written()},
                             state);
}

int compress_calibrated(const Options& options, const Inputs& inputs, CompressState& state) {
  const compress::Calibration calibration =
      calibrate(inputs.checkpoint, options.calibration, inputs.calibration, state);
  const compress::TunableCalibrated compressor(inputs.checkpoint, calibration,
                                               inputs.recipe.recipe);
  return compress_and_report({.original = inputs.original(),
                              .recipe = inputs.recipe.recipe,
                              .compressor = compressor,
                              .method = inputs.recipe.fingerprint,
                              .report = options.report,
                              .output = options.written()},
                             state);
}

void check_files(const Options& options) {
  Files files;
  files.reads(options.model)
      .reads(options.recipe)
      .reads(options.report)
      .reads(options.calibration.file)
      .writes(options.state)
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

int run(const Options& options) {
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
  add_report(*command, options->report);
  command->footer(
      "With a development set (--src, --ref) the paper's sparsity is spread by measured\n"
      "sensitivity and the BLEU before and after is printed; the other presets look at what the\n"
      "layers see of a calibration text. Limits on sizes (--min-ratio, --max-bytes) are aimed at\n"
      "where the recipe is milder. With none of them, --max-bleu-drop is: the smallest file that\n"
      "keeps it on the development set is searched for. The artifact is written also if a gate\n"
      "fails.\n"
      "Example:\n"
      "  ltz compress checkpoint.pt -o model.ltz --src dev.en --ref dev.fr --min-ratio 18.2");
  command->callback([options, &action] { action = [options] { return run(*options); }; });
}

}  // namespace ltz::cli
