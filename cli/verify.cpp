#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/report.h"
#include "formats/file.h"
#include "model/error.h"

namespace ltz::cli {
namespace {

struct Options {
  std::string artifact;
  ModelOptions reference;
  TextOptions text;
  BeamOptions beam;
  GateOptions gates;
  JsonOptions json;
  std::string junit;
};

int run(const Options& options) {
  options.gates.require_text(options.text);
  std::optional<eval::ParallelText> text;
  if (options.text.given()) {
    text = options.text.read();
  }
  const formats::ModelFile artifact = formats::read_model(options.artifact, {});
  const formats::ModelFile reference = options.reference.read();
  if (artifact.checkpoint.config != reference.checkpoint.config) {
    throw ConfigError(options.artifact + ": expected the configuration of " +
                      options.reference.path + ", found another model");
  }
  ArtifactReport report;
  report.measured.size =
      eval::size_report(artifact.checkpoint.config, artifact_bytes(artifact, options.artifact),
                        options.gates.baseline_parameters());
  if (text) {
    report.measured.bleu_reference =
        measure_bleu(reference.checkpoint, *text, options.beam, "reference");
    report.measured.bleu_artifact =
        measure_bleu(artifact.checkpoint, *text, options.beam, "artifact");
  }
  report.gates = eval::check_gates(options.gates.limits, report.measured);
  if (!options.junit.empty()) {
    const std::string xml = to_junit(report);
    formats::write_file_atomically(options.junit, std::as_bytes(std::span(xml)));
  }
  if (options.json.given()) {
    write_json(options.json, to_json(report));
  }
  if (!options.json.to_stdout()) {
    fmt::print("{}\n{}", group_table(artifact), to_text(report));
  }
  return eval::all_passed(report.gates) ? kDone : kGateFailed;
}

}  // namespace

void setup_verify(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand("verify", "Check an artifact's size and BLEU against limits");
  auto options = std::make_shared<Options>();
  command->add_option("ARTIFACT", options->artifact, "The .ltz to check")->required();
  command->add_option("--reference", options->reference.path, "The model it was made from")
      ->required();
  add_vocabulary_files(*command, options->reference.vocabulary);
  add_text(*command, options->text, false);
  add_beam(*command, options->beam);
  add_gates(*command, options->gates);
  add_json(*command, options->json);
  command->add_option("--junit", options->junit, "Write the gates as JUnit XML to this file");
  command->footer(
      "Example:\n"
      "  ltz verify model.ltz --reference checkpoint.pt --src test.en --ref test.fr \\\n"
      "      --min-ratio paper=18.2 --max-bleu-drop 0.1\n"
      "Exit codes: 0 all gates passed, 1 one failed, 2 usage, 3 bad input or I/O.");
  command->callback([options, &action] { action = [options] { return run(*options); }; });
}

}  // namespace ltz::cli
