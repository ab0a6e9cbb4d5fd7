#include "eval/budget/accounting.h"

#include "model/checkpoint/checkpoint.h"

namespace ltz::eval {
namespace {

// QK^T and AV of the queries of one attention.
std::int64_t attention_products(std::int64_t queries, std::int64_t keys, std::int64_t channels) {
  return 2 * queries * keys * channels;
}

std::int64_t self_mixing_products(const StackConfig& stack, int layer, std::int64_t tokens) {
  if (stack.branches.empty()) {
    return attention_products(tokens, tokens, stack.embed_dim);
  }
  std::int64_t products = 0;
  for (const BranchConfig& branch : stack.branches) {
    products += branch.type == BranchType::kAttention
                    ? attention_products(tokens, tokens, branch.channels)
                    : tokens * stack.kernel_size(branch, layer) * branch.inner_channels();
  }
  return products;
}

// Which tokens a matrix is multiplied with: keys and values of cross-attention are made from the
// source.
bool reads_source(const ParameterSpec& spec) {
  return spec.stack == Stack::kEncoder ||
         (spec.component == Component::kCrossAttention &&
          (spec.name.ends_with("k_proj.weight") || spec.name.ends_with("v_proj.weight")));
}

}  // namespace

ParameterCounts count_parameters(const ModelConfig& config) {
  ParameterCounts counts;
  for (const ParameterSpec& spec : parameter_specs(config)) {
    const std::int64_t count = element_count(spec.shape);
    counts.total += count;
    if (spec.component == Component::kEmbedding) {
      counts.embedding += count;
    }
    if (spec.name == "decoder.embed_out" && !is_language_model(config)) {
      counts.paper += count;
    }
  }
  counts.non_embedding = counts.total - counts.embedding;
  counts.paper += counts.non_embedding;
  return counts;
}

std::int64_t mult_adds(const ModelConfig& config, std::int64_t src_len, std::int64_t tgt_len) {
  std::int64_t total = 0;
  for (const ParameterSpec& spec : parameter_specs(config)) {
    if (spec.role == Role::kMatrix && spec.component != Component::kEmbedding) {
      total += element_count(spec.shape) * (reads_source(spec) ? src_len : tgt_len);
    }
  }
  for (int layer = 0; layer < config.encoder.layers; ++layer) {
    total += self_mixing_products(config.encoder, layer, src_len);
  }
  for (int layer = 0; layer < config.decoder.layers; ++layer) {
    total += self_mixing_products(config.decoder, layer, tgt_len);
    if (!is_language_model(config)) {
      total += attention_products(tgt_len, src_len, config.decoder.embed_dim);
    }
  }
  return total;
}

std::int64_t output_mult_adds(const ModelConfig& config, std::int64_t rows) {
  return rows * config.target_vocabulary_size * config.decoder.embed_dim;
}

std::int64_t reading_mult_adds(const ModelConfig& config, std::int64_t src_len,
                               std::int64_t tgt_len) {
  return mult_adds(config, src_len, tgt_len) + output_mult_adds(config, tgt_len);
}

std::int64_t step_mult_adds(const ModelConfig& config, std::int64_t src_len, std::int64_t history,
                            std::int64_t rows) {
  // Every one of `history` teacher-forced rows attends to `history` tokens, as this one does.
  const std::int64_t row =
      (mult_adds(config, src_len, history) - mult_adds(config, src_len, 0)) / history;
  return rows * row + output_mult_adds(config, rows);
}

std::int64_t search_mult_adds(const ModelConfig& config, std::int64_t src_len, std::int64_t steps,
                              std::int64_t beam) {
  return mult_adds(config, src_len, 0) +
         step_mult_adds(config, src_len, steps, 1 + beam * (steps - 1));
}

}  // namespace ltz::eval
