#include "eval/budget/gates.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "eval/budget/accounting.h"
#include "model/base/error.h"

namespace ltz::eval {
namespace {

bool is_papers_size(const ModelConfig& config, std::int64_t non_embedding_parameters) {
  constexpr double kTranslation = 17'283'616;
  constexpr double kLanguage = 37'182'208;
  constexpr double kTolerance = 0.05;
  const double papers = is_language_model(config) ? kLanguage : kTranslation;
  return std::abs(static_cast<double>(non_embedding_parameters) / papers - 1.0) <= kTolerance;
}

double ratio_value(const SizeReport& size, const std::string& ratio) {
  if (ratio == "file") {
    return size.file_ratio;
  }
  return ratio == "model" ? size.model_ratio : size.paper_ratio;
}

// text: of a number and nothing else.
std::optional<double> parse_finite(std::string_view text) {
  double value = 0.0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && std::isfinite(value) ? std::optional(value) : std::nullopt;
}

double required(const std::optional<double>& value, const char* gate) {
  if (!value) {
    throw ConfigError(fmt::format("{} needs a test set: give --src and --ref, or --text", gate));
  }
  return *value;
}

// What is above the limit by the value is so by all of the interval, too, if that decides.
Gate at_most(std::string name, double value, double limit,
             const std::optional<Interval>& interval = {}) {
  return {.name = std::move(name),
          .passed = (interval ? interval->low : value) <= limit,
          .value = value,
          .limit = limit,
          .upper = true,
          .interval = interval};
}

Gate at_least(std::string name, double value, double limit,
              const std::optional<Interval>& interval = {}) {
  return {.name = std::move(name),
          .passed = (interval ? interval->high : value) >= limit,
          .value = value,
          .limit = limit,
          .upper = false,
          .interval = interval};
}

double percent_of(double part, double whole) {
  return 100.0 * part / whole;
}

void check_growth(double limit, bool by_interval, const Measured& measured,
                  std::vector<Gate>& gates) {
  if (!measured.previous) {
    throw ConfigError("--max-growth needs --previous");
  }
  const Measured::Previous& previous = *measured.previous;
  const auto old_bytes = static_cast<double>(previous.bytes);
  const double more_bytes = static_cast<double>(measured.size.bytes.artifact) - old_bytes;
  const std::size_t first = gates.size();
  gates.push_back(at_most("max-growth bytes", percent_of(more_bytes, old_bytes), limit));
  if (previous.quality.bleu && measured.artifact.bleu) {
    const double bleu = *previous.quality.bleu;
    // Nothing can be lost of nothing.
    const auto loss = [&](double points) { return bleu > 0.0 ? percent_of(points, bleu) : 0.0; };
    std::optional<Interval> interval;
    if (by_interval && previous.loss_interval) {
      interval = {loss(previous.loss_interval->low), loss(previous.loss_interval->high)};
    }
    gates.push_back(
        at_most("max-growth bleu-loss", loss(bleu - *measured.artifact.bleu), limit, interval));
  }
  if (previous.quality.nll && measured.artifact.nll) {
    const double nll = *previous.quality.nll;
    gates.push_back(
        at_most("max-growth nll", percent_of(*measured.artifact.nll - nll, nll), limit));
  }
  for (std::size_t i = first; i < gates.size(); ++i) {
    gates[i].percent = true;
  }
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
  report.papers_size = is_papers_size(config, counts.non_embedding);
  report.language_model = is_language_model(config);
  return report;
}

RatioLimit parse_ratio_limit(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos && parse_finite(text)) {
    throw ConfigError(fmt::format(
        "expected file={0}, model={0} or paper={0}, to say which ratio is meant, found {0}", text));
  }
  const std::string_view ratio = text.substr(0, equals);
  const bool known = ratio == "file" || ratio == "model" || ratio == "paper";
  const auto limit =
      equals == std::string_view::npos ? std::nullopt : parse_finite(text.substr(equals + 1));
  if (!known || !limit || *limit <= 0.0) {
    throw ConfigError(fmt::format(
        "expected file=R, model=R or paper=R with a number R above 0, found \"{}\"", text));
  }
  return {std::string(ratio), *limit};
}

double parse_percentage(std::string_view text) {
  const auto value =
      text.ends_with('%') ? parse_finite(text.substr(0, text.size() - 1)) : std::nullopt;
  if (!value || *value < 0.0) {
    throw ConfigError(fmt::format("expected a percentage such as 1%, found \"{}\"", text));
  }
  return *value;
}

bool GateLimits::any() const {
  return !min_ratios.empty() || max_bits || max_bytes || max_growth || need_text();
}

bool GateLimits::need_text() const {
  return on_bleu() || on_likelihood();
}

std::optional<double> GateLimits::nll_increase() const {
  std::optional<double> most = max_nll_increase;
  if (max_ppl_increase) {
    const double nats = std::log1p(*max_ppl_increase / 100.0);
    most = std::min(most.value_or(nats), nats);
  }
  return most;
}

double perplexity_increase(double nll_before, double nll_after) {
  return 100.0 * std::expm1(nll_after - nll_before);
}

std::vector<Gate> check_gates(const GateLimits& limits, const Measured& measured) {
  std::vector<Gate> gates;
  const auto deciding = [&](const std::optional<Interval>& interval) {
    return limits.by_interval ? interval : std::nullopt;
  };
  for (const RatioLimit& ratio : limits.min_ratios) {
    gates.push_back(
        at_least("min-ratio " + ratio.ratio, ratio_value(measured.size, ratio.ratio), ratio.limit));
  }
  if (limits.max_bits) {
    gates.push_back(at_most("max-bits", measured.size.bits_per_weight, *limits.max_bits));
  }
  if (limits.max_bytes) {
    gates.push_back(at_most("max-bytes", static_cast<double>(measured.size.bytes.artifact),
                            static_cast<double>(*limits.max_bytes)));
  }
  if (limits.max_bleu_drop) {
    const double drop = required(measured.reference.bleu, "--max-bleu-drop") -
                        required(measured.artifact.bleu, "--max-bleu-drop");
    gates.push_back(
        at_most("max-bleu-drop", drop, *limits.max_bleu_drop, deciding(measured.drop_interval)));
  }
  if (limits.min_bleu) {
    gates.push_back(at_least("min-bleu", required(measured.artifact.bleu, "--min-bleu"),
                             *limits.min_bleu, deciding(measured.bleu_interval)));
  }
  if (limits.max_nll_increase) {
    const double increase = required(measured.artifact.nll, "--max-nll-increase") -
                            required(measured.reference.nll, "--max-nll-increase");
    gates.push_back(at_most("max-nll-increase", increase, *limits.max_nll_increase));
  }
  if (limits.max_ppl_increase) {
    const double before = required(measured.reference.nll, "--max-ppl-increase");
    const double after = required(measured.artifact.nll, "--max-ppl-increase");
    gates.push_back(
        at_most("max-ppl-increase", perplexity_increase(before, after), *limits.max_ppl_increase));
    gates.back().percent = true;
  }
  if (limits.max_growth) {
    check_growth(*limits.max_growth, limits.by_interval, measured, gates);
  }
  return gates;
}

bool all_passed(const std::vector<Gate>& gates) {
  return std::ranges::all_of(gates, &Gate::passed);
}

}  // namespace ltz::eval
