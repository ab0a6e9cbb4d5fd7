#include "cli/options/report_options.h"

#include "cli/options/metric_options.h"

namespace ltz::cli {

void add_report(CLI::App& command, ReportOptions& options) {
  add_text(command, options.text, false);
  add_beam(command, options.beam);
  add_bleu(command, options.bleu);
  add_bootstrap(command, options.bootstrap);
  add_gates(command, options.gates);
  add_json(command, options.json);
  command.add_option("--junit", options.junit, "Write the gates as JUnit XML to this file");
}

}  // namespace ltz::cli
