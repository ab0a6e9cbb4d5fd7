#include "cli/reports/score_report.h"

#include <fmt/format.h>

#include "cli/options/metric_options.h"
#include "eval/scores/sacrebleu.h"

namespace ltz::cli {
namespace {

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
eval::BootstrapOptions comparison_samples(const ScoreOptions& options) {
  eval::BootstrapOptions bootstrap = options.bootstrap;
  bootstrap.samples = bootstrap.samples == 0 ? eval::BootstrapOptions{}.samples : bootstrap.samples;
  return bootstrap;
}

// The layout of `sacrebleu`'s JSON. score: "BLEU" or the like, in percent; verbose: or empty.
nlohmann::ordered_json sacrebleu_json(const std::string& name, double score,
                                      const eval::ScoreBasis& basis, const std::string& verbose,
                                      const eval::SignatureFields& signature) {
  // As printed: what sacreBLEU has in its JSON, too.
  const auto two_digits = [](double value) { return std::stod(fmt::format("{:.2f}", value)); };
  nlohmann::ordered_json json = {
      {"name", name}, {"score", two_digits(score)}, {"signature", eval::signature_line(signature)}};
  if (basis.confidence) {
    json["confidence_mean"] = two_digits(basis.confidence->mean);
    json["confidence_var"] = two_digits(basis.confidence->half_width);
    json["confidence"] = to_string(*basis.confidence);
  }
  if (!verbose.empty()) {
    json["verbose_score"] = verbose;
  }
  for (const auto& [key, value] : signature) {
    json[key] = value;
  }
  return json;
}

// A score of whole texts.
struct CorpusScore {
  std::size_t lines = 0;
  double score = 0.0;
  eval::SampleScore sample;
};

eval::ScoreBasis basis(const ScoredTexts& texts, const CorpusScore& corpus,
                       const ScoreOptions& options) {
  eval::ScoreBasis result{.references = texts.references.size(),
                          .confidence = {},
                          .bootstrap = options.bootstrap,
                          .version = options.version};
  if (options.bootstrap.samples != 0) {
    result.confidence = eval::bootstrap(corpus.lines, corpus.sample, options.bootstrap);
  }
  return result;
}

void add_confidence(const eval::ScoreBasis& basis, const ScoreOptions& options,
                    ScoreReport& report) {
  if (basis.confidence && !options.sacrebleu) {
    report.json["confidence"] = to_json(*basis.confidence, options.bootstrap);
    report.text += confidence_text(*basis.confidence, options.bootstrap) + "\n";
  }
}

void add_comparison(const CorpusScore& corpus, const CorpusScore& other,
                    const ScoreOptions& options, ScoreReport& report) {
  const Comparison comparison{
      .other = options.other,
      .measure = {},
      .score = other.score,
      .difference = eval::paired_bootstrap(corpus.lines, corpus.sample, other.sample,
                                           comparison_samples(options))};
  report.json["comparison"] = comparison_json(comparison);
  report.text += to_text(comparison);
}

CorpusScore corpus_score(const std::vector<eval::BleuStatistics>& statistics,
                         const eval::BleuOptions& options) {
  return {.lines = statistics.size(),
          .score = score(eval::sum(statistics), options.smoothing).score,
          .sample = eval::bleu_of_sample(statistics, options.smoothing)};
}

CorpusScore corpus_score(const std::vector<eval::ChrfStatistics>& statistics,
                         const eval::ChrfOptions& options) {
  return {.lines = statistics.size(),
          .score = score(eval::sum(statistics), options),
          .sample = eval::chrf_of_sample(statistics, options)};
}

ScoreReport bleu_report(const ScoredTexts& texts, const ScoreOptions& options) {
  const eval::BleuOptions& bleu = options.metric.bleu;
  const auto statistics = eval::bleu_statistics(texts.hypotheses, texts.references, bleu);
  const CorpusScore corpus = corpus_score(statistics, bleu);
  const eval::SacreBleu result{.bleu = score(eval::sum(statistics), bleu.smoothing),
                               .options = bleu,
                               .basis = basis(texts, corpus, options)};
  ScoreReport report;
  if (options.sacrebleu) {
    report.text = to_string(result) + "\n";
    report.json = sacrebleu_json("BLEU", corpus.score, result.basis, verbose_score(result.bleu),
                                 signature(result));
  } else {
    report.text = to_string(result.bleu) + "\n";
    report.json = {{"bleu", result.bleu.score},
                   {"precisions", result.bleu.precisions},
                   {"brevity_penalty", result.bleu.brevity_penalty},
                   {"hypothesis_length", result.bleu.hypothesis_length},
                   {"reference_length", result.bleu.reference_length},
                   {"sentences", corpus.lines},
                   {"signature", eval::signature_line(signature(result))}};
  }
  add_confidence(result.basis, options, report);
  if (!texts.other.empty()) {
    const auto other = eval::bleu_statistics(texts.other, texts.references, bleu);
    add_comparison(corpus, corpus_score(other, bleu), options, report);
  }
  return report;
}

ScoreReport chrf_report(const ScoredTexts& texts, const ScoreOptions& options) {
  const eval::ChrfOptions& chrf = options.metric.chrf;
  const auto statistics = eval::chrf_statistics(texts.hypotheses, texts.references, chrf);
  const CorpusScore corpus = corpus_score(statistics, chrf);
  const eval::SacreChrf result{
      .score = corpus.score, .options = chrf, .basis = basis(texts, corpus, options)};
  ScoreReport report;
  if (options.sacrebleu) {
    report.text = to_string(result) + "\n";
    report.json =
        sacrebleu_json(eval::name(chrf), corpus.score, result.basis, "", signature(result));
  } else {
    report.text = fmt::format("{} = {:.2f}\n", eval::name(chrf), corpus.score);
    report.json = {{"chrf", corpus.score},
                   {"sentences", corpus.lines},
                   {"signature", eval::signature_line(signature(result))}};
  }
  add_confidence(result.basis, options, report);
  if (!texts.other.empty()) {
    const auto other = eval::chrf_statistics(texts.other, texts.references, chrf);
    add_comparison(corpus, corpus_score(other, chrf), options, report);
  }
  return report;
}

ScoreReport rouge_report(const ScoredTexts& texts, const ScoreOptions& options) {
  const eval::Lines& reference = texts.references.front();
  const auto rouge = eval::rouge_of_lines(texts.hypotheses, reference, options.metric.rouge);
  const std::size_t lines = rouge.size();
  ScoreReport report{.text = to_string(eval::mean(rouge)) + "\n",
                     .json = to_json(eval::mean(rouge))};
  eval::ScoreBasis basis{.references = 1,
                         .confidence = {},
                         .bootstrap = options.bootstrap,
                         .version = options.version};
  std::vector<eval::Rouge> other;
  if (!texts.other.empty()) {
    other = eval::rouge_of_lines(texts.other, reference, options.metric.rouge);
  }
  for (const eval::RougeMeasure& measure : eval::kRougeMeasures) {
    nlohmann::ordered_json& json = report.json[std::string(measure.name)];
    const eval::SampleScore sample = rouge_of_sample(rouge, measure);
    if (options.bootstrap.samples != 0) {
      basis.confidence = eval::bootstrap(lines, sample, options.bootstrap);
      json["confidence"] = to_json(*basis.confidence, options.bootstrap);
      report.text += fmt::format("{}: {}\n", measure.label,
                                 confidence_text(*basis.confidence, options.bootstrap));
    }
    if (!other.empty()) {
      const Comparison comparison{
          .other = options.other,
          .measure = fmt::format(" {}", measure.label),
          .score = 100.0 * (eval::mean(other).*measure.score).f1,
          .difference = eval::paired_bootstrap(lines, sample, rouge_of_sample(other, measure),
                                               comparison_samples(options))};
      json["comparison"] = comparison_json(comparison);
      report.text += to_text(comparison);
    }
  }
  report.json["sentences"] = lines;
  report.json["signature"] = eval::signature_line(signature(options.metric.rouge, basis));
  return report;
}

}  // namespace

ScoreReport score_report(const ScoredTexts& texts, const ScoreOptions& options) {
  switch (options.metric.metric) {
    case eval::Metric::kChrf:
      return chrf_report(texts, options);
    case eval::Metric::kRouge:
      return rouge_report(texts, options);
    default:
      return bleu_report(texts, options);
  }
}

}  // namespace ltz::cli
