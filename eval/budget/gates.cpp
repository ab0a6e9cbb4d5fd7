#include "eval/budget/gates.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "eval/budget/accounting.h"
#include "model/base/error.h"

namespace ltz::eval {
namespace {

double ratio_value(const SizeReport& size, const std::string& ratio) {
  if (ratio == "file") {
    return size.file_ratio;
  }
  return ratio == "model" ? size.model_ratio : size.paper_ratio;
}

double required(const std::optional<double>& bleu, const char* gate) {
  if (!bleu) {
    throw ConfigError(fmt::format("{} needs a test set: give --src and --ref", gate));
  }
  return *bleu;
}

}  // namespace

SizeReport size_report(const ModelConfig& config, const ArtifactBytes& bytes,
                       std::int64_t baseline_parameters) {
  const ParameterCounts counts = count_parameters(config);
  SizeReport report;
  report.bytes = bytes;
  report.fp32 = fp32_bytes(counts.total);
  report.fp32_non_embedding = fp32_bytes(counts.non_embedding);
  report.baseline = fp32_bytes(baseline_parameters);
  const auto file = static_cast<double>(bytes.artifact);
  const auto model = static_cast<double>(bytes.model);
  report.file_ratio = static_cast<double>(report.fp32) / file;
  report.model_ratio = static_cast<double>(report.fp32_non_embedding) / model;
  report.paper_ratio = static_cast<double>(report.baseline) / model;
  report.bits_per_weight = 8.0 * model / static_cast<double>(counts.non_embedding);
  return report;
}

RatioLimit parse_ratio_limit(std::string_view text) {
  RatioLimit limit;
  std::string_view number = text;
  if (const std::size_t equals = text.find('='); equals != std::string_view::npos) {
    limit.ratio = text.substr(0, equals);
    number = text.substr(equals + 1);
  }
  const bool known = limit.ratio == "file" || limit.ratio == "model" || limit.ratio == "paper";
  const auto [end, error] =
      std::from_chars(number.data(), number.data() + number.size(), limit.limit);
  if (!known || error != std::errc() || end != number.data() + number.size() ||
      !std::isfinite(limit.limit)) {
    throw ConfigError(
        fmt::format("expected R, file=R, model=R or paper=R with a number R, found \"{}\"", text));
  }
  return limit;
}

std::vector<Gate> check_gates(const GateLimits& limits, const Measured& measured) {
  std::vector<Gate> gates;
  const auto at_least = [&](std::string name, double value, double limit) {
    gates.push_back({std::move(name), value >= limit, value, limit});
  };
  const auto at_most = [&](std::string name, double value, double limit) {
    gates.push_back({std::move(name), value <= limit, value, limit});
  };
  for (const RatioLimit& ratio : limits.min_ratios) {
    at_least("min-ratio " + ratio.ratio, ratio_value(measured.size, ratio.ratio), ratio.limit);
  }
  if (limits.max_bytes) {
    at_most("max-bytes", static_cast<double>(measured.size.bytes.artifact),
            static_cast<double>(*limits.max_bytes));
  }
  if (limits.max_bleu_drop) {
    const double reference = required(measured.bleu_reference, "--max-bleu-drop");
    at_most("max-bleu-drop", reference - required(measured.bleu_artifact, "--max-bleu-drop"),
            *limits.max_bleu_drop);
  }
  if (limits.min_bleu) {
    at_least("min-bleu", required(measured.bleu_artifact, "--min-bleu"), *limits.min_bleu);
  }
  return gates;
}

bool all_passed(const std::vector<Gate>& gates) {
  return std::ranges::all_of(gates, &Gate::passed);
}

}  // namespace ltz::eval
