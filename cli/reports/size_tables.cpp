#include "cli/reports/size_tables.h"
#include "cli/pipeline/digits.h"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>

#include "cli/pipeline/verify.h"
#include "cli/terminal/terminal.h"
#include "eval/budget/accounting.h"

namespace ltz::cli {
namespace {

std::vector<std::string> group_row(const std::string& name, const TensorSize& totals) {
  const auto parameters = static_cast<double>(totals.parameters);
  return {name, pipeline::with_separators(totals.parameters),
          fmt::format("{:.1f}%", 100.0 * static_cast<double>(totals.zeros) / parameters),
          fmt::format("{:.2f}", 8.0 * static_cast<double>(totals.bytes) / parameters),
          pipeline::with_separators(totals.bytes)};
}

// Where `paper` misleads; nothing for a baseline of the user's own.
std::string caution(const eval::SizeReport& size) {
  ModelConfig kind;
  kind.encoder.layers = size.language_model ? 0 : 1;
  if (size.papers_size || size.baseline != eval::fp32_bytes(pipeline::paper_baseline(kind))) {
    return "";
  }
  return fmt::format(
      "caution: `paper` compares with {}. The paper's model has {} weights without\n"
      "embeddings before compression, this one {}; `model` and `file` say what compression did.\n",
      size.language_model ? "Adaptive Inputs" : "Transformer base",
      size.language_model ? "37,182,208" : "17,283,616",
      pipeline::with_separators(size.fp32_non_embedding / 4));
}

}  // namespace

std::string group_table(const std::vector<TensorSize>& tensors) {
  std::vector<std::string> order;
  std::map<std::string, TensorSize> groups;
  TensorSize all;
  for (const TensorSize& tensor : tensors) {
    if (!groups.contains(tensor.group)) {
      order.push_back(tensor.group);
    }
    for (TensorSize* totals : {&groups[tensor.group], &all}) {
      totals->parameters += tensor.parameters;
      totals->zeros += tensor.zeros;
      totals->bytes += tensor.bytes;
    }
  }
  std::vector<std::vector<std::string>> rows = {{"", "parameters", "zeros", "bits", "bytes"}};
  for (const std::string& group : order) {
    rows.push_back(group_row(group, groups[group]));
  }
  rows.emplace_back();
  rows.push_back(group_row("all tensors", all));
  return format_table(rows);
}

std::string size_text(const eval::SizeReport& size) {
  const auto row = [](const char* name, double ratio, std::int64_t before, const char* what,
                      std::int64_t after) {
    return std::vector<std::string>{name, fmt::format("{:.2f}x", ratio),
                                    pipeline::with_separators(before) + " " + what,
                                    pipeline::with_separators(after)};
  };
  return format_table(
             {{"ratio", "", "bytes before", "bytes after"},
              row("file", size.file_ratio, size.fp32, "(all weights, fp32)", size.bytes.artifact),
              row("model", size.model_ratio, size.fp32_non_embedding, "(without embeddings)",
                  size.bytes.model),
              row("paper", size.paper_ratio, size.baseline, "(baseline, no embeddings)",
                  size.bytes.model)}) +
         fmt::format(
             "\n{:.2f} bits per weight; the file: {} model + {} embeddings + {} vocabulary\n",
             size.bits_per_weight, pipeline::with_separators(size.bytes.model),
             pipeline::with_separators(size.bytes.embedding),
             pipeline::with_separators(size.bytes.vocabulary)) +
         caution(size);
}

nlohmann::ordered_json size_json(const eval::SizeReport& size) {
  return {{"ratios",
           {{"file", size.file_ratio}, {"model", size.model_ratio}, {"paper", size.paper_ratio}}},
          {"papers_size", size.papers_size},
          {"bits_per_weight", size.bits_per_weight},
          {"bytes",
           {{"artifact", size.bytes.artifact},
            {"model", size.bytes.model},
            {"embedding", size.bytes.embedding},
            {"vocabulary", size.bytes.vocabulary},
            {"fp32", size.fp32},
            {"fp32_non_embedding", size.fp32_non_embedding},
            {"baseline", size.baseline}}}};
}

}  // namespace ltz::cli
