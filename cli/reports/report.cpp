#include "cli/reports/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>
#include <span>

#include "cli/options/metric_options.h"
#include "cli/pipeline/digits.h"
#include "cli/reports/gate_text.h"
#include "cli/reports/junit.h"
#include "cli/reports/size_tables.h"
#include "cli/terminal/exit_codes.h"
#include "cli/terminal/terminal.h"
#include "cli/terminal/terminal_events.h"
#include "eval/budget/gates.h"
#include "formats/files/file.h"
#include "formats/models/model_file.h"

namespace ltz::cli {
namespace {

nlohmann::ordered_json gates_json(const std::vector<eval::Gate>& gates) {
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const eval::Gate& gate : gates) {
    nlohmann::ordered_json& entry =
        json.emplace_back(nlohmann::ordered_json{{"name", gate.name},
                                                 {"passed", gate.passed},
                                                 {"value", gate.value},
                                                 {"limit", gate.limit}});
    if (gate.interval) {
      entry["low"] = gate.interval->low;
      entry["high"] = gate.interval->high;
    }
  }
  return json;
}

nlohmann::ordered_json bleu_json(const pipeline::Verification& report) {
  const double reference = *report.measured.reference.bleu;
  const double artifact = *report.measured.artifact.bleu;
  nlohmann::ordered_json json = {
      {"reference", reference}, {"artifact", artifact}, {"drop", reference - artifact}};
  if (report.drop) {
    json["drop_low"] = report.drop->low;
    json["drop_high"] = report.drop->high;
    json["p_value"] = report.drop->p_value;
  }
  json["signature"] = report.signature;
  return json;
}

nlohmann::ordered_json to_json(const pipeline::Verification& report) {
  const eval::Measured& measured = report.measured;
  nlohmann::ordered_json json = {{"passed", report.passed()}, {"gates", gates_json(report.gates)}};
  json.update(size_json(measured.size));
  if (measured.artifact.bleu) {
    json["bleu"] = bleu_json(report);
  }
  if (measured.artifact.nll) {
    const double reference = *measured.reference.nll;
    const double artifact = *measured.artifact.nll;
    json["nll"] = {
        {"reference", reference}, {"artifact", artifact}, {"increase", artifact - reference}};
    json["perplexity"] = {{"reference", std::exp(reference)},
                          {"artifact", std::exp(artifact)},
                          {"increase_percent", eval::perplexity_increase(reference, artifact)}};
  }
  if (measured.previous) {
    json["previous"] = {{"bytes", measured.previous->bytes}};
    const eval::MeasuredQuality& quality = measured.previous->quality;
    if (quality.bleu) {
      json["previous"]["bleu"] = *quality.bleu;
    }
    if (quality.nll) {
      json["previous"]["nll"] = *quality.nll;
    }
  }
  return json;
}

std::string to_text(const pipeline::Verification& report, const eval::BootstrapOptions& bootstrap) {
  const eval::Measured& measured = report.measured;
  std::string text = size_text(measured.size);
  if (measured.artifact.bleu) {
    const double before = *measured.reference.bleu;
    const double after = *measured.artifact.bleu;
    text += fmt::format(
        "BLEU {:.2f} before, {:.2f} after: a drop of {:.2f}{}\n", before, after, before - after,
        report.drop ? fmt::format(" ({:g}%: {})", bootstrap.confidence, interval_text(*report.drop))
                    : "");
  }
  if (measured.artifact.nll) {
    const double before = *measured.reference.nll;
    const double after = *measured.artifact.nll;
    text += fmt::format(
        "NLL {:.4f} before, {:.4f} after; perplexity {:.3f} before, {:.3f} after: "
        "{:+.2f}%\n",
        before, after, std::exp(before), std::exp(after), eval::perplexity_increase(before, after));
  }
  if (measured.previous) {
    text += fmt::format("the previous artifact: {} bytes",
                        pipeline::with_separators(measured.previous->bytes));
    if (measured.previous->quality.bleu) {
      text += fmt::format(", BLEU {:.2f}", *measured.previous->quality.bleu);
    }
    if (measured.previous->quality.nll) {
      text += fmt::format(", NLL {:.4f}", *measured.previous->quality.nll);
    }
    text += "\n";
  }
  for (const eval::Gate& gate : report.gates) {
    text += fmt::format("gate {}: {}\n", gate.passed ? "passed" : "FAILED", gate_text(gate));
  }
  return text;
}

// A reference that knows nothing of the text has nothing to lose.
void warn_of_useless_text(const eval::Measured& measured) {
  constexpr double kUseless = 1.0;
  if (measured.reference.bleu && *measured.reference.bleu < kUseless) {
    say(
        fmt::format("caution: BLEU of the reference is {:.2f}: does the text belong to it? A drop "
                    "says nothing here",
                    *measured.reference.bleu));
  }
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
  nlohmann::ordered_json report = {{"schema_version", kSchemaVersion}};
  report.update(json);
  // A file name may be any bytes; JSON is UTF-8.
  const std::string text =
      report.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  formats::write_file_atomically(options.path, std::as_bytes(std::span(text)));
}

int report_artifact(const NamedArtifact& artifact, const pipeline::Original& original,
                    const Baseline& baseline, const ReportOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  const pipeline::Verification report =
      pipeline::verify(artifact.file, artifact.path, original,
                       {.limits = options.gates.limits,
                        .baseline_parameters = baseline.parameters,
                        .evaluation = options.evaluation(),
                        .bootstrap = options.bootstrap},
                       terminal_events());
  warn_of_useless_text(report.measured);
  if (!options.junit.empty()) {
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
    const std::string xml = junit_of(report, spent.count());
    formats::write_file_atomically(options.junit, std::as_bytes(std::span(xml)));
  }
  const ModelConfig& config = original.checkpoint.config;
  if (options.json.given()) {
    nlohmann::ordered_json json = to_json(report);
    json["baseline"] = comparison_json(config, baseline, {});
    write_json(options.json, json);
  }
  if (!options.json.to_stdout()) {
    fmt::print("{}\n", group_table(tensor_sizes(artifact.file)));
    if (!options.gates.baseline.empty()) {
      fmt::print("{}\n", comparison_table(config, baseline, {}));
    }
    fmt::print("{}", to_text(report, options.bootstrap));
  }
  return report.passed() ? kDone : kGateFailed;
}

}  // namespace ltz::cli
