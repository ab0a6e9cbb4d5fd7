#include "eval/budget/accounting.h"

#include <algorithm>
#include <span>
#include <vector>

#include "model/checkpoint/bands.h"
#include "model/checkpoint/checkpoint.h"

namespace ltz::eval {
namespace {

// QK^T and AV of the queries of one attention.
std::int64_t attention_products(std::int64_t queries, std::int64_t keys, std::int64_t channels) {
  return 2 * queries * keys * channels;
}

void add_self_mixing(const StackConfig& stack, std::int64_t tokens, MultAdds& counts) {
  for (int layer = 0; layer < stack.layers; ++layer) {
    if (stack.branches.empty()) {
      counts.attention += attention_products(tokens, tokens, stack.embed_dim);
    }
    for (const BranchConfig& branch : stack.branches) {
      if (branch.type == BranchType::kAttention) {
        counts.attention += attention_products(tokens, tokens, branch.channels);
      } else {
        counts.convolution += tokens * stack.kernel_size(branch, layer) * branch.inner_channels();
      }
    }
  }
}

// Which tokens a matrix is multiplied with: keys and values of cross-attention are made from the
// source.
bool reads_source(const ParameterSpec& spec) {
  return spec.stack == Stack::kEncoder ||
         (spec.component == Component::kCrossAttention &&
          (spec.name.ends_with("k_proj.weight") || spec.name.ends_with("v_proj.weight")));
}

// Of one row: words and classes, and what makes the features as narrow as the words' table.
std::int64_t head_mult_adds(const ModelConfig& config, const std::vector<Band>& bands) {
  const std::int64_t width = config.decoder.embed_dim;
  const Band& words = bands.front();
  return width * (static_cast<std::int64_t>(bands.size()) - 1) +
         (words.width == width ? 0 : width * words.width) + std::int64_t{words.size} * words.width;
}

std::int64_t tail_mult_adds(const ModelConfig& config, const Band& band) {
  return std::int64_t{band.width} * (config.decoder.embed_dim + band.size);
}

}  // namespace

ParameterCounts count_parameters(const ModelConfig& config) {
  ParameterCounts counts;
  for (const ParameterSpec& spec : parameter_specs(config)) {
    const std::int64_t count = element_count(spec.shape);
    counts.total += count;
    if (spec.component == Component::kEmbedding) {
      (spec.role == Role::kTable ? counts.tables : counts.projections) += count;
    }
    if (spec.name == "decoder.embed_out" && !is_language_model(config)) {
      counts.paper += count;
    }
  }
  counts.embedding = counts.tables + counts.projections;
  counts.non_embedding = counts.total - counts.embedding;
  counts.paper += counts.non_embedding;
  return counts;
}

MultAdds count_mult_adds(const ModelConfig& config, std::int64_t src_len, std::int64_t tgt_len) {
  MultAdds counts;
  for (const ParameterSpec& spec : parameter_specs(config)) {
    if (spec.component == Component::kEmbedding) {
      continue;
    }
    const std::int64_t tokens = reads_source(spec) ? src_len : tgt_len;
    if (spec.role == Role::kMatrix) {
      counts.linear += element_count(spec.shape) * tokens;
    } else if (spec.role == Role::kGain) {
      counts.norms += element_count(spec.shape) * tokens;
    }
  }
  add_self_mixing(config.encoder, src_len, counts);
  add_self_mixing(config.decoder, tgt_len, counts);
  if (!is_language_model(config)) {
    counts.attention +=
        config.decoder.layers * attention_products(tgt_len, src_len, config.decoder.embed_dim);
  }
  if (!config.adaptive_input.cutoffs.empty()) {
    counts.input_projection =
        tgt_len * config.decoder.embed_dim * std::int64_t{input_width(config)};
  }
  return counts;
}

std::int64_t mult_adds(const ModelConfig& config, std::int64_t src_len, std::int64_t tgt_len) {
  return count_mult_adds(config, src_len, tgt_len).total();
}

std::int64_t output_mult_adds(const ModelConfig& config, std::int64_t rows) {
  const std::vector<Band> bands = output_bands(config);
  if (bands.empty()) {
    return rows * config.target_vocabulary_size * config.decoder.embed_dim;
  }
  std::int64_t row = head_mult_adds(config, bands);
  for (const Band& band : std::span(bands).subspan(1)) {
    row += tail_mult_adds(config, band);
  }
  return rows * row;
}

std::int64_t scoring_mult_adds(const ModelConfig& config, std::span<const int> targets) {
  const std::vector<Band> bands = output_bands(config);
  const auto rows = static_cast<std::int64_t>(targets.size());
  if (bands.empty()) {
    return output_mult_adds(config, rows);
  }
  std::int64_t total = rows * head_mult_adds(config, bands);
  for (const Band& band : std::span(bands).subspan(1)) {
    total += tail_mult_adds(config, band) *
             std::ranges::count_if(targets, [&](int token) { return band.contains(token); });
  }
  return total;
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
