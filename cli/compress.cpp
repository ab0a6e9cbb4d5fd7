#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "cli/baseline.h"
#include "cli/calibration_run.h"
#include "cli/commands.h"
#include "cli/files.h"
#include "cli/options.h"
#include "cli/report.h"
#include "cli/sensitivity_run.h"
#include "cli/terminal.h"
#include "compress/pattern.h"
#include "eval/accounting.h"
#include "formats/compress_to_ltz.h"
#include "formats/file.h"
#include "formats/recipe_toml.h"
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
  std::string sensitivity;
  std::size_t sensitivity_sentences = 400;
  std::string sensitivity_sparsities = "0.2,0.6";
  CalibrationOptions calibration;
  ReportOptions report;
};

compress::Recipe recipe_of(const Options& options) {
  compress::Recipe recipe =
      options.recipe.empty()
          ? compress::preset(options.preset)
          : formats::parse_recipe(formats::read_text_file(options.recipe), options.recipe);
  // A higher limit of the user's is what to aim for.
  for (const eval::RatioLimit& limit : options.report.gates.limits.min_ratios) {
    if (limit.ratio == "paper" && recipe.paper_ratio) {
      recipe.paper_ratio = std::max(*recipe.paper_ratio, limit.limit);
    }
  }
  return recipe;
}

std::optional<compress::SensitivityCurves> curves_of(const Options& options,
                                                     const Checkpoint& checkpoint,
                                                     const std::optional<eval::ParallelText>& text,
                                                     const compress::Recipe& recipe) {
  if (!recipe.prune) {
    return std::nullopt;
  }
  if (!text) {
    say("no development set (--src, --ref): all weights are taken to be equally sensitive");
    return std::nullopt;
  }
  SensitivityRun run;
  run.options.sparsities = parse_range(options.sensitivity_sparsities);
  run.options.bits.clear();
  run.options.context = kContextSparsity;
  run.options.groups = compress::sensitivity_groups(parameter_specs(checkpoint.config));
  if (!recipe.prune_embeddings) {
    std::erase_if(run.options.groups, [](const std::string& group) {
      return group.find(".layers.") == std::string::npos;
    });
  }
  run.file = options.sensitivity;
  const eval::ParallelText sample = eval::sample(*text, options.sensitivity_sentences);
  say(fmt::format("measuring sensitivity on {} sentences", sample.source.size()));
  return measure_sensitivity(checkpoint, sample, run);
}

std::vector<std::byte> compress_by_curves(const Options& options, const Checkpoint& checkpoint,
                                          const std::optional<eval::ParallelText>& text,
                                          const compress::Recipe& recipe, double baseline_bytes) {
  const auto curves = curves_of(options, checkpoint, text, recipe);
  say(fmt::format("compressing by the recipe \"{}\"", recipe.name));
  return formats::compress_to_ltz(checkpoint, curves ? &*curves : nullptr, recipe, baseline_bytes);
}

std::vector<std::byte> compress_calibrated(const Options& options, const Checkpoint& checkpoint,
                                           const std::optional<eval::ParallelText>& text,
                                           const compress::Recipe& recipe, double baseline_bytes) {
  double model_bytes =
      compress::target_model_bytes(recipe, eval::count_parameters(checkpoint.config).non_embedding,
                                   baseline_bytes)
          .value();
  for (const eval::RatioLimit& limit : options.report.gates.limits.min_ratios) {
    if (limit.ratio == "paper") {
      model_bytes = std::min(model_bytes, baseline_bytes / limit.limit);
    }
  }
  const compress::Calibration calibration =
      calibrate(checkpoint, options.calibration, text ? text->source : std::vector<std::string>());
  say(fmt::format("compressing by the recipe \"{}\"", recipe.name));
  Progress progress("compressing");
  return formats::compress_to_ltz(
      compress::CalibratedCompressor(checkpoint, calibration, recipe), model_bytes,
      [&](std::size_t done, std::size_t total) { progress.update(done, total); });
}

int run(const Options& options) {
  options.report.gates.require_text(options.report.text);
  if (formats::is_written_directly(options.output) &&
      !std::filesystem::is_directory(options.output)) {
    throw CLI::ValidationError("compress needs a file to write: what is on disk is verified");
  }
  Files()
      .reads(options.model)
      .reads(options.recipe)
      .reads(options.report)
      .reads(options.calibration.file)
      .writes_ltz(options.output)
      .writes(options.sensitivity)
      .writes(partial_file({.file = options.sensitivity}))
      .writes(options.report)
      .check();
  const compress::Recipe recipe = recipe_of(options);
  std::optional<eval::ParallelText> text;
  if (options.report.text.given()) {
    text = options.report.text.read();
  }
  const Baseline baseline = read_baseline(options.report.gates.baseline);
  const Checkpoint checkpoint = options.model.read().checkpoint;
  const double baseline_bytes = 4.0 * static_cast<double>(baseline.parameters);
  const std::vector<std::byte> bytes =
      recipe.calibrated ? compress_calibrated(options, checkpoint, text, recipe, baseline_bytes)
                        : compress_by_curves(options, checkpoint, text, recipe, baseline_bytes);
  formats::write_file_atomically(options.output, bytes);
  return report_artifact(options.output, checkpoint, baseline, text, options.report);
}

}  // namespace

void setup_compress(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand("compress", "Prune, quantize, pack and prove, all in one go");
  auto options = std::make_shared<Options>();
  add_model(*command, options->model);
  command->add_option("-o,--output", options->output, "The .ltz to write")->required();
  auto* preset = command->add_option("--preset", options->preset, "How to compress")
                     ->check(CLI::IsMember({"paper", "balanced", "max"}));
  command->add_option("--recipe", options->recipe, "How to compress, as a TOML file")
      ->excludes(preset);
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
      "layers see of a calibration text. The artifact is written also if a gate fails.\n"
      "Example:\n"
      "  ltz compress checkpoint.pt -o model.ltz --src dev.en --ref dev.fr --min-ratio 18.2");
  command->callback([options, &action] { action = [options] { return run(*options); }; });
}

}  // namespace ltz::cli
