#include "cli/reports/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>

#include "cli/commands/commands.h"
#include "cli/options/metric_options.h"
#include "cli/reports/size_tables.h"
#include "cli/terminal/terminal.h"
#include "eval/budget/gates.h"
#include "formats/files/file.h"
#include "formats/models/model_file.h"
#include "model/base/error.h"

namespace ltz::cli {
namespace {

struct ArtifactReport {
  eval::Measured measured;
  std::optional<eval::PairedDifference> drop;  // of BLEU, reference - artifact
  std::string signature;                       // of BLEU, where it was measured
  std::vector<eval::Gate> gates;
};

std::string escape_xml(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

std::string gate_line(const eval::Gate& gate) {
  const bool upper = gate.name.starts_with("max-");
  const int digits = gate.name == "max-bytes" ? 0 : 2;
  return fmt::format("{} {:.{}f} (limit: {} {:.{}f})", gate.name, gate.value, digits,
                     upper ? "at most" : "at least", gate.limit, digits);
}

// BLEU of the reference and of the artifact, and how sure the difference is.
void compare_bleu(ArtifactReport& report, const std::vector<eval::BleuStatistics>& before,
                  const std::vector<eval::BleuStatistics>& after, const ReportOptions& options) {
  const eval::BleuSmoothing smoothing = options.bleu.smoothing;
  report.measured.bleu_reference = score(eval::sum(before), smoothing).score;
  report.measured.bleu_artifact = score(eval::sum(after), smoothing).score;
  report.signature = bleu_signature(options);
  if (options.bootstrap.samples != 0) {
    report.drop = eval::paired_bootstrap(before.size(), eval::bleu_of_sample(before, smoothing),
                                         eval::bleu_of_sample(after, smoothing), options.bootstrap);
  }
}

// Measures it with a bar.
std::vector<eval::BleuStatistics> measure_bleu(const Checkpoint& checkpoint,
                                               const eval::ParallelText& text,
                                               const ReportOptions& options,
                                               const std::string& label) {
  Progress progress("translating with the " + label);
  return measure_bleu(checkpoint, text, options,
                      [&](std::size_t done, std::size_t total) { progress.update(done, total); });
}

nlohmann::ordered_json to_json(const ArtifactReport& report) {
  nlohmann::ordered_json gates = nlohmann::ordered_json::array();
  for (const eval::Gate& gate : report.gates) {
    gates.push_back({{"name", gate.name},
                     {"passed", gate.passed},
                     {"value", gate.value},
                     {"limit", gate.limit}});
  }
  nlohmann::ordered_json json = {{"passed", eval::all_passed(report.gates)}, {"gates", gates}};
  json.update(size_json(report.measured.size));
  if (report.measured.bleu_artifact && report.measured.bleu_reference) {
    const double reference = *report.measured.bleu_reference;
    const double artifact = *report.measured.bleu_artifact;
    json["bleu"] = {
        {"reference", reference}, {"artifact", artifact}, {"drop", reference - artifact}};
    if (report.drop) {
      json["bleu"]["drop_low"] = report.drop->low;
      json["bleu"]["drop_high"] = report.drop->high;
      json["bleu"]["p_value"] = report.drop->p_value;
    }
    json["bleu"]["signature"] = report.signature;
  }
  return json;
}

std::string to_text(const ArtifactReport& report) {
  std::string text = size_text(report.measured.size);
  if (report.measured.bleu_artifact && report.measured.bleu_reference) {
    text += fmt::format("BLEU {:.2f} before, {:.2f} after: a drop of {:.2f}{}\n",
                        *report.measured.bleu_reference, *report.measured.bleu_artifact,
                        *report.measured.bleu_reference - *report.measured.bleu_artifact,
                        report.drop ? fmt::format(" (95%: {})", interval_text(*report.drop)) : "");
  }
  for (const eval::Gate& gate : report.gates) {
    text += fmt::format("gate {}: {}\n", gate.passed ? "passed" : "FAILED", gate_line(gate));
  }
  return text;
}

std::string to_junit(const ArtifactReport& report) {
  const auto failures =
      std::ranges::count_if(report.gates, [](const auto& g) { return !g.passed; });
  std::string xml = fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<testsuite name=\"ltz verify\" tests=\"{}\" failures=\"{}\">\n",
      report.gates.size(), failures);
  for (const eval::Gate& gate : report.gates) {
    const std::string name = escape_xml(gate.name);
    xml += fmt::format("  <testcase classname=\"ltz.verify\" name=\"{}\"", name);
    xml += gate.passed ? "/>\n"
                       : fmt::format("><failure message=\"{}\"/></testcase>\n",
                                     escape_xml(gate_line(gate)));
  }
  return xml + "</testsuite>\n";
}

std::vector<TensorSize> tensor_sizes(const formats::ModelFile& artifact) {
  std::vector<TensorSize> sizes;
  for (const ParameterSpec& spec : parameter_specs(artifact.checkpoint.config)) {
    const std::vector<float> values = artifact.checkpoint.tensors.at(spec.name).values();
    sizes.push_back({.group = group_name(spec),
                     .parameters = static_cast<std::int64_t>(values.size()),
                     .zeros = std::ranges::count(values, 0.0f),
                     .bytes = artifact.tensor_bytes.at(spec.name)});
  }
  return sizes;
}

eval::ArtifactBytes require_artifact_bytes(const formats::ModelFile& artifact,
                                           const std::string& path) {
  if (!artifact.sizes) {
    throw ConfigError(path + ": expected a .ltz artifact, found a ." + artifact.container);
  }
  return artifact_bytes(*artifact.sizes);
}

}  // namespace

void add_report(CLI::App& command, ReportOptions& options) {
  add_text(command, options.text, false);
  add_beam(command, options.beam);
  add_bleu(command, options.bleu);
  add_bootstrap(command, options.bootstrap);
  add_gates(command, options.gates);
  add_json(command, options.json);
  command.add_option("--junit", options.junit, "Write the gates as JUnit XML to this file");
}

void write_json(const JsonOptions& options, const nlohmann::ordered_json& json) {
  // A file name may be any bytes; JSON is UTF-8.
  const std::string text =
      json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  formats::write_file_atomically(options.path, std::as_bytes(std::span(text)));
}

eval::EvaluationOptions evaluation(const ReportOptions& options) {
  return {.beam = options.beam, .metric = {.bleu = options.bleu}, .arithmetic = options.arithmetic};
}

std::string bleu_signature(const ReportOptions& options) {
  return eval::signature(evaluation(options), LTZ_VERSION);
}

std::vector<eval::BleuStatistics> measure_bleu(const Checkpoint& checkpoint,
                                               const eval::ParallelText& text,
                                               const ReportOptions& options,
                                               const SentenceProgress& progress) {
  const eval::Scores scores =
      eval::evaluate(Transformer(checkpoint, options.arithmetic), TextCodec(checkpoint), text,
                     evaluation(options), progress);
  return eval::bleu_statistics(scores.hypotheses, std::span(&text.reference, 1), options.bleu);
}

int report_artifact(const std::string& path, const Original& original,
                    const ReportOptions& options) {
  const Checkpoint& reference = original.checkpoint;
  const Baseline& baseline = original.baseline;
  const formats::ModelFile artifact = formats::read_model(path, {});
  const eval::ArtifactBytes bytes = require_artifact_bytes(artifact, path);
  if (artifact.checkpoint.config != reference.config) {
    throw ConfigError(path + ": expected the configuration of the reference, found another model");
  }
  ArtifactReport report;
  report.measured.size = eval::size_report(reference.config, bytes, baseline.parameters);
  if (original.text) {
    const eval::ParallelText& text = *original.text;
    compare_bleu(
        report,
        original.bleu.empty() ? measure_bleu(reference, text, options, "reference") : original.bleu,
        measure_bleu(artifact.checkpoint, text, options, "artifact"), options);
  }
  report.gates = eval::check_gates(options.gates.limits, report.measured);
  if (!options.junit.empty()) {
    const std::string xml = to_junit(report);
    formats::write_file_atomically(options.junit, std::as_bytes(std::span(xml)));
  }
  if (options.json.given()) {
    nlohmann::ordered_json json = to_json(report);
    json["baseline"] = comparison_json(reference.config, baseline, {});
    write_json(options.json, json);
  }
  if (!options.json.to_stdout()) {
    fmt::print("{}\n", group_table(tensor_sizes(artifact)));
    if (!options.gates.baseline.empty()) {
      fmt::print("{}\n", comparison_table(reference.config, baseline, {}));
    }
    fmt::print("{}", to_text(report));
  }
  return eval::all_passed(report.gates) ? kDone : kGateFailed;
}

}  // namespace ltz::cli
