#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/report.h"
#include "eval/bleu.h"
#include "model/error.h"

namespace ltz::cli {
namespace {

struct Options {
  std::string hypothesis;
  std::string reference;
  JsonOptions json;
};

int run(const Options& options) {
  const std::vector<std::string> hypotheses = read_lines(options.hypothesis);
  const std::vector<std::string> references = read_lines(options.reference);
  if (hypotheses.size() != references.size()) {
    throw ConfigError(fmt::format("{}: expected {} lines, as many as {}, found {}",
                                  options.hypothesis, references.size(), options.reference,
                                  hypotheses.size()));
  }
  if (references.empty()) {
    throw ConfigError(options.reference + ": the text is empty");
  }
  const eval::Bleu bleu = eval::bleu(hypotheses, references);
  if (options.json.given()) {
    write_json(options.json, {{"bleu", bleu.score},
                              {"precisions", bleu.precisions},
                              {"brevity_penalty", bleu.brevity_penalty},
                              {"hypothesis_length", bleu.hypothesis_length},
                              {"reference_length", bleu.reference_length},
                              {"sentences", hypotheses.size()}});
  }
  if (!options.json.to_stdout()) {
    fmt::print("{}\n", to_string(bleu));
  }
  return kDone;
}

}  // namespace

void setup_score(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand("score", "BLEU of a translation, as Moses multi-bleu has it");
  auto options = std::make_shared<Options>();
  command->add_option("--hyp", options->hypothesis, "Translation, one sentence a line")->required();
  command->add_option("--ref", options->reference, "Reference, one sentence a line")->required();
  add_json(*command, options->json);
  command->footer(
      "Example:\n  ltz translate model.ltz < test.en | ltz score --hyp - --ref test.fr");
  command->callback([options, &action] { action = [options] { return run(*options); }; });
}

}  // namespace ltz::cli
