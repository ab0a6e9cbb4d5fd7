#include "cli/options/report_options.h"

#include "cli/options/metric_options.h"
#include "cli/options/values.h"
#include "cli/pipeline/verify.h"

namespace ltz::cli {

void ReportOptions::check() const {
  const eval::GateLimits& limits = gates.limits;
  if (!text.given() && limits.need_text()) {
    throw CLI::ValidationError("a limit on BLEU or NLL needs --src and --ref, or --text");
  }
  if (limits.max_growth.has_value() == previous.empty()) {
    throw CLI::ValidationError("--max-growth and --previous go together");
  }
  if (limits.by_interval) {
    if (!limits.max_bleu_drop && !limits.min_bleu && !(limits.max_growth && text.given())) {
      throw CLI::ValidationError("--confidence", "has no effect without a gate on BLEU");
    }
    if (bootstrap.samples == 0) {
      throw CLI::ValidationError("--confidence", "needs the resamples of --bootstrap");
    }
  }
}

void ReportOptions::require_matches(const ModelConfig& config) const {
  text.require_matches(config);
  if (is_language_model(config) && (gates.limits.on_bleu() || gates.limits.by_interval)) {
    throw CLI::ValidationError(
        "gates on BLEU are for models that translate; a language model has --max-ppl-increase and "
        "--max-nll-increase");
  }
}

std::optional<formats::ModelFile> ReportOptions::read_previous() const {
  if (previous.empty()) {
    return std::nullopt;
  }
  formats::ModelFile artifact = formats::read_model(previous, {});
  pipeline::require_ltz(artifact, previous);
  return artifact;
}

void add_report(CLI::App& command, ReportOptions& options) {
  add_text(command, options.text);
  add_beam(command, options.beam);
  add_bleu(command, options.bleu);
  add_bootstrap(command, options.bootstrap);
  add_gates(command, options.gates);
  command.add_option("--previous", options.previous, "An older .ltz, for --max-growth")
      ->group("Gates");
  command
      .add_option_function<double>(
          "--confidence",
          [&options](double percent) {
            options.gates.limits.by_interval = true;
            options.bootstrap.confidence = percent;
          },
          "Gates on BLEU fail only where the interval of this confidence, in percent, is beyond "
          "the limit; without it, the point estimate decides")
      ->check(between(50, 99.99))
      ->group("Gates");
  add_json(command, options.json);
  command.add_option("--junit", options.junit, "Write the gates as JUnit XML to this file");
}

}  // namespace ltz::cli
