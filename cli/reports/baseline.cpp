#include "cli/reports/baseline.h"

#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>
#include <vector>

#include "cli/pipeline/digits.h"
#include "cli/pipeline/verify.h"
#include "cli/terminal/terminal.h"
#include "eval/budget/accounting.h"
#include "formats/models/model_description.h"

namespace ltz::cli {
namespace {

struct Row {
  std::string key;  // in JSON
  std::string label;
  std::int64_t baseline;
  std::int64_t model;

  double ratio() const { return static_cast<double>(baseline) / static_cast<double>(model); }
};

std::vector<Row> compare(const ModelConfig& model, const Baseline& baseline,
                         const SentenceLengths& lengths) {
  const eval::ParameterCounts counts = eval::count_parameters(model);
  if (!baseline.config) {
    return {{"non_embedding", "parameters without embeddings", baseline.parameters,
             counts.non_embedding}};
  }
  const eval::ParameterCounts other = eval::count_parameters(*baseline.config);
  std::vector<Row> rows = {
      {"total", "parameters", other.total, counts.total},
      {"non_embedding", "without embeddings", other.non_embedding, counts.non_embedding},
      {"paper", "as the paper counts", other.paper, counts.paper}};
  if (is_language_model(model) == is_language_model(*baseline.config)) {
    const eval::MultAdds products = eval::count_mult_adds(model, lengths.source, lengths.target);
    const eval::MultAdds others =
        eval::count_mult_adds(*baseline.config, lengths.source, lengths.target);
    rows.push_back({"mult_adds",
                    is_language_model(model)
                        ? fmt::format("Mult-Adds ({} tokens)", lengths.target)
                        : fmt::format("Mult-Adds ({} + {} tokens)", lengths.source, lengths.target),
                    others.total(), products.total()});
    rows.push_back({"mult_adds_paper", "in the paper's tables", others.paper(), products.paper()});
  }
  return rows;
}

}  // namespace

Baseline read_baseline(const std::string& text, const ModelConfig& model) {
  Baseline baseline;
  baseline.name = text.empty() ? pipeline::paper_baseline_name(model) : text;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, baseline.parameters);
  if (error == std::errc() && stop == end && baseline.parameters > 0) {
    return baseline;
  }
  baseline.config = formats::describe_model(baseline.name, {.no_bpe = true}).config;
  baseline.parameters = eval::count_parameters(*baseline.config).non_embedding;
  return baseline;
}

std::string comparison_table(const ModelConfig& model, const Baseline& baseline,
                             const SentenceLengths& lengths) {
  std::vector<std::vector<std::string>> rows = {{"", baseline.name, "this model", "ratio"}};
  for (const Row& row : compare(model, baseline, lengths)) {
    rows.push_back({row.label, pipeline::with_separators(row.baseline),
                    pipeline::with_separators(row.model), fmt::format("{:.2f}x", row.ratio())});
  }
  return format_table(rows);
}

nlohmann::ordered_json comparison_json(const ModelConfig& model, const Baseline& baseline,
                                       const SentenceLengths& lengths) {
  nlohmann::ordered_json json = {{"name", baseline.name}};
  for (const Row& row : compare(model, baseline, lengths)) {
    json[row.key] = {{"baseline", row.baseline}, {"model", row.model}, {"ratio", row.ratio()}};
  }
  return json;
}

}  // namespace ltz::cli
