#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/report.h"
#include "cli/sensitivity_run.h"
#include "cli/terminal.h"
#include "compress/pattern.h"
#include "compress/plan.h"
#include "eval/accounting.h"
#include "eval/evaluate.h"
#include "formats/file.h"
#include "formats/recipe_toml.h"
#include "model/error.h"

namespace ltz::cli {
namespace {

struct Options {
  ModelOptions model;
  std::string output;
  std::string preset = "paper";
  std::string recipe;
  TextOptions text;
  std::string sensitivity;
  std::size_t sensitivity_sentences = 400;
  std::string sensitivity_sparsities = "0.4,0.6";
  BeamOptions beam;
  GateOptions gates;
  JsonOptions json;
};

compress::Recipe recipe_of(const Options& options) {
  compress::Recipe recipe =
      options.recipe.empty()
          ? compress::preset(options.preset)
          : formats::parse_recipe(formats::read_text_file(options.recipe), options.recipe);
  // A higher limit of the user's is what to aim for.
  for (const eval::RatioLimit& limit : options.gates.limits.min_ratios) {
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

// Plans for the size that the recipe asks for and packs. The planner's estimate of the file is a
// little off, so it is asked again for as much more or less as the file was off; the largest file
// that is small enough wins.
std::vector<std::byte> compress_to_target(const Checkpoint& checkpoint,
                                          const compress::SensitivityCurves* curves,
                                          const compress::Recipe& recipe, double baseline_bytes) {
  const compress::Planner planner(checkpoint, curves, recipe);
  const auto pack = [&](const compress::CompressionPlan& plan) {
    return formats::encode_ltz(compress::apply(checkpoint, plan));
  };
  const std::optional<double> target = compress::target_model_bytes(
      recipe, eval::count_parameters(checkpoint.config).non_embedding, baseline_bytes);
  if (!target) {
    return pack(planner.for_recipe(baseline_bytes));
  }
  constexpr int kAttempts = 6;
  constexpr double kCloseEnough = 0.999;
  std::vector<std::byte> best;
  double best_size = 0.0;
  double budget = *target;
  for (int attempt = 0; attempt < kAttempts && best_size < kCloseEnough * *target; ++attempt) {
    const compress::CompressionPlan plan = planner.for_bytes(budget);
    std::vector<std::byte> bytes = pack(plan);
    const auto size = static_cast<double>(formats::ltz_sizes(bytes).model);
    const bool fits = size <= *target;
    if (fits && size > best_size) {
      best = std::move(bytes);
      best_size = size;
    }
    if (fits && plan.lambda == 0.0) {
      break;  // small enough without pruning
    }
    budget += (fits ? 0.9 : 1.1) * (*target - size);
  }
  if (best.empty()) {
    throw ConfigError(
        fmt::format("recipe {}: no model of at most {:.0f} bytes without embeddings "
                    "was found",
                    recipe.name, *target));
  }
  return best;
}

int run(const Options& options) {
  options.gates.require_text(options.text);
  formats::require_different_files(options.model.path, options.output);
  const compress::Recipe recipe = recipe_of(options);
  std::optional<eval::ParallelText> text;
  if (options.text.given()) {
    text = options.text.read();
  }
  const Checkpoint checkpoint = options.model.read().checkpoint;
  const std::int64_t baseline_parameters = options.gates.baseline_parameters();
  const auto curves = curves_of(options, checkpoint, text, recipe);
  say(fmt::format("compressing by the recipe \"{}\"", recipe.name));
  const std::vector<std::byte> bytes =
      compress_to_target(checkpoint, curves ? &*curves : nullptr, recipe,
                         4.0 * static_cast<double>(baseline_parameters));
  formats::write_file_atomically(options.output, bytes);

  // Everything below is about the file as it is on disk.
  const formats::ModelFile artifact = formats::read_model(options.output, {});
  ArtifactReport report;
  report.measured.size = eval::size_report(
      artifact.checkpoint.config, artifact_bytes(artifact, options.output), baseline_parameters);
  if (text) {
    report.measured.bleu_reference = measure_bleu(checkpoint, *text, options.beam, "original");
    report.measured.bleu_artifact =
        measure_bleu(artifact.checkpoint, *text, options.beam, "artifact");
  }
  report.gates = eval::check_gates(options.gates.limits, report.measured);
  if (options.json.given()) {
    write_json(options.json, to_json(report));
  }
  if (!options.json.to_stdout()) {
    fmt::print("{}\n{}", group_table(artifact), to_text(report));
  }
  return eval::all_passed(report.gates) ? kDone : kGateFailed;
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
  add_text(*command, options->text, false);
  command->add_option("--sensitivity", options->sensitivity,
                      "Keep the sensitivity curves in this file, and use it if it is there");
  command
      ->add_option("--sensitivity-sentences", options->sensitivity_sentences,
                   "Sentences of the development set to measure sensitivity on")
      ->check(CLI::PositiveNumber);
  command->add_option("--sensitivity-sparsity", options->sensitivity_sparsities,
                      "Sparsities to measure sensitivity at");
  add_beam(*command, options->beam);
  add_gates(*command, options->gates);
  add_json(*command, options->json);
  command->footer(
      "With a development set (--src, --ref) the sparsity is spread by measured sensitivity and\n"
      "the BLEU before and after is printed. The artifact is written also if a gate fails.\n"
      "Example:\n"
      "  ltz compress checkpoint.pt -o model.ltz --src dev.en --ref dev.fr --min-ratio 18.2");
  command->callback([options, &action] { action = [options] { return run(*options); }; });
}

}  // namespace ltz::cli
