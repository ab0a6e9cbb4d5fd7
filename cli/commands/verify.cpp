#include <memory>
#include <optional>

#include "cli/commands/commands.h"
#include "cli/options/files.h"
#include "cli/options/options.h"
#include "cli/reports/baseline.h"
#include "cli/reports/report.h"
#include "formats/files/file.h"

namespace ltz::cli {
namespace {

struct Options {
  std::string artifact;
  ModelOptions reference;
  std::string state;
  bool report_only = false;
  ReportOptions report;
};

// What would pass whatever the artifact is.
void require_a_gate(const Options& options) {
  const ReportOptions& report = options.report;
  const eval::GateLimits& limits = report.gates.limits;
  if (options.report_only ? limits.any() : !limits.any()) {
    throw CLI::ValidationError(
        options.report_only
            ? "--report-only and a gate exclude each other"
            : "no gate is given, such as --max-bits, --max-bytes, --min-ratio model=R or "
              "--max-bleu-drop: nothing could fail. --report-only only reports");
  }
  if ((limits.max_bleu_drop || limits.on_likelihood()) &&
      formats::same_file(options.artifact, options.reference.path)) {
    throw CLI::ValidationError("the artifact is its own reference: nothing could be lost");
  }
  if (limits.max_growth && formats::same_file(options.artifact, report.previous)) {
    throw CLI::ValidationError("the artifact is its own --previous: nothing could grow");
  }
}

int run(const Options& options) {
  options.report.check();
  require_a_gate(options);
  Files()
      .reads(options.artifact)
      .reads(options.reference)
      .reads(options.report)
      .writes(options.state)
      .writes(options.report)
      .check();
  std::optional<eval::ParallelText> text;
  if (options.report.text.given()) {
    text = options.report.text.read();
  }
  const Checkpoint checkpoint = options.reference.read().checkpoint;
  options.report.require_matches(checkpoint.config);
  const Baseline baseline = read_baseline(options.report.gates.baseline, checkpoint.config);
  const auto previous = options.report.read_previous();
  pipeline::QualityCache cache(options.state);
  const formats::ModelFile artifact = formats::read_model(options.artifact, {});
  return report_artifact({artifact, options.artifact},
                         {.checkpoint = checkpoint,
                          .text = text,
                          .previous = previous ? &*previous : nullptr,
                          .cache = &cache},
                         baseline, options.report);
}

}  // namespace

void setup_verify(CLI::App& app, Action& action) {
  auto* command =
      app.add_subcommand("verify", "Check an artifact's size and quality against limits");
  auto options = std::make_shared<Options>();
  command->add_option("ARTIFACT", options->artifact, "The .ltz to check")->required();
  command->add_option("--reference", options->reference.path, "The model it was made from")
      ->required()
      ->type_name("MODEL");
  add_vocabulary_files(*command, options->reference.vocabulary);
  command->add_option("--state", options->state,
                      "Keep in this file how good the models are on the text, and take it from "
                      "there: the reference is not translated with again");
  command->add_flag("--report-only", options->report_only, "Check nothing, only report");
  add_report(*command, options->report);
  add_precision(*command, options->report.arithmetic);
  command->footer(
      "Example:\n"
      "  ltz verify model.ltz --reference checkpoint.pt --src test.en --ref test.fr \\\n"
      "      --max-bits 3 --max-bleu-drop 0.5\n"
      "Exit codes: 0 all gates passed, 1 one failed, 2 usage, 3 bad input or I/O.");
  command->callback([options, &action] { action = [options] { return run(*options); }; });
}

}  // namespace ltz::cli
