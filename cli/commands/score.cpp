#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>

#include "cli/commands/commands.h"
#include "cli/options/files.h"
#include "cli/options/metric_options.h"
#include "cli/options/options.h"
#include "cli/reports/report.h"
#include "cli/terminal/line_reader.h"
#include "eval/scores/sacrebleu.h"
#include "model/base/error.h"

namespace ltz::cli {
namespace {

struct Options {
  std::string hypothesis;
  std::vector<std::string> references;
  std::string other;  // the hypotheses of another system
  eval::MetricOptions metric;
  eval::BootstrapOptions bootstrap{.samples = 0};
  bool sacrebleu = false;  // its line and its JSON instead of multi-bleu's
  JsonOptions json;
};

struct Texts {
  eval::Lines hypotheses;
  std::vector<eval::Lines> references;
  eval::Lines other;  // empty if there is none
};

eval::Lines read_as_many(const std::string& path, const std::string& reference, std::size_t lines) {
  eval::Lines text = read_lines(path);
  if (text.size() != lines) {
    throw ConfigError(fmt::format("{}: expected {} lines, as many as {}, found {}", path, lines,
                                  reference, text.size()));
  }
  return text;
}

Texts read_texts(const Options& options) {
  const std::string& first = options.references.front();
  Texts texts;
  texts.references.push_back(read_lines(first));
  const std::size_t lines = texts.references.front().size();
  for (const std::string& reference : std::span(options.references).subspan(1)) {
    texts.references.push_back(read_as_many(reference, first, lines));
  }
  texts.hypotheses = read_as_many(options.hypothesis, first, lines);
  if (!options.other.empty()) {
    texts.other = read_as_many(options.other, first, lines);
  }
  if (lines == 0) {
    throw ConfigError(first + ": the text is empty");
  }
  return texts;
}

// How the hypotheses compare with the other system's.
struct Comparison {
  std::string other;
  std::string measure;  // of several, or empty
  double score = 0.0;   // the other system's
  eval::PairedDifference difference;
};

std::string to_text(const Comparison& comparison) {
  const eval::PairedDifference& difference = comparison.difference;
  return fmt::format("{}{}: {:.2f}, a difference of {:+.2f} (95%: {}), p = {:.4f}\n",
                     comparison.other, comparison.measure, comparison.score, difference.observed,
                     interval_text(difference), difference.p_value);
}

nlohmann::ordered_json comparison_json(const Comparison& comparison) {
  const eval::PairedDifference& difference = comparison.difference;
  return {{"file", comparison.other},
          {"score", comparison.score},
          {"difference", difference.observed},
          {"mean", difference.mean},
          {"low", difference.low},
          {"high", difference.high},
          {"p_value", difference.p_value}};
}

// A comparison needs samples even if no confidence was asked for.
eval::BootstrapOptions comparison_samples(const Options& options) {
  eval::BootstrapOptions bootstrap = options.bootstrap;
  bootstrap.samples = bootstrap.samples == 0 ? eval::BootstrapOptions{}.samples : bootstrap.samples;
  return bootstrap;
}

nlohmann::ordered_json multi_bleu_json(const eval::SacreBleu& result, std::size_t sentences,
                                       const Options& options) {
  nlohmann::ordered_json json = {{"bleu", result.bleu.score},
                                 {"precisions", result.bleu.precisions},
                                 {"brevity_penalty", result.bleu.brevity_penalty},
                                 {"hypothesis_length", result.bleu.hypothesis_length},
                                 {"reference_length", result.bleu.reference_length},
                                 {"sentences", sentences}};
  if (result.confidence) {
    json["confidence"] = to_json(*result.confidence, options.bootstrap);
  }
  return json;
}

// As printed: what sacreBLEU has in its JSON, too.
double to_two_digits(double value) {
  return std::stod(fmt::format("{:.2f}", value));
}

// The layout of `sacrebleu`'s JSON.
nlohmann::ordered_json sacrebleu_json(const eval::SacreBleu& result) {
  nlohmann::ordered_json json = {{"name", "BLEU"},
                                 {"score", to_two_digits(result.bleu.score)},
                                 {"signature", signature_line(result)}};
  if (result.confidence) {
    json["confidence_mean"] = to_two_digits(result.confidence->mean);
    json["confidence_var"] = to_two_digits(result.confidence->half_width);
    json["confidence"] = to_string(*result.confidence);
  }
  json["verbose_score"] = verbose_score(result.bleu);
  for (const auto& [key, value] : signature(result)) {
    json[key] = value;
  }
  return json;
}

int run_bleu(const Options& options) {
  const Texts texts = read_texts(options);
  const eval::BleuOptions& bleu = options.metric.bleu;
  const auto statistics = eval::bleu_statistics(texts.hypotheses, texts.references, bleu);
  const eval::SampleScore sample = eval::bleu_of_sample(statistics, bleu.smoothing);
  const std::size_t lines = statistics.size();
  eval::SacreBleu result{.bleu = score(eval::sum(statistics), bleu.smoothing),
                         .options = bleu,
                         .references = eval::reference_count(texts.references),
                         .confidence = {},
                         .bootstrap = options.bootstrap,
                         .version = LTZ_VERSION};
  if (options.bootstrap.samples != 0) {
    result.confidence = eval::bootstrap(lines, sample, options.bootstrap);
  }
  std::optional<Comparison> comparison;
  if (!texts.other.empty()) {
    const auto other = eval::bleu_statistics(texts.other, texts.references, bleu);
    comparison = {.other = options.other,
                  .measure = {},
                  .score = score(eval::sum(other), bleu.smoothing).score,
                  .difference = eval::paired_bootstrap(lines, sample,
                                                       eval::bleu_of_sample(other, bleu.smoothing),
                                                       comparison_samples(options))};
  }
  if (options.json.given()) {
    auto json =
        options.sacrebleu ? sacrebleu_json(result) : multi_bleu_json(result, lines, options);
    if (comparison) {
      json["comparison"] = comparison_json(*comparison);
    }
    write_json(options.json, json);
  }
  if (!options.json.to_stdout()) {
    fmt::print("{}\n", options.sacrebleu ? to_string(result) : to_string(result.bleu));
    if (result.confidence && !options.sacrebleu) {
      fmt::print("{}\n", confidence_text(*result.confidence, options.bootstrap));
    }
    fmt::print("{}", comparison ? to_text(*comparison) : "");
  }
  return kDone;
}

int run_rouge(const Options& options) {
  const Texts texts = read_texts(options);
  const eval::Lines& reference = texts.references.front();
  const auto rouge = eval::rouge_of_lines(texts.hypotheses, reference, options.metric.rouge);
  const std::size_t lines = rouge.size();
  nlohmann::ordered_json json = to_json(eval::mean(rouge));
  json["sentences"] = lines;
  std::string text = to_string(eval::mean(rouge)) + "\n";
  std::vector<eval::Rouge> other;
  if (!texts.other.empty()) {
    other = eval::rouge_of_lines(texts.other, reference, options.metric.rouge);
  }
  for (const eval::RougeMeasure& measure : eval::kRougeMeasures) {
    const std::string name(measure.name);
    const eval::SampleScore sample = rouge_of_sample(rouge, measure);
    if (options.bootstrap.samples != 0) {
      const eval::Confidence confidence = eval::bootstrap(lines, sample, options.bootstrap);
      json[name]["confidence"] = to_json(confidence, options.bootstrap);
      text +=
          fmt::format("{}: {}\n", measure.label, confidence_text(confidence, options.bootstrap));
    }
    if (!other.empty()) {
      const Comparison comparison{
          .other = options.other,
          .measure = fmt::format(" {}", measure.label),
          .score = 100.0 * (eval::mean(other).*measure.score).f1,
          .difference = eval::paired_bootstrap(lines, sample, rouge_of_sample(other, measure),
                                               comparison_samples(options))};
      json[name]["comparison"] = comparison_json(comparison);
      text += to_text(comparison);
    }
  }
  if (options.json.given()) {
    write_json(options.json, json);
  }
  if (!options.json.to_stdout()) {
    fmt::print("{}", text);
  }
  return kDone;
}

int run(const Options& options) {
  Files files;
  files.reads(options.hypothesis).reads(options.other).writes(options.json);
  for (const std::string& reference : options.references) {
    files.reads(reference);
  }
  files.check();
  if (options.metric.metric == eval::Metric::kBleu) {
    return run_bleu(options);
  }
  if (options.sacrebleu) {
    throw CLI::ValidationError("--sacrebleu is a layout for --metric bleu");
  }
  if (options.references.size() > 1) {
    throw CLI::ValidationError("--metric rouge takes one --ref");
  }
  return run_rouge(options);
}

// sacreBLEU's defaults, where the user has not said otherwise.
void use_sacrebleu(const CLI::App& command, Options& options) {
  if (command.count("--tokenize") == 0) {
    options.metric.bleu.tokenizer = eval::kSacreBleu.tokenizer;
  }
  if (command.count("--smooth") == 0) {
    options.metric.bleu.smoothing = eval::kSacreBleu.smoothing;
  }
}

}  // namespace

void setup_score(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand(
      "score", "BLEU of a translation, as Moses multi-bleu or sacreBLEU have it, or ROUGE");
  auto options = std::make_shared<Options>();
  command->add_option("--hyp", options->hypothesis, "Translation, one sentence a line")->required();
  command
      ->add_option("--ref", options->references,
                   "Reference, one sentence a line; again for each further reference")
      ->required()
      ->default_str("")
      ->take_all()
      ->allow_extra_args(false);
  command->add_option("--compare", options->other,
                      "Another system's translation: is --hyp different? (paired bootstrap)");
  command->add_flag("--sacrebleu", options->sacrebleu,
                    "sacreBLEU's line and JSON; --tokenize 13a --smooth exp unless given");
  add_metric(*command, options->metric, options->bootstrap);
  add_json(*command, options->json);
  command->footer(
      "Examples:\n"
      "  ltz translate model.ltz < test.en | ltz score --hyp - --ref test.fr\n"
      "  ltz score --hyp new.fr --compare old.fr --ref test.fr --sacrebleu --bootstrap 1000\n"
      "  ltz score --hyp summaries --ref references --metric rouge");
  command->callback([options, command, &action] {
    require_effect(*command, options->metric);
    if (options->sacrebleu) {
      use_sacrebleu(*command, *options);
    }
    action = [options] { return run(*options); };
  });
}

}  // namespace ltz::cli
