#include <fmt/format.h>

#include <memory>

#include "cli/commands/commands.h"
#include "cli/options/files.h"
#include "cli/options/model_output.h"
#include "cli/options/options.h"
#include "cli/options/values.h"
#include "cli/pipeline/digits.h"
#include "cli/reports/baseline.h"
#include "cli/terminal/terminal.h"
#include "compress/recipes/plan.h"
#include "compress/sensitivity/pattern.h"
#include "eval/budget/accounting.h"
#include "formats/files/file.h"
#include "formats/records/sensitivity_csv.h"
#include "model/base/error.h"

namespace ltz::cli {
namespace {

struct Options {
  ModelOptions model;
  ModelOutput output;
  std::string sensitivity;
  std::optional<double> sparsity;
  std::optional<double> paper_ratio;
  std::string baseline = "transformer-base";
  int bits = 8;
  bool embeddings = false;
};

// With curves, the sparsity is that of the whole model; without, that of every tensor.
compress::Recipe recipe_of(const Options& options) {
  compress::Recipe recipe;
  recipe.name = "prune";
  compress::PruningMethod method{.bits = options.bits, .prune_embeddings = options.embeddings};
  if (options.sensitivity.empty()) {
    const std::string pattern = options.embeddings ? "*" : compress::kAllLayers;
    recipe.overrides.push_back({.pattern = pattern, .sparsity = options.sparsity});
  } else {
    method.sparsity = options.sparsity;
    recipe.paper_ratio = options.paper_ratio;
  }
  recipe.method = method;
  return recipe;
}

// Of the weights that --sparsity is about.
std::string zeros_text(const compress::CompressionPlan& plan, const Checkpoint& pruned,
                       bool with_embeddings) {
  double zeros = 0.0;
  double weights = 0.0;
  for (const compress::TensorDecision& decision : plan.decisions) {
    if (with_embeddings || compress::in_layers(decision.name)) {
      const auto size = static_cast<double>(pruned.tensors.at(decision.name).size());
      zeros += decision.sparsity * size;
      weights += size;
    }
  }
  return fmt::format("{:.1f}% of {} weights in {} are zero", 100.0 * zeros / weights,
                     pipeline::with_separators(static_cast<long long>(weights)),
                     with_embeddings ? "matrices and embeddings" : "the matrices of the layers");
}

int run(const Options& options) {
  if (options.sensitivity.empty()
          ? !options.sparsity.has_value()
          : options.sparsity.has_value() == options.paper_ratio.has_value()) {
    throw CLI::ValidationError(
        "prune needs --sparsity, or --sensitivity with either --sparsity or --paper-ratio");
  }
  Files()
      .reads(options.model)
      .reads(options.sensitivity)
      .reads(options.baseline)
      .writes(options.output)
      .check();
  std::optional<compress::SensitivityCurves> curves;
  if (!options.sensitivity.empty()) {
    curves = formats::parse_sensitivity(formats::read_text_file(options.sensitivity),
                                        options.sensitivity)
                 .curves;
  }
  const Checkpoint checkpoint = options.model.read().checkpoint;
  const compress::Planner planner(checkpoint, curves ? &*curves : nullptr, recipe_of(options));
  const Baseline baseline = read_baseline(options.baseline, checkpoint.config);
  const compress::CompressionPlan plan =
      planner.for_recipe(static_cast<double>(eval::fp32_bytes(baseline.parameters)));
  const Checkpoint pruned = compress::prune(checkpoint, plan);
  options.output.write(pruned);
  say(fmt::format("{}: {}", options.output.path, zeros_text(plan, pruned, options.embeddings)));
  return kDone;
}

}  // namespace

void setup_prune(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand("prune", "Set the weights of least magnitude to zero");
  auto options = std::make_shared<Options>();
  add_model(*command, options->model);
  add_model_output(*command, options->output);
  command
      ->add_option(
          "--sparsity", options->sparsity,
          "Fraction of zeros: of every matrix, or with --sensitivity of all of them together")
      ->check(between(0, 1));
  command->add_option("--sensitivity", options->sensitivity,
                      "Curves of `ltz sensitivity`: sensitive tensors are pruned less");
  command->add_option("--paper-ratio", options->paper_ratio,
                      "With --sensitivity: prune until quantizing to --bits reaches this ratio");
  command->add_option("--bits", options->bits, "Bits of the codebooks that --paper-ratio counts on")
      ->check(between(1, 8));
  command
      ->add_option("--baseline", options->baseline,
                   "What the ratio is relative to, as in `ltz compress`")
      ->type_name("N|MODEL");
  command->add_flag("--embeddings", options->embeddings, "Prune the embeddings too");
  command->footer(
      "Examples:\n"
      "  ltz prune model.h5 --sparsity 0.3 -o pruned.h5\n"
      "  ltz prune model.h5 --sensitivity sensitivity.csv --paper-ratio 18.2 -o pruned.h5");
  command->callback([options, &action] { action = [options] { return run(*options); }; });
}

}  // namespace ltz::cli
