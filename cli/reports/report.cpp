#include "cli/reports/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>

#include "cli/options/metric_options.h"
#include "cli/reports/size_tables.h"
#include "cli/terminal/exit_codes.h"
#include "cli/terminal/terminal_events.h"
#include "eval/budget/gates.h"
#include "formats/files/file.h"
#include "formats/models/model_file.h"

namespace ltz::cli {
namespace {

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

nlohmann::ordered_json to_json(const pipeline::Verification& report) {
  nlohmann::ordered_json gates = nlohmann::ordered_json::array();
  for (const eval::Gate& gate : report.gates) {
    gates.push_back({{"name", gate.name},
                     {"passed", gate.passed},
                     {"value", gate.value},
                     {"limit", gate.limit}});
  }
  nlohmann::ordered_json json = {{"passed", report.passed()}, {"gates", gates}};
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

std::string to_text(const pipeline::Verification& report) {
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

std::string to_junit(const pipeline::Verification& report) {
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

}  // namespace

void write_json(const JsonOptions& options, const nlohmann::ordered_json& json) {
  // A file name may be any bytes; JSON is UTF-8.
  const std::string text =
      json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  formats::write_file_atomically(options.path, std::as_bytes(std::span(text)));
}

int report_artifact(const std::string& path, const pipeline::Original& original,
                    const Baseline& baseline, const ReportOptions& options) {
  const formats::ModelFile artifact = formats::read_model(path, {});
  const pipeline::Verification report =
      pipeline::verify(artifact, path, original,
                       {.limits = options.gates.limits,
                        .baseline_parameters = baseline.parameters,
                        .evaluation = options.evaluation(),
                        .bootstrap = options.bootstrap},
                       terminal_events());
  if (!options.junit.empty()) {
    const std::string xml = to_junit(report);
    formats::write_file_atomically(options.junit, std::as_bytes(std::span(xml)));
  }
  const ModelConfig& config = original.checkpoint.config;
  if (options.json.given()) {
    nlohmann::ordered_json json = to_json(report);
    json["baseline"] = comparison_json(config, baseline, {});
    write_json(options.json, json);
  }
  if (!options.json.to_stdout()) {
    fmt::print("{}\n", group_table(tensor_sizes(artifact)));
    if (!options.gates.baseline.empty()) {
      fmt::print("{}\n", comparison_table(config, baseline, {}));
    }
    fmt::print("{}", to_text(report));
  }
  return report.passed() ? kDone : kGateFailed;
}

}  // namespace ltz::cli
