#include <fmt/format.h>
#include <fmt/ranges.h>

#include <bit>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

#include "cli/commands/commands.h"
#include "cli/options/files.h"
#include "cli/options/options.h"
#include "cli/options/values.h"
#include "cli/pipeline/digits.h"
#include "cli/reports/architecture.h"
#include "cli/reports/baseline.h"
#include "cli/reports/report.h"
#include "cli/terminal/terminal.h"
#include "eval/budget/accounting.h"
#include "eval/budget/device.h"
#include "formats/fairseq/model_presets.h"
#include "formats/models/model_description.h"

namespace ltz::cli {
namespace {

struct Options {
  ModelOptions model;
  SentenceLengths lengths;
  const CLI::Option* source_length = nullptr;
  std::string baseline;
  std::string device;
  JsonOptions json;
};

struct TensorSummary {
  std::string dtype;
  double sparsity = 0.0;
  double bits = 0.0;  // per element on disk
};

TensorSummary summarise(const formats::ModelFile& file, const std::string& name) {
  const Tensor& tensor = file.checkpoint.tensors.at(name);
  TensorSummary summary;
  summary.sparsity = sparsity(tensor.values());
  if (const auto* quantized = std::get_if<QuantizedValues>(&tensor.data)) {
    const std::size_t scales = quantized->row_scales.size();
    summary.dtype =
        fmt::format("codebook{}{}", quantized->centroids.size(), scales == 0 ? "" : " x row scale");
    summary.bits = static_cast<double>(std::bit_width(quantized->centroids.size() - 1)) +
                   8.0 * static_cast<double>(scales) / static_cast<double>(tensor.size());
  } else {
    const Precision precision = std::get<DenseValues>(tensor.data).precision;
    summary.dtype = to_string(precision);
    summary.bits = bits_of(precision);
  }
  if (const auto bytes = file.tensor_bytes.find(name); bytes != file.tensor_bytes.end()) {
    summary.bits = 8.0 * static_cast<double>(bytes->second) / static_cast<double>(tensor.size());
  }
  return summary;
}

// Everything that is printed, so that text and JSON say the same.
struct Report {
  formats::ModelDescription model;
  eval::ParameterCounts counts;
  eval::MultAdds mult_adds;
  std::optional<Baseline> baseline;
  const eval::Device* device = nullptr;
};

nlohmann::ordered_json tensors_json(const formats::ModelDescription& model) {
  nlohmann::ordered_json tensors = nlohmann::ordered_json::array();
  for (const ParameterSpec& spec : parameter_specs(model.config)) {
    nlohmann::ordered_json tensor = {{"name", spec.name}, {"shape", spec.shape}};
    if (model.file) {
      const TensorSummary summary = summarise(*model.file, spec.name);
      tensor["dtype"] = summary.dtype;
      tensor["sparsity"] = summary.sparsity;
      tensor["bits"] = summary.bits;
    }
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

nlohmann::ordered_json device_json(const formats::ModelDescription& model,
                                   const eval::Device& device) {
  nlohmann::ordered_json json = {{"name", device.name}, {"flops", device.flops}};
  bool all = true;
  for (const eval::DeviceLimit& limit : eval::device_limits(model.config, device)) {
    json["limits"][limit.name] = {{"value", limit.value},
                                  {limit.at_most ? "at_most" : "at_least", limit.limit},
                                  {"holds", limit.holds()}};
    all = all && limit.holds();
  }
  json["holds"] = all;
  json["download_bytes"] = nullptr;
  if (model.file) {
    json["download_bytes"] = model.file->bytes;
  }
  json["loaded_bytes"] = eval::loaded_bytes(model.config);
  return json;
}

// Of a model without weights, what only a file has is null or missing.
nlohmann::ordered_json to_json(const Report& report, const SentenceLengths& lengths) {
  const auto& [model, counts, mult_adds, baseline, device] = report;
  nlohmann::ordered_json json = {{"architecture", model.config.arch},
                                 {"container", nullptr},
                                 {"parameters",
                                  {{"total", counts.total},
                                   {"embedding", counts.embedding},
                                   {"tables", counts.tables},
                                   {"projections", counts.projections},
                                   {"non_embedding", counts.non_embedding},
                                   {"paper", counts.paper}}},
                                 {"mult_adds",
                                  {{"src_len", lengths.source},
                                   {"tgt_len", lengths.target},
                                   {"total", mult_adds.total()},
                                   {"paper", mult_adds.paper()}}},
                                 {"bytes",
                                  {{"fp32", eval::fp32_bytes(counts.total)},
                                   {"fp32_non_embedding", eval::fp32_bytes(counts.non_embedding)},
                                   {"file", nullptr}}}};
  if (is_language_model(model.config)) {
    json["mult_adds"]["src_len"] = nullptr;
    json["language_model"] = language_model_json(model.config);
  }
  if (model.file) {
    json["container"] = model.file->container;
    json["bytes"]["file"] = model.file->bytes;
    for (const auto& [name, value] : model.file->made) {
      json["made"][name] = value;
    }
  }
  if (baseline) {
    json["baseline"] = comparison_json(model.config, *baseline, lengths);
  }
  if (device != nullptr) {
    json["device"] = device_json(model, *device);
  }
  json["tensors"] = tensors_json(model);
  return json;
}

std::string tensor_table(const formats::ModelDescription& model) {
  std::vector<std::vector<std::string>> rows = {{"tensor", "shape"}};
  if (model.file) {
    rows[0].insert(rows[0].end(), {"stored as", "zeros", "bits"});
  }
  for (const ParameterSpec& spec : parameter_specs(model.config)) {
    std::vector<std::string>& row = rows.emplace_back();
    row = {spec.name, to_string(spec.shape)};
    if (model.file) {
      const TensorSummary summary = summarise(*model.file, spec.name);
      row.insert(row.end(), {summary.dtype, fmt::format("{:.1f}%", 100.0 * summary.sparsity),
                             fmt::format("{:.2f}", summary.bits)});
    }
  }
  return format_table(rows);
}

std::string device_table(const formats::ModelDescription& model, const eval::Device& device) {
  const auto number = [](double value) {
    return value < 1e4 ? fmt::format("{:.4g}", value)
                       : pipeline::with_separators(std::llround(value));
  };
  std::vector<std::vector<std::string>> rows = {
      {std::string(device.name), "this model", "limit of the paper", ""}};
  for (const eval::DeviceLimit& limit : eval::device_limits(model.config, device)) {
    rows.push_back({limit.label, number(limit.value),
                    (limit.at_most ? "at most " : "at least ") + number(limit.limit),
                    limit.holds() ? "holds" : "BROKEN"});
  }
  if (model.file) {
    rows.push_back({"bytes to download", pipeline::with_separators(model.file->bytes), "", ""});
  }
  rows.push_back(
      {"bytes when loaded", pipeline::with_separators(eval::loaded_bytes(model.config)), "", ""});
  return fmt::format("{}({}: {:g} GFLOP/s)\n", format_table(rows), device.description,
                     device.flops / 1e9);
}

// What made the file, a line for each thing that it says; of a recipe several.
std::string made_text(const formats::Provenance& made) {
  std::string text;
  for (const auto& [name, value] : made) {
    std::stringstream lines(value);
    std::string label = printable(name);
    for (std::string line; std::getline(lines, line); label.clear()) {
      text += fmt::format("{:<13} {}\n", label, printable(line));
    }
  }
  return text;
}

std::string lengths_text(const ModelConfig& config, const SentenceLengths& lengths) {
  return is_language_model(config)
             ? fmt::format("text of {} tokens", lengths.target)
             : fmt::format("source of {} tokens, target of {}", lengths.source, lengths.target);
}

void print_text(const Report& report, const SentenceLengths& lengths) {
  const auto& [model, counts, mult_adds, baseline, device] = report;
  const ModelConfig& config = model.config;
  fmt::print("{}", architecture_text(model));
  fmt::print("parameters    {} ({} without embeddings; as the paper counts: {})\n",
             pipeline::with_separators(counts.total),
             pipeline::with_separators(counts.non_embedding),
             pipeline::with_separators(counts.paper));
  if (is_language_model(config)) {
    fmt::print("embeddings    {} in tables, {} in projections\n",
               pipeline::with_separators(counts.tables),
               pipeline::with_separators(counts.projections));
  }
  fmt::print("Mult-Adds     {} ({}; in the paper's tables: {})\n",
             pipeline::with_separators(mult_adds.total()), lengths_text(config, lengths),
             pipeline::with_separators(mult_adds.paper()));
  fmt::print("bytes         ");
  if (model.file) {
    fmt::print("{} in the file, ", pipeline::with_separators(model.file->bytes));
  }
  fmt::print("{} as fp32, {} of them without embeddings\n\n",
             pipeline::with_separators(eval::fp32_bytes(counts.total)),
             pipeline::with_separators(eval::fp32_bytes(counts.non_embedding)));
  if (model.file && !model.file->made.empty()) {
    fmt::print("{}\n", made_text(model.file->made));
  }
  if (baseline) {
    fmt::print("{}\n", comparison_table(config, *baseline, lengths));
  }
  if (device != nullptr) {
    fmt::print("{}\n", device_table(model, *device));
  }
  fmt::print("{}", tensor_table(model));
}

int run(const Options& options) {
  Files().reads(options.model).reads(options.baseline).writes(options.json).check();
  Report report{.model = formats::describe_model(options.model.path, options.model.vocabulary)};
  const ModelConfig& config = report.model.config;
  if (is_language_model(config) && options.source_length->count() != 0) {
    throw CLI::ValidationError("--src-len", "has no effect: a language model reads no source");
  }
  report.counts = eval::count_parameters(config);
  report.mult_adds = eval::count_mult_adds(config, options.lengths.source, options.lengths.target);
  if (!options.baseline.empty()) {
    report.baseline = read_baseline(options.baseline, report.model.config);
  }
  if (!options.device.empty()) {
    report.device = &eval::find_device(options.device);
  }
  if (options.json.given()) {
    write_json(options.json, to_json(report, options.lengths));
  }
  if (!options.json.to_stdout()) {
    print_text(report, options.lengths);
  }
  return kDone;
}

}  // namespace

void setup_inspect(CLI::App& app, Action& action) {
  auto* command =
      app.add_subcommand("inspect", "Show architecture, parameters, Mult-Adds, tensors");
  auto options = std::make_shared<Options>();
  command
      ->add_option("MODEL", options->model.path,
                   fmt::format("Model, a JSON or YAML file of its hyper-parameters, or a preset: "
                               "{} (./NAME for a file of such a name)",
                               fmt::join(formats::preset_model_names(), ", ")))
      ->required();
  add_vocabulary_files(*command, options->model.vocabulary);
  command
      ->add_option("--baseline", options->baseline,
                   "Compare with this: a preset, hyper-parameters, a model or a number of "
                   "parameters")
      ->type_name("N|MODEL")
      ->default_str("");
  std::vector<std::string> names;
  for (const eval::Device& device : eval::devices()) {
    names.emplace_back(device.name);
  }
  choose(command->add_option("--device", options->device,
                             "Compare with the paper's limits for a model on this: " +
                                 fmt::format("{}", fmt::join(names, ", "))),
         names);
  options->source_length =
      command->add_option("--src-len", options->lengths.source, "Source tokens for Mult-Adds")
          ->check(between(1, 1'000'000));
  command
      ->add_option("--tgt-len", options->lengths.target,
                   "Target tokens for Mult-Adds, or the text's of a language model")
      ->check(between(1, 1'000'000));
  add_json(*command, options->json);
  command->footer(
      "Examples:\n"
      "  ltz inspect model.ltz --json | jq .parameters\n"
      "  ltz inspect model.ltz --device cortex-a72\n"
      "  ltz inspect lite-transformer-wmt-496 --baseline transformer-base --tgt-len 60");
  command->callback([options, &action] { action = [options] { return run(*options); }; });
}

}  // namespace ltz::cli
