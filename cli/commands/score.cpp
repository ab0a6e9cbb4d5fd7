#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "cli/commands/commands.h"
#include "cli/options/files.h"
#include "cli/options/metric_options.h"
#include "cli/options/options.h"
#include "cli/reports/report.h"
#include "cli/reports/score_report.h"
#include "cli/terminal/line_reader.h"
#include "eval/scores/sacrebleu.h"
#include "model/base/error.h"

namespace ltz::cli {
namespace {

struct Options {
  std::string hypothesis;
  std::vector<std::string> references;
  ScoreOptions score;
  JsonOptions json;
};

eval::Lines read_as_many(const std::string& path, const std::string& reference, std::size_t lines) {
  eval::Lines text = read_lines(path, formats::LineEnds::kLineFeed);
  if (text.size() != lines) {
    throw ConfigError(fmt::format("{}: expected {} lines, as many as {}, found {}", path, lines,
                                  reference, text.size()));
  }
  return text;
}

ScoredTexts read_texts(const Options& options) {
  const std::string& first = options.references.front();
  ScoredTexts texts;
  texts.references.push_back(read_lines(first, formats::LineEnds::kLineFeed));
  const std::size_t lines = texts.references.front().size();
  for (const std::string& reference : std::span(options.references).subspan(1)) {
    texts.references.push_back(read_as_many(reference, first, lines));
  }
  texts.hypotheses = read_as_many(options.hypothesis, first, lines);
  if (!options.score.other.empty()) {
    texts.other = read_as_many(options.score.other, first, lines);
  }
  if (lines == 0) {
    throw ConfigError(first + ": the text is empty");
  }
  return texts;
}

int run(const Options& options) {
  Files files;
  files.reads(options.hypothesis).reads(options.score.other).writes(options.json);
  for (const std::string& reference : options.references) {
    files.reads(reference);
  }
  files.check();
  const bool rouge = options.score.metric.metric == eval::Metric::kRouge;
  if (rouge && options.score.sacrebleu) {
    throw CLI::ValidationError("--sacrebleu is a layout for --metric bleu and chrf");
  }
  if (rouge && options.references.size() > 1) {
    throw CLI::ValidationError("--metric rouge takes one --ref");
  }
  const ScoreReport report = score_report(read_texts(options), options.score);
  if (options.json.given()) {
    write_json(options.json, report.json);
  }
  if (!options.json.to_stdout()) {
    fmt::print("{}", report.text);
  }
  return kDone;
}

// sacreBLEU's defaults, where the user has not said otherwise.
void use_sacrebleu(const CLI::App& command, Options& options) {
  options.score.metric.bleu.unicode = eval::kSacreBleu.unicode;
  if (command.count("--tokenize") == 0) {
    options.score.metric.bleu.tokenizer = eval::kSacreBleu.tokenizer;
  }
  if (command.count("--smooth") == 0) {
    options.score.metric.bleu.smoothing = eval::kSacreBleu.smoothing;
  }
}

}  // namespace

void setup_score(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand(
      "score", "BLEU of a translation, as Moses multi-bleu or sacreBLEU have it, chrF, or ROUGE");
  auto options = std::make_shared<Options>();
  options->score.version = LTZ_VERSION;
  command->add_option("--hyp", options->hypothesis, "Translation, one sentence a line")->required();
  command
      ->add_option("--ref", options->references,
                   "Reference, one sentence a line; again for each further reference")
      ->required()
      ->default_str("")
      ->take_all()
      ->allow_extra_args(false);
  command->add_option("--compare", options->score.other,
                      "Another system's translation: is --hyp different? (paired bootstrap)");
  command->add_flag("--sacrebleu", options->score.sacrebleu,
                    "sacreBLEU's line and JSON; --tokenize 13a --smooth exp unless given");
  add_metric(*command, options->score.metric, options->score.bootstrap);
  add_json(*command, options->json);
  command->footer(
      "Examples:\n"
      "  ltz translate model.ltz < test.en | ltz score --hyp - --ref test.fr\n"
      "  ltz score --hyp new.fr --compare old.fr --ref test.fr --sacrebleu --bootstrap 1000\n"
      "  ltz score --hyp summaries --ref references --metric rouge");
  command->callback([options, command, &action] {
    require_effect(*command, options->score.metric);
    if (options->score.sacrebleu) {
      use_sacrebleu(*command, *options);
    }
    action = [options] { return run(*options); };
  });
}

}  // namespace ltz::cli
