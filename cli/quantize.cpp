#include <fmt/format.h>

#include <memory>

#include "cli/commands.h"
#include "cli/files.h"
#include "cli/options.h"
#include "cli/terminal.h"
#include "compress/plan.h"
#include "formats/recipe_toml.h"

namespace ltz::cli {
namespace {

struct Options {
  ModelOptions model;
  std::string output;
  std::string init = "linear";
  int embedding_bits = 0;
  bool keep_embeddings = false;
  compress::Recipe recipe;
};

int run(Options options) {
  Files().reads(options.model).writes_model(options.output).check();
  compress::Recipe& recipe = options.recipe;
  recipe.name = "quantize";
  recipe.prune = false;
  recipe.init = formats::parse_init(options.init);
  recipe.embedding_bits = options.embedding_bits == 0 ? recipe.bits : options.embedding_bits;
  recipe.quantize_embeddings = !options.keep_embeddings;
  const Checkpoint checkpoint = options.model.read().checkpoint;
  const compress::Planner planner(checkpoint, nullptr, recipe);
  formats::write_model(options.output, compress::apply(checkpoint, planner.at(0.0)));
  return kDone;
}

}  // namespace

void setup_quantize(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand("quantize", "Replace weights by K-means codebooks and codes");
  auto options = std::make_shared<Options>();
  add_model(*command, options->model);
  command->add_option("-o,--output", options->output, "The .h5 to write")->required();
  command->add_option("--bits", options->recipe.bits, "Bits per code")->check(CLI::Range(1, 8));
  command->add_option("--embedding-bits", options->embedding_bits, "Of embeddings; 0: --bits")
      ->check(CLI::Range(0, 8));
  command->add_flag("--keep-embeddings", options->keep_embeddings, "Embeddings stay float16");
  command->add_option("--init", options->init, "Where the centroids start")
      ->check(CLI::IsMember({"linear", "density", "random", "kmeans++", "optimal"}));
  command->add_option("--iterations", options->recipe.kmeans_iterations, "Lloyd steps at most")
      ->check(CLI::NonNegativeNumber);
  command->add_option("--seed", options->recipe.seed, "Of random and kmeans++");
  command->footer(
      "Pruned weights stay exactly zero; biases and LayerNorms become float16.\n"
      "Example:\n  ltz quantize pruned.h5 --bits 8 -o quantized.h5");
  command->callback([options, &action] { action = [options] { return run(*options); }; });
}

}  // namespace ltz::cli
