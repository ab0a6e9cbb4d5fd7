#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "cli/options/options.h"
#include "eval/quality/evaluate.h"
#include "eval/scores/bootstrap.h"

namespace ltz::cli {

// What `compress` and `verify` measure of an artifact, and where they say it.
struct ReportOptions {
  TextOptions text;
  BeamOptions beam;
  Arithmetic arithmetic = Arithmetic::kFloat32;
  eval::BleuOptions bleu;
  eval::BootstrapOptions bootstrap;  // of the drop of BLEU
  GateOptions gates;
  JsonOptions json;
  std::string junit;     // file for the gates as JUnit XML, or none
  std::string previous;  // an older artifact, for --max-growth

  // Throws CLI::ValidationError for limits without what they need, and for options without effect.
  void check() const;
  // Throws CLI::ValidationError for a text or a gate that this kind of model does not have.
  void require_matches(const ModelConfig& config) const;
  // The older artifact, if there is one.
  std::optional<formats::ModelFile> read_previous() const;
  // How translations are made and scored.
  eval::EvaluationOptions evaluation() const {
    return {.beam = beam, .metric = {.bleu = bleu}, .arithmetic = arithmetic};
  }
};
void add_report(CLI::App& command, ReportOptions& options);

}  // namespace ltz::cli
