#include "cli/options/metric_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "cli/options/values.h"

namespace ltz::cli {
namespace {

// An option whose value is one of a few words.
template <class Value>
CLI::Option* add_choice(CLI::App& command, const std::string& name, Value& value,
                        const std::map<std::string, Value>& choices, const std::string& help) {
  std::string chosen;
  std::vector<std::string> words;
  for (const auto& [word, choice] : choices) {
    words.push_back(word);
    chosen = choice == value ? word : chosen;
  }
  return choose(command.add_option_function<std::string>(
                    name, [&value, choices](const std::string& word) { value = choices.at(word); },
                    help),
                words)
      ->default_str(chosen);
}

}  // namespace

void add_bleu(CLI::App& command, eval::BleuOptions& options) {
  const auto* group = "BLEU";
  add_choice<eval::BleuTokenizer>(
      command, "--tokenize", options.tokenizer,
      {{"none", eval::BleuTokenizer::kNone}, {"13a", eval::BleuTokenizer::k13a}},
      "none: words between spaces, as multi-bleu; 13a: sacreBLEU's")
      ->group(group);
  command
      .add_flag("--lowercase", options.lowercase,
                "Ignore case: of A to Z, as multi-bleu -lc; of all letters, where sacreBLEU does")
      ->group(group);
  add_choice<eval::BleuSmoothing>(
      command, "--smooth", options.smoothing,
      {{"none", eval::BleuSmoothing::kNone}, {"exp", eval::BleuSmoothing::kExp}},
      "Of orders without a match; exp: sacreBLEU's")
      ->group(group);
  command
      .add_flag("--compound-split", options.compound_split,
                "Split at hyphens first, as papers on WMT'14 English-German do")
      ->group(group);
}

void add_bootstrap(CLI::App& command, eval::BootstrapOptions& options) {
  const auto* group = "Confidence";
  command
      .add_option("--bootstrap", options.samples,
                  "95% confidence from this many resamples of the text; 0: none")
      ->check(between(0, 1'000'000))
      ->group(group);
  command.add_option("--seed", options.seed, "Of the resamples")->group(group);
}

void add_metric(CLI::App& command, eval::MetricOptions& metric, eval::BootstrapOptions& bootstrap) {
  add_choice<eval::Metric>(command, "--metric", metric.metric,
                           {{"bleu", eval::Metric::kBleu},
                            {"chrf", eval::Metric::kChrf},
                            {"rouge", eval::Metric::kRouge}},
                           "Score of translations (bleu, chrf), or of summaries");
  add_bleu(command, metric.bleu);
  command.get_option("--lowercase")->each([&metric](const std::string&) {
    metric.chrf.lowercase = true;
  });
  command
      .add_option("--chrf-word-order", metric.chrf.word_order,
                  "0: chrF, of characters; 2: chrF++, of words and pairs of words, too")
      ->check(between(0, eval::kMaxChrfWordOrder))
      ->group("chrF");
  const auto* rouge = "ROUGE";
  command
      .add_flag("--rouge-stem,!--no-rouge-stem", metric.rouge.stem,
                "Compare stems, as ROUGE-1.5.5 with -m (the default), or words")
      ->group(rouge);
  add_choice<eval::RougeSentences>(command, "--rouge-sentences", metric.rouge.sentences,
                                   {{"files2rouge", eval::RougeSentences::kFiles2rouge},
                                    {"token", eval::RougeSentences::kFullStopToken}},
                                   "Where sentences end; files2rouge: at each \" .\"; token: at a "
                                   "full stop between spaces")
      ->group(rouge);
  add_bootstrap(command, bootstrap);
}

void require_effect(const CLI::App& command, const eval::MetricOptions& metric) {
  using eval::Metric;
  static const std::map<std::string, std::vector<Metric>> kMetrics = {
      {"--tokenize", {Metric::kBleu}},        {"--lowercase", {Metric::kBleu, Metric::kChrf}},
      {"--smooth", {Metric::kBleu}},          {"--compound-split", {Metric::kBleu}},
      {"--chrf-word-order", {Metric::kChrf}}, {"--rouge-stem", {Metric::kRouge}},
      {"--rouge-sentences", {Metric::kRouge}}};
  for (const auto& [option, metrics] : kMetrics) {
    if (command.count(option) != 0 && std::ranges::find(metrics, metric.metric) == metrics.end()) {
      const std::string_view name = metric.metric == Metric::kBleu   ? "bleu"
                                    : metric.metric == Metric::kChrf ? "chrf"
                                                                     : "rouge";
      throw CLI::ValidationError(option, fmt::format("has no effect with --metric {}", name));
    }
  }
}

std::string interval_text(const eval::PairedDifference& difference) {
  return fmt::format("{:.2f} to {:.2f}", difference.low, difference.high);
}

nlohmann::ordered_json to_json(const eval::Confidence& confidence,
                               const eval::BootstrapOptions& options) {
  return {{"mean", confidence.mean},
          {"half_width", confidence.half_width},
          {"samples", options.samples},
          {"seed", options.seed}};
}

nlohmann::ordered_json to_json(const eval::Rouge& rouge) {
  nlohmann::ordered_json json;
  for (const eval::RougeMeasure& measure : eval::kRougeMeasures) {
    const eval::RougeScore& score = rouge.*measure.score;
    json[std::string(measure.name)] = {
        {"f1", score.f1}, {"precision", score.precision}, {"recall", score.recall}};
  }
  return json;
}

std::string confidence_text(const eval::Confidence& confidence,
                            const eval::BootstrapOptions& options) {
  return fmt::format("mean {:.2f} ± {:.2f} (95%, {} samples, seed {})", confidence.mean,
                     confidence.half_width, options.samples, options.seed);
}

eval::SampleScore rouge_of_sample(const std::vector<eval::Rouge>& lines,
                                  const eval::RougeMeasure& measure) {
  std::vector<double> scores;
  for (const eval::Rouge& line : lines) {
    scores.push_back(100.0 * (line.*measure.score).f1);
  }
  return eval::mean_of_sample(std::move(scores));
}

}  // namespace ltz::cli
