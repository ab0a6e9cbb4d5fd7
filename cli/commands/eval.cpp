#include "eval/quality/evaluate.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/commands/commands.h"
#include "cli/options/files.h"
#include "cli/options/metric_options.h"
#include "cli/options/options.h"
#include "cli/options/values.h"
#include "cli/pipeline/fingerprint.h"
#include "cli/pipeline/measure_bleu.h"
#include "cli/reports/perplexity_report.h"
#include "cli/reports/report.h"
#include "cli/terminal/line_reader.h"
#include "cli/terminal/terminal_events.h"
#include "formats/files/file.h"
#include "model/base/error.h"

namespace ltz::cli {
namespace {

// Lines of a text that are in memory at a time.
constexpr std::size_t kChunk = 1000;

constexpr const char* kLanguageModels = "Language models (--text)";

struct Options {
  ModelOptions model;
  TextOptions text;
  eval::EvaluationOptions evaluation;
  eval::BootstrapOptions bootstrap{.samples = 0};
  std::string output;
  // Of language models.
  SampleBreak sample_break = SampleBreak::kEos;
  std::optional<int> tokens_per_sample;
  int context_window = 0;
  bool words = false;
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

int translate_and_score(const Options& options) {
  Files()
      .reads(options.model)
      .reads(options.text)
      .writes_text(options.output)
      .writes(options.json)
      .check();
  const eval::ParallelText text = options.text.read();
  const Checkpoint checkpoint = options.model.read().checkpoint;
  options.text.require_matches(checkpoint.config);
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

// How the text is cut for this model.
BlockOptions block_options(const Options& options, const ModelConfig& config) {
  // Blocks of as many tokens as the model takes, the <s> in front of them included.
  const int longest = config.max_target_positions - (config.add_bos_token ? 1 : 0);
  const BlockOptions blocks{.mode = options.sample_break,
                            .tokens_per_sample = options.tokens_per_sample.value_or(longest),
                            .context_window = options.context_window};
  require_range("--tokens-per-sample", {static_cast<double>(blocks.tokens_per_sample)},
                {1, static_cast<double>(config.max_target_positions)});
  require_range("--context-window", {static_cast<double>(blocks.context_window)},
                {0, static_cast<double>(blocks.tokens_per_sample - 1)});
  return blocks;
}

eval::Perplexity measure(const Transformer& model, const TextCodec& codec,
                         const BlockOptions& blocks, const std::string& path) {
  const formats::Descriptor file = open_text(path);
  LineReader reader(file.get(), path);
  eval::PerplexityMeter meter(model, codec, blocks);
  for (auto lines = reader.read(kChunk); !lines.empty(); lines = reader.read(kChunk)) {
    for (const std::string& line : lines) {
      meter.add(line);
    }
  }
  return meter.finish();
}

int read_and_score(const Options& options) {
  const std::string& text = options.text.text;
  Files().reads(options.model).reads(options.text).writes(options.json).check();
  const Checkpoint checkpoint = options.model.read().checkpoint;
  options.text.require_matches(checkpoint.config);
  const BlockOptions blocks = block_options(options, checkpoint.config);
  const Arithmetic arithmetic = options.evaluation.arithmetic;
  const eval::Perplexity measured =
      measure(Transformer(checkpoint, arithmetic), TextCodec(checkpoint), blocks, text);
  if (measured.lines == 0) {
    throw ConfigError(text + ": the text is empty");
  }
  if (measured.dropped != 0) {
    terminal_events().say(fmt::format(
        "caution: {} tokens are not scored: they are in blocks of more than the {} that the model "
        "takes; --sample-break-mode none has no such blocks",
        measured.dropped, checkpoint.config.max_target_positions));
  }
  if (measured.tokens == 0) {
    throw ConfigError(text + ": expected tokens to score, found none");
  }
  const PerplexityReport report = perplexity_report(
      measured, {.words = options.words,
                 .signature = eval::signature(blocks, arithmetic, pipeline::version())});
  if (options.json.given()) {
    write_json(options.json, report.json);
  }
  if (!options.json.to_stdout()) {
    fmt::print("{}", report.text);
  }
  return kDone;
}

// --sample-break-mode, --tokens-per-sample, --context-window, --remove-bpe
void add_language_model(CLI::App& command, Options& options) {
  static const std::map<std::string, SampleBreak> modes = [] {
    std::map<std::string, SampleBreak> by_name;
    for (const SampleBreak mode : {SampleBreak::kNone, SampleBreak::kComplete,
                                   SampleBreak::kCompleteDoc, SampleBreak::kEos}) {
      by_name.emplace(eval::name(mode), mode);
    }
    return by_name;
  }();
  std::vector<std::string> names;
  for (const auto& [name, mode] : modes) {
    names.push_back(name);
  }
  choose(command.add_option_function<std::string>(
             "--sample-break-mode",
             [&options](const std::string& name) { options.sample_break = modes.at(name); },
             "What the model reads at a time. eos: a line; complete: as many lines as fit; "
             "complete_doc: the same up to an empty line; none: as many tokens as fit"),
         names)
      ->default_str("eos")
      ->group(kLanguageModels);
  command
      .add_option("--tokens-per-sample", options.tokens_per_sample,
                  "How many tokens fit, those of --context-window included; default: all that the "
                  "model takes")
      ->check(at_least(1))
      ->group(kLanguageModels);
  command
      .add_option("--context-window", options.context_window,
                  "Tokens before those that are scored, for the model to look back at")
      ->check(at_least(0))
      ->group(kLanguageModels);
  command
      .add_flag("--remove-bpe", options.words,
                "Perplexity per word, too: subwords are added up to words")
      ->group(kLanguageModels);
}

// Throws CLI::ValidationError, naming the option, when one was given that is of the other kind of
// model.
void require_effect(const CLI::App& command, const TextOptions& text) {
  static constexpr std::array<std::string_view, 5> groups = {"Beam search", "BLEU", "chrF", "ROUGE",
                                                             "Confidence"};
  static constexpr std::array<std::string_view, 3> names = {"--output", "--metric",
                                                            "--padded-batches"};
  const bool language_model = !text.text.empty();
  for (const CLI::Option* option : command.get_options()) {
    const bool of_translations =
        std::ranges::find(groups, std::string_view(option->get_group())) != groups.end() ||
        std::ranges::find(names, option->get_name()) != names.end();
    if (option->count() != 0 &&
        (language_model ? of_translations : option->get_group() == kLanguageModels)) {
      throw CLI::ValidationError(option->get_name(), fmt::format("has no effect with{} --text",
                                                                 language_model ? "" : "out"));
    }
  }
}

}  // namespace

void setup_eval(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand(
      "eval",
      "Score a model on a test set: BLEU, chrF or ROUGE, NLL; perplexity of a language model");
  auto options = std::make_shared<Options>();
  add_model(*command, options->model);
  add_text(*command, options->text);
  command->add_option("-o,--output", options->output, "Keep the translations in this file");
  add_beam(*command, options->evaluation.beam);
  add_precision(*command, options->evaluation.arithmetic);
  add_metric(*command, options->evaluation.metric, options->bootstrap);
  command->add_option("--padded-batches", options->evaluation.fairseq_max_tokens,
                      "Imitate the padding of fairseq's batches of so many tokens; 0: none");
  add_language_model(*command, *options);
  add_json(*command, options->json);
  command->footer(
      "Examples:\n"
      "  ltz eval model.ltz --src test.en --ref test.fr --json\n"
      "  ltz eval language-model.ltz --text test --sample-break-mode none --context-window 64");
  command->callback([options, command, &action] {
    options->text.require();
    require_effect(*command, options->text);
    require_effect(*command, options->evaluation.metric);
    action = [options] {
      return options->text.text.empty() ? translate_and_score(*options) : read_and_score(*options);
    };
  });
}

}  // namespace ltz::cli
