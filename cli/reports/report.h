#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cli/options/options.h"
#include "cli/reports/baseline.h"
#include "eval/quality/evaluate.h"
#include "eval/scores/bootstrap.h"
#include "model/checkpoint/checkpoint.h"
#include "model/decoding/translator.h"

// What compress and verify say about an artifact.
namespace ltz::cli {

struct ReportOptions {
  TextOptions text;
  BeamOptions beam;
  Arithmetic arithmetic = Arithmetic::kFloat32;
  eval::BleuOptions bleu;
  eval::BootstrapOptions bootstrap;  // of the drop of BLEU
  GateOptions gates;
  JsonOptions json;
  std::string junit;  // file for the gates as JUnit XML, or none
};
void add_report(CLI::App& command, ReportOptions& options);

// Writes one JSON object, pretty-printed, with a final line end.
void write_json(const JsonOptions& options, const nlohmann::ordered_json& json);

// How translations are made and scored.
eval::EvaluationOptions evaluation(const ReportOptions& options);

// What BLEU depends on beside text and model.
std::string bleu_signature(const ReportOptions& options);

// Statistics of each sentence's BLEU.
std::vector<eval::BleuStatistics> measure_bleu(const Checkpoint& checkpoint,
                                               const eval::ParallelText& text,
                                               const ReportOptions& options,
                                               const SentenceProgress& progress);

// What an artifact is compared with.
struct Original {
  const Checkpoint& checkpoint;                   // that it was made from
  const Baseline& baseline;                       // in full when the user has chosen it
  const std::optional<eval::ParallelText>& text;  // to measure BLEU on, if any
  // Of the checkpoint on the text; none: they are measured.
  std::vector<eval::BleuStatistics> bleu = {};
};

// Measures the artifact as it is on disk, says what was found as the options want it, and returns
// the exit code. Throws ConfigError unless the artifact is a .ltz of the original's configuration.
int report_artifact(const std::string& path, const Original& original,
                    const ReportOptions& options);

}  // namespace ltz::cli
