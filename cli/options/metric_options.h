#pragma once

#include <CLI/CLI.hpp>
#include <nlohmann/json_fwd.hpp>

#include "eval/quality/evaluate.h"
#include "eval/scores/bootstrap.h"
#include "eval/scores/rouge.h"

// Options of what is measured, and how a report says how sure it is.
namespace ltz::cli {

// --tokenize, --lowercase, --smooth, --compound-split
void add_bleu(CLI::App& command, eval::BleuOptions& options);

// --bootstrap, --seed; 0 samples: no bootstrap
void add_bootstrap(CLI::App& command, eval::BootstrapOptions& options);

// --metric, --chrf-word-order, --rouge-stem, --rouge-sentences and all of the above.
void add_metric(CLI::App& command, eval::MetricOptions& metric, eval::BootstrapOptions& bootstrap);

// Throws CLI::ValidationError, naming the option, when one was given that the metric does not use.
void require_effect(const CLI::App& command, const eval::MetricOptions& metric);

// "0.62 to 1.37"
std::string interval_text(const eval::PairedDifference& difference);

// {"mean":x,"half_width":x,"samples":N,"seed":N}
nlohmann::ordered_json to_json(const eval::Confidence& confidence,
                               const eval::BootstrapOptions& options);

// {"rouge1":{"f1":x,"precision":x,"recall":x},…}, from 0 to 1.
nlohmann::ordered_json to_json(const eval::Rouge& rouge);

// "mean 44.50 ± 0.70 (95%, 1000 samples, seed 12345)"
std::string confidence_text(const eval::Confidence& confidence,
                            const eval::BootstrapOptions& options);

// F1 of one measure in percent, line by line, for a bootstrap.
eval::SampleScore rouge_of_sample(const std::vector<eval::Rouge>& lines,
                                  const eval::RougeMeasure& measure);

}  // namespace ltz::cli
