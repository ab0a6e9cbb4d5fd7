#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "eval/quality/evaluate.h"
#include "eval/scores/bootstrap.h"

// What score says about a translation or a summary.
namespace ltz::cli {

struct ScoreOptions {
  std::string other;  // name of the other system's hypotheses
  eval::MetricOptions metric;
  eval::BootstrapOptions bootstrap{.samples = 0};
  bool sacrebleu = false;  // its line and its JSON instead of multi-bleu's
  std::string version;     // of ltz, for signatures
};

// All of as many lines.
struct ScoredTexts {
  eval::Lines hypotheses;
  std::vector<eval::Lines> references;  // at least one; with Metric::kRouge, the only one
  eval::Lines other;                    // empty if there is none
};

struct ScoreReport {
  std::string text;
  nlohmann::ordered_json json;
};

ScoreReport score_report(const ScoredTexts& texts, const ScoreOptions& options);

}  // namespace ltz::cli
