#include "eval/quality/evaluate.h"

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "cli/commands/commands.h"
#include "cli/options/files.h"
#include "cli/options/metric_options.h"
#include "cli/options/options.h"
#include "cli/pipeline/measure_bleu.h"
#include "cli/reports/report.h"
#include "cli/terminal/terminal_events.h"
#include "formats/files/file.h"

namespace ltz::cli {
namespace {

struct Options {
  ModelOptions model;
  TextOptions text;
  eval::EvaluationOptions evaluation;
  eval::BootstrapOptions bootstrap{.samples = 0};
  std::string output;
  JsonOptions json;
};

void write_lines(const std::string& path, const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) {
    text += line + "\n";
  }
  formats::write_file_atomically(path, std::as_bytes(std::span(text)));
}

// What the translations score, as text and as JSON.
struct Result {
  std::string text;
  nlohmann::ordered_json json;
};

Result bleu_result(const eval::Scores& scores, const eval::ParallelText& text,
                   const Options& options) {
  Result result{.text = to_string(scores.bleu) + "\n", .json = {{"bleu", scores.bleu.score}}};
  if (options.bootstrap.samples != 0) {
    const eval::BleuOptions& bleu = options.evaluation.metric.bleu;
    const auto statistics =
        eval::bleu_statistics(scores.hypotheses, std::span(&text.reference, 1), bleu);
    const eval::Confidence confidence = eval::bootstrap(
        statistics.size(), eval::bleu_of_sample(statistics, bleu.smoothing), options.bootstrap);
    result.text += confidence_text(confidence, options.bootstrap) + "\n";
    result.json["confidence"] = to_json(confidence, options.bootstrap);
  }
  return result;
}

Result chrf_result(const eval::Scores& scores, const eval::ParallelText& text,
                   const Options& options) {
  const eval::ChrfOptions& chrf = options.evaluation.metric.chrf;
  Result result{.text = fmt::format("{} = {:.2f}\n", eval::name(chrf), scores.chrf),
                .json = {{"chrf", scores.chrf}}};
  if (options.bootstrap.samples != 0) {
    const auto statistics =
        eval::chrf_statistics(scores.hypotheses, std::span(&text.reference, 1), chrf);
    const eval::Confidence confidence = eval::bootstrap(
        statistics.size(), eval::chrf_of_sample(statistics, chrf), options.bootstrap);
    result.text += confidence_text(confidence, options.bootstrap) + "\n";
    result.json["confidence"] = to_json(confidence, options.bootstrap);
  }
  return result;
}

Result rouge_result(const eval::Scores& scores, const Options& options) {
  const eval::Rouge rouge = eval::mean(scores.rouge);
  Result result{.text = to_string(rouge) + "\n", .json = to_json(rouge)};
  if (options.bootstrap.samples != 0) {
    for (const eval::RougeMeasure& measure : eval::kRougeMeasures) {
      const eval::Confidence confidence = eval::bootstrap(
          scores.rouge.size(), rouge_of_sample(scores.rouge, measure), options.bootstrap);
      result.text +=
          fmt::format("{}: {}\n", measure.label, confidence_text(confidence, options.bootstrap));
      result.json[std::string(measure.name)]["confidence"] = to_json(confidence, options.bootstrap);
    }
  }
  return result;
}

Result result_of(const eval::Scores& scores, const eval::ParallelText& text,
                 const Options& options) {
  switch (options.evaluation.metric.metric) {
    case eval::Metric::kChrf:
      return chrf_result(scores, text, options);
    case eval::Metric::kRouge:
      return rouge_result(scores, options);
    default:
      return bleu_result(scores, text, options);
  }
}

int run(const Options& options) {
  Files()
      .reads(options.model)
      .reads(options.text)
      .writes_text(options.output)
      .writes(options.json)
      .check();
  const eval::ParallelText text = options.text.read();
  const Checkpoint checkpoint = options.model.read().checkpoint;
  const Transformer model(checkpoint, options.evaluation.arithmetic);
  const eval::Scores scores = eval::evaluate(model, TextCodec(checkpoint), text, options.evaluation,
                                             terminal_events().start("translating"));
  if (!options.output.empty()) {
    write_lines(options.output, scores.hypotheses);
  }
  const Result result = result_of(scores, text, options);
  const std::string signature = pipeline::signature(options.evaluation);
  if (options.json.given()) {
    nlohmann::ordered_json json = result.json;
    json.update({{"nll", scores.nll},
                 {"perplexity", scores.perplexity},
                 {"sentences", scores.sentences},
                 {"source_tokens", scores.source_tokens},
                 {"target_tokens", scores.target_tokens},
                 {"seconds", scores.seconds},
                 {"signature", signature}});
    write_json(options.json, json);
  }
  if (!options.json.to_stdout()) {
    fmt::print("{}", result.text);
    fmt::print("NLL {:.5f} nats per token, perplexity {:.3f}\n", scores.nll, scores.perplexity);
    fmt::print("{} sentences, {} source and {} target tokens; translated in {:.1f} s\n",
               scores.sentences, scores.source_tokens, scores.target_tokens, scores.seconds);
    fmt::print("{}\n", signature);
  }
  return kDone;
}

}  // namespace

void setup_eval(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand(
      "eval", "Translate a test set and score it: BLEU, chrF or ROUGE, NLL, speed");
  auto options = std::make_shared<Options>();
  add_model(*command, options->model);
  add_text(*command, options->text);
  command->add_option("-o,--output", options->output, "Keep the translations in this file");
  add_beam(*command, options->evaluation.beam);
  add_precision(*command, options->evaluation.arithmetic);
  add_metric(*command, options->evaluation.metric, options->bootstrap);
  command->add_option("--padded-batches", options->evaluation.fairseq_max_tokens,
                      "Imitate the padding of fairseq's batches of so many tokens; 0: none");
  add_json(*command, options->json);
  command->footer("Example:\n  ltz eval model.ltz --src test.en --ref test.fr --json");
  command->callback([options, command, &action] {
    require_effect(*command, options->evaluation.metric);
    action = [options] { return run(*options); };
  });
}

}  // namespace ltz::cli
