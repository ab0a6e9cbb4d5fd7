#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "cli/baseline.h"
#include "cli/options.h"
#include "eval/bootstrap.h"
#include "model/checkpoint.h"

// What compress and verify say about an artifact.
namespace ltz::cli {

struct ReportOptions {
  TextOptions text;
  BeamOptions beam;
  eval::BleuOptions bleu;
  eval::BootstrapOptions bootstrap;  // of the drop of BLEU
  GateOptions gates;
  JsonOptions json;
  std::string junit;  // file for the gates as JUnit XML, or none
};
void add_report(CLI::App& command, ReportOptions& options);

// Writes one JSON object, pretty-printed, with a final line end.
void write_json(const JsonOptions& options, const nlohmann::ordered_json& json);

// Measures the artifact as it is on disk, says what was found as the options want it, and returns
// the exit code. reference: the model that it was made from. text: to measure BLEU on, if any. The
// baseline is compared with in full when the user has chosen it.
// Throws ConfigError unless the artifact is a .ltz of the reference's configuration.
int report_artifact(const std::string& path, const Checkpoint& reference, const Baseline& baseline,
                    const std::optional<eval::ParallelText>& text, const ReportOptions& options);

}  // namespace ltz::cli
