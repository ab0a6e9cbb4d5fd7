#include <fmt/format.h>

#include <bit>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/report.h"
#include "cli/terminal.h"
#include "eval/accounting.h"

namespace ltz::cli {
namespace {

struct Options {
  ModelOptions model;
  int src_len = 30;
  int tgt_len = 30;
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
    summary.dtype = fmt::format("codebook{}", quantized->centroids.size());
    summary.bits = static_cast<double>(std::bit_width(quantized->centroids.size() - 1));
  } else {
    const bool half = std::get<DenseValues>(tensor.data).precision == Precision::kFloat16;
    summary.dtype = half ? "float16" : "float32";
    summary.bits = half ? 16 : 32;
  }
  if (const auto bytes = file.tensor_bytes.find(name); bytes != file.tensor_bytes.end()) {
    summary.bits = 8.0 * static_cast<double>(bytes->second) / static_cast<double>(tensor.size());
  }
  return summary;
}

void print_json(const Options& options, const formats::ModelFile& file,
                const eval::ParameterCounts& counts, std::int64_t mult_adds) {
  nlohmann::ordered_json tensors = nlohmann::ordered_json::array();
  for (const ParameterSpec& spec : parameter_specs(file.checkpoint.config)) {
    const TensorSummary summary = summarise(file, spec.name);
    tensors.push_back({{"name", spec.name},
                       {"shape", spec.shape},
                       {"dtype", summary.dtype},
                       {"sparsity", summary.sparsity},
                       {"bits", summary.bits}});
  }
  write_json(options.json,
             {{"architecture", file.checkpoint.config.arch},
              {"container", file.container},
              {"parameters",
               {{"total", counts.total},
                {"embedding", counts.embedding},
                {"non_embedding", counts.non_embedding},
                {"paper", counts.paper}}},
              {"mult_adds",
               {{"src_len", options.src_len}, {"tgt_len", options.tgt_len}, {"total", mult_adds}}},
              {"bytes",
               {{"fp32", 4 * counts.total},
                {"fp32_non_embedding", 4 * counts.non_embedding},
                {"file", file.bytes}}},
              {"tensors", tensors}});
}

std::string describe(const StackConfig& stack, int layer_count) {
  std::string text =
      fmt::format("{} layers, width {}, FFN {}", layer_count, stack.embed_dim, stack.ffn_embed_dim);
  if (stack.branches.empty()) {
    return text + fmt::format(", attention with {} heads", stack.attention_heads);
  }
  for (const BranchConfig& branch : stack.branches) {
    const char* type = branch.type == BranchType::kAttention     ? "attention"
                       : branch.type == BranchType::kLightweight ? "lightweight convolution"
                                                                 : "dynamic convolution";
    text += fmt::format(", {} ({} channels, {} heads)", type, branch.channels, branch.heads);
  }
  return text;
}

void print_text(const Options& options, const formats::ModelFile& file,
                const eval::ParameterCounts& counts, std::int64_t mult_adds) {
  const ModelConfig& config = file.checkpoint.config;
  fmt::print("architecture  {} ({} -> {})\n", config.arch, config.source_lang, config.target_lang);
  fmt::print("encoder       {}\n", describe(config.encoder, config.encoder.layers));
  fmt::print("decoder       {}\n", describe(config.decoder, config.decoder.layers));
  fmt::print("vocabulary    {} source, {} target, {} merges\n", config.source_vocabulary_size,
             config.target_vocabulary_size, file.checkpoint.merges.size());
  fmt::print("parameters    {} ({} without embeddings; as the paper counts: {})\n",
             with_separators(counts.total), with_separators(counts.non_embedding),
             with_separators(counts.paper));
  fmt::print("Mult-Adds     {} (source of {} tokens, target of {})\n", with_separators(mult_adds),
             options.src_len, options.tgt_len);
  fmt::print("bytes         {} in the file, {} as fp32, {} of them without embeddings\n\n",
             with_separators(file.bytes), with_separators(4 * counts.total),
             with_separators(4 * counts.non_embedding));
  std::vector<std::vector<std::string>> rows = {{"tensor", "shape", "stored as", "zeros", "bits"}};
  for (const ParameterSpec& spec : parameter_specs(config)) {
    const TensorSummary summary = summarise(file, spec.name);
    rows.push_back({spec.name, to_string(spec.shape), summary.dtype,
                    fmt::format("{:.1f}%", 100.0 * summary.sparsity),
                    fmt::format("{:.2f}", summary.bits)});
  }
  fmt::print("{}", format_table(rows));
}

int run(const Options& options) {
  const formats::ModelFile file = options.model.read();
  const eval::ParameterCounts counts = eval::count_parameters(file.checkpoint.config);
  const std::int64_t mult_adds =
      eval::mult_adds(file.checkpoint.config, options.src_len, options.tgt_len);
  if (options.json.given()) {
    print_json(options, file, counts, mult_adds);
  }
  if (!options.json.to_stdout()) {
    print_text(options, file, counts, mult_adds);
  }
  return kDone;
}

}  // namespace

void setup_inspect(CLI::App& app, Action& action) {
  auto* command =
      app.add_subcommand("inspect", "Show architecture, parameters, Mult-Adds, tensors");
  auto options = std::make_shared<Options>();
  add_model(*command, options->model);
  command->add_option("--src-len", options->src_len, "Source tokens for Mult-Adds")
      ->check(CLI::Range(1, 1'000'000));
  command->add_option("--tgt-len", options->tgt_len, "Target tokens for Mult-Adds")
      ->check(CLI::Range(1, 1'000'000));
  add_json(*command, options->json);
  command->footer("Example:\n  ltz inspect model.ltz --json | jq .parameters");
  command->callback([options, &action] { action = [options] { return run(*options); }; });
}

}  // namespace ltz::cli
