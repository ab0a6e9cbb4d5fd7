#include <memory>
#include <optional>

#include "cli/commands/commands.h"
#include "cli/options/files.h"
#include "cli/options/options.h"
#include "cli/reports/baseline.h"
#include "cli/reports/report.h"

namespace ltz::cli {
namespace {

struct Options {
  std::string artifact;
  ModelOptions reference;
  ReportOptions report;
};

int run(const Options& options) {
  options.report.gates.require_text(options.report.text);
  Files()
      .reads(options.artifact)
      .reads(options.reference)
      .reads(options.report)
      .writes(options.report)
      .check();
  std::optional<eval::ParallelText> text;
  if (options.report.text.given()) {
    text = options.report.text.read();
  }
  const Checkpoint checkpoint = options.reference.read().checkpoint;
  const Baseline baseline = read_baseline(options.report.gates.baseline);
  return report_artifact(options.artifact, {.checkpoint = checkpoint, .text = text}, baseline,
                         options.report);
}

}  // namespace

void setup_verify(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand("verify", "Check an artifact's size and BLEU against limits");
  auto options = std::make_shared<Options>();
  command->add_option("ARTIFACT", options->artifact, "The .ltz to check")->required();
  command->add_option("--reference", options->reference.path, "The model it was made from")
      ->required();
  add_vocabulary_files(*command, options->reference.vocabulary);
  add_report(*command, options->report);
  add_precision(*command, options->report.arithmetic);
  command->footer(
      "Example:\n"
      "  ltz verify model.ltz --reference checkpoint.pt --src test.en --ref test.fr \\\n"
      "      --min-ratio paper=18.2 --max-bleu-drop 0.1\n"
      "Exit codes: 0 all gates passed, 1 one failed, 2 usage, 3 bad input or I/O.");
  command->callback([options, &action] { action = [options] { return run(*options); }; });
}

}  // namespace ltz::cli
