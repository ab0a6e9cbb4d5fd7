#include <fmt/format.h>

#include <cmath>
#include <memory>

#include "cli/commands/commands.h"
#include "cli/options/files.h"
#include "cli/options/options.h"
#include "cli/options/values.h"
#include "cli/pipeline/measure_sensitivity.h"
#include "cli/terminal/terminal.h"
#include "cli/terminal/terminal_events.h"
#include "compress/sensitivity/pattern.h"

namespace ltz::cli {
namespace {

struct Options {
  ModelOptions model;
  TextOptions text;
  std::size_t sentences = 0;
  std::string by = "group";
  std::string sparsities = "0.1:0.9:0.1";
  std::string bits = "2:8";
  pipeline::SensitivityRun run;
};

int run(Options options) {
  options.text.require();
  Files()
      .reads(options.model)
      .reads(options.text)
      .writes_text(options.run.file)
      .writes_text(pipeline::partial_file(options.run))
      .check();
  options.run.options.sparsities = parse_range(options.sparsities);
  require_range("--sparsity", options.run.options.sparsities, {0.0, 1.0});
  const std::vector<double> all_bits = parse_range(options.bits);
  require_range("--bits", all_bits, {1.0, 8.0});
  options.run.options.bits.clear();
  for (const double bits : all_bits) {
    if (bits != std::floor(bits)) {
      throw CLI::ValidationError("--bits", fmt::format("expected whole numbers, found {}", bits));
    }
    options.run.options.bits.push_back(static_cast<int>(bits));
  }
  eval::ParallelText text = options.text.read();
  if (options.sentences != 0) {
    text = eval::sample(text, options.sentences);
  }
  const Checkpoint checkpoint = options.model.read().checkpoint;
  options.text.require_matches(checkpoint.config);
  const std::vector<ParameterSpec> specs = parameter_specs(checkpoint.config);
  options.run.options.groups =
      options.by == "group" ? compress::sensitivity_groups(specs) : compress::single_tensors(specs);
  const auto curves =
      pipeline::measure_sensitivity(checkpoint, text, options.run, terminal_events());
  say(fmt::format("{}: {} points on {} sentences, {} {:.5f} of the unchanged model",
                  options.run.file, curves.points.size(), text.source.size(), curves.metric,
                  curves.baseline));
  return kDone;
}

}  // namespace

void setup_sensitivity(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand(
      "sensitivity", "Measure quality against sparsity and bits, one group of tensors at a time");
  auto options = std::make_shared<Options>();
  add_model(*command, options->model);
  add_text(*command, options->text);
  command->add_option("-o,--output", options->run.file, "Curves as CSV")->required();
  choose(command->add_option("--metric", options->run.metric, "What is measured; lower is better"),
         {"nll", "bleu"});
  command
      ->add_option("--sparsity", options->sparsities,
                   "FIRST:LAST:STEP, or numbers with commas between them")
      ->type_name("LIST");
  command->add_option("--bits", options->bits, "FIRST:LAST, or numbers with commas between them")
      ->type_name("LIST");
  command
      ->add_option("--context", options->run.options.context,
                   "Sparsity of all other matrices meanwhile")
      ->check(between(0, 1));
  choose(command->add_option(
             "--by", options->by,
             "What is damaged together: group (the same matrix of all layers, then all "
             "matrices of a layer) or tensor"),
         {"group", "tensor"});
  command->add_option("--sentences", options->sentences,
                      "Measure on this many sentences of the text; 0: all");
  add_beam(*command, options->run.beam);
  add_precision(*command, options->run.arithmetic);
  command->footer(
      "An interrupted run goes on where it was: its points are in OUTPUT.partial.\n"
      "With --metric bleu the quality in the file is the negated BLEU.\n"
      "Example:\n"
      "  ltz sensitivity model.h5 --src dev.en --ref dev.fr --sentences 200 -o sensitivity.csv");
  command->callback([options, &action] { action = [options] { return run(*options); }; });
}

}  // namespace ltz::cli
