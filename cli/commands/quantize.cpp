#include <fmt/format.h>

#include <memory>

#include "cli/commands/commands.h"
#include "cli/options/files.h"
#include "cli/options/model_output.h"
#include "cli/options/options.h"
#include "cli/options/values.h"
#include "cli/pipeline/calibrate.h"
#include "cli/terminal/line_reader.h"
#include "cli/terminal/terminal.h"
#include "cli/terminal/terminal_events.h"
#include "compress/recipes/plan.h"
#include "compress/training/fisher.h"
#include "eval/quality/evaluate.h"
#include "formats/records/recipe_toml.h"
#include "model/decoding/batching.h"

namespace ltz::cli {
namespace {

struct Options {
  ModelOptions model;
  ModelOutput output;
  std::string init = "linear";
  int embedding_bits = 0;
  bool keep_embeddings = false;
  compress::PruningMethod method;
  std::string importance = "none";
  TextOptions text;
  std::size_t sentences = 1000;
};

// Gradients on the references, or else on the model's own translations.
compress::Importance importance_of(const Checkpoint& checkpoint, const Options& options) {
  const Transformer model(checkpoint);
  EncodedText text;
  options.text.require_matches(checkpoint.config);
  if (options.text.text.empty() && options.text.reference.empty()) {
    const std::vector<TokenIds> all =
        TextCodec(checkpoint).encode_sources(read_lines(options.text.source));
    text = pipeline::self_translated(
        model, gather(all, eval::evenly_spaced(all.size(), options.sentences)), terminal_events());
  } else {
    text =
        eval::encode(TextCodec(checkpoint), eval::sample(options.text.read(), options.sentences));
  }
  say(fmt::format("measuring gradients on {} sentences", text.source.size()));
  compress::Importance importance =
      compress::squared_gradients(model, text, terminal_events().start("gradients"));
  for (auto& [name, values] : importance) {
    values = compress::clustering_importance(values);
  }
  return importance;
}

int run(Options options) {
  Files().reads(options.model).reads(options.text).writes(options.output).check();
  compress::PruningMethod& method = options.method;
  method.prune = false;
  method.init = formats::parse_init(options.init);
  method.embedding_bits = options.embedding_bits == 0 ? method.bits : options.embedding_bits;
  method.quantize_embeddings = !options.keep_embeddings;
  const compress::Recipe recipe{.name = "quantize", .method = method};
  const Checkpoint checkpoint = options.model.read().checkpoint;
  const compress::Planner planner(checkpoint, nullptr, recipe);
  const compress::Importance importance =
      options.importance == "fisher" ? importance_of(checkpoint, options) : compress::Importance();
  options.output.write(compress::apply(checkpoint, planner.at(0.0), importance));
  return kDone;
}

}  // namespace

void setup_quantize(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand("quantize", "Replace weights by K-means codebooks and codes");
  auto options = std::make_shared<Options>();
  add_model(*command, options->model);
  add_model_output(*command, options->output);
  command->add_option("--bits", options->method.bits, "Bits per code")->check(between(1, 8));
  command->add_option("--embedding-bits", options->embedding_bits, "Of embeddings; 0: --bits")
      ->check(between(0, 8));
  command->add_flag("--keep-embeddings", options->keep_embeddings, "Embeddings stay float16");
  choose(command->add_option("--init", options->init, "Where the centroids start"),
         {"linear", "density", "random", "kmeans++", "optimal"});
  command->add_option("--iterations", options->method.kmeans_iterations, "Lloyd steps at most")
      ->check(at_least(0));
  command->add_option("--seed", options->method.seed, "Of random and kmeans++");
  const auto* group = "Importance";
  auto* importance =
      choose(
          command->add_option("--importance", options->importance,
                              "fisher: weights whose squared gradients are large are kept better"),
          {"none", "fisher"})
          ->group(group);
  auto* source =
      command->add_option("--src", options->text.source, "Source text for gradients")->group(group);
  auto* reference = command
                        ->add_option("--ref", options->text.reference,
                                     "Its references; default: the model's own translations")
                        ->group(group);
  auto* sentences =
      command
          ->add_option("--sentences", options->sentences, "So many of its sentences, evenly spread")
          ->check(above(0))
          ->group(group);
  auto* text = command
                   ->add_option("--text", options->text.text,
                                "Text of a language model for gradients, instead")
                   ->group(group);
  source->needs(importance)->excludes(text);
  text->needs(importance);
  reference->needs(source);
  command->footer(
      "Pruned weights stay exactly zero; biases and LayerNorms become float16.\n"
      "Example:\n  ltz quantize pruned.h5 --bits 8 -o quantized.h5");
  command->callback([options, sentences, &action] {
    const bool given = options->text.given();
    if (options->importance == "fisher" && !given) {
      throw CLI::RequiredError("--src, or for a language model --text,");
    }
    if (sentences->count() != 0 && !given) {
      throw CLI::RequiredError("--src, or for a language model --text,");
    }
    action = [options] { return run(*options); };
  });
}

}  // namespace ltz::cli
